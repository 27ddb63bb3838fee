//! The exchange with the other proxies of a fleet, through etcd.

mod aggregate;
mod aggregate_document;
mod call;
mod calls;
mod connection;
mod credentials;
mod etcd;
mod etcd_response;
pub mod event;
pub mod exchange;
mod followed_range;
mod hex;
mod keys;
mod local_proxy;
mod proxies;
mod proxy_document;
mod remote_proxy;
pub mod request;
mod response;
mod retired;
pub mod shared;
mod sum;
mod transaction;
mod verdict_document;
mod verdicts;
mod wire_counts;

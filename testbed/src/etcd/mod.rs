//! A real etcd of one or three members, for fleets of Envoys.

mod certificates;
mod client;
mod cluster;
mod member;

pub use certificates::Certificates;
pub use client::EtcdClient;
pub use cluster::{Etcd, EtcdBuilder};

//! The sequential guard on a real Envoy: what it finds, and what it withstands.

mod common;

mod clients;
mod errors;
mod shared;
mod slow;
mod users;
mod weights;

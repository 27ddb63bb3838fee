//! Clients that mean harm, and releases of the past: on a real Envoy, none of them stalls a worker or rolls
//! back what is well.

mod common;

mod counters;
mod downloads;
mod grpc;
mod random;
mod releases;
mod removed;
mod shapes;
mod stalls;
mod told;
mod uploads;

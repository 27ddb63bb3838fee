//! The profiles on a real Envoy: what each shows, and that the guard misses nothing in any.

mod common;
mod guarded;
mod workload;

mod grpc;
mod guard;
mod hostile;
mod lean;
mod push;
mod quality;
mod responses;
mod series;
mod signalled;
mod slow;
mod unsignalled;

//! Progressive delivery on a real Envoy: testers first, then step by step, and back by itself.

mod common;
mod guarded;

mod color_routing;
mod config;
mod expression;
mod failures;
mod grpc;
mod guard;
mod overrides;
mod permission;
mod plugins;
mod ramp;
mod ramp_evidence;
mod recovery;
mod retries;
mod speed;
mod swap;

//! Responses that come piece by piece, on a real Envoy: their figures, when they are slow, and when they have failed.

mod common;

mod auto;
mod capability;
mod copies;
mod events;
mod figures;
mod grpc;
mod slow;

//! Model quality in a real Envoy: how outcomes get in, what is made of them, and the gate.

mod common;

mod confidence;
mod figures;
mod gate;
mod header;
mod limits;
mod load;
mod query;
mod refused;
mod scores;
mod scores_taken;
mod taken;
mod unhanded;
mod unread;

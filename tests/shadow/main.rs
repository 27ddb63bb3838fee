//! Shadow traffic in a real Envoy: who gets copies, what they count for, and what they cost.

mod common;

mod copies;
mod disagreement;
mod forged;
mod judged;
mod unharmed;
mod uploads;

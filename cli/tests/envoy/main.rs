//! The program on a real Envoy.

mod support;

mod check;
mod moves;
mod repository;
mod run;
mod status;

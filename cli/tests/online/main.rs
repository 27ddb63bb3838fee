//! The program on a real Envoy.

mod support;

mod check;
mod dashboard;
mod drift;
mod moves;
mod repository;
mod run;
mod served;
mod status;
mod terminal;
mod watch;

//! The program on a real Envoy.

mod support;

mod check;
mod drift;
mod moves;
mod run;
mod status;
mod terminal;
mod watch;

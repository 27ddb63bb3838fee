//! The program on files alone, without an Envoy.

mod support;

mod bytes;
mod check;
mod diff;
mod explain;
mod files;
mod live;
mod moves;
mod pauses;
mod places;
mod printed;
mod ramps;
mod screens;
mod usage;

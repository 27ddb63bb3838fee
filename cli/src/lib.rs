//! The operator's program, on the filter's own core: it checks and explains configurations, changes them
//! as an operator means to, and tells how the rollouts of running Envoys do.
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::todo,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

pub mod answer;
pub mod args;
pub mod checks;
pub mod clock;
pub mod commands;
pub mod dashboard;
pub mod drift;
pub mod envoy;
pub mod failure;
pub mod fields;
pub mod file;
pub mod finding;
pub mod fleet_files;
pub mod json;
pub mod live;
pub mod moved;
pub mod moves;
pub mod nearest;
pub mod output;
pub mod process;
pub mod ramp;
pub mod request;
pub mod show;
pub mod source;
pub mod table;
pub mod watch;

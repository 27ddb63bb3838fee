//! The commands: each has its arguments and what it does with them in a file of its own.

pub mod check;
pub mod completions;
pub mod dashboard;
pub mod diff;
pub mod drift;
pub mod envoys;
pub mod explain;
pub mod run;
pub mod run_fleet;
pub mod shift;
pub mod stats;
pub mod status;
pub mod step;
pub mod undo;
pub mod watch;

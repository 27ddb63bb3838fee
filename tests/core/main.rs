//! The deciding core through its public API: data in, decision out.

mod admission;
mod bucket;
mod config;
mod cookie;
mod decide;
mod feedback;
mod guard;
mod headers;
mod key;
mod ledger;
mod matcher;
mod matcher_rule;
mod outcome;
mod overrides;
mod percent;
mod quality;
mod ramp;
mod rollout;
mod signal;
mod simulation;
mod sums;
mod support;
mod window;

//! Running Envoys: their admin interface, what the filter shows there, and how they are set up.

pub mod admin;
pub mod dump;
pub mod in_force;
pub mod poll;
pub mod samples;
pub mod setup;
pub mod streams;
pub mod view;

//! The file that an operator edits: the plugin's JSON inside it, and where each byte of that stands.

pub mod layer;
pub mod place;
pub mod plugin;
pub mod yaml;

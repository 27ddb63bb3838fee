//! The file that an operator edits: the plugin's JSON inside it, and where each byte of that stands.

pub mod document;
pub mod layer;
pub mod place;
pub mod plugin;
pub mod search;
pub mod yaml;

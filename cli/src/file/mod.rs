//! Files: reading one that an operator names, and replacing it as a whole or not at all.

pub mod config_file;
pub mod replacement;

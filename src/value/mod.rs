//! Small types that are valid by construction.

pub mod bucket;
pub mod color;
pub mod decimal;
pub mod followed_clock;
pub mod header_name;
pub mod method;
pub mod name;
pub(crate) mod path;
pub mod percent;
pub mod profile;
pub(crate) mod sorted;
pub(crate) mod token;

//! Who gets which color.

pub mod cookie_attribute;
pub mod key_source;
pub mod new_cookie;
pub mod overrides;
pub mod permission;

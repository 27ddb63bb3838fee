//! Paths of requests, as a configuration names them.

use crate::json::found::Found;
use crate::json::invalid::invalid;

invalid! {
    /// Not a path.
    InvalidPath
}

/// Checks a path without query.
///
/// # Errors
/// Where no path is, or begins, like this.
pub fn parse_path(text: &str) -> Result<String, InvalidPath> {
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b"?#".contains(&byte);
    if text.starts_with('/') && text.bytes().all(is_allowed) {
        Ok(text.to_owned())
    } else {
        Err(InvalidPath::new(
            Found::string(text),
            "a path of visible ASCII characters without '?' and '#' that begins with '/'",
        ))
    }
}

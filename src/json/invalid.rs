//! What the errors of small types have in common: what was found, and what it must be.

use std::fmt::Display;

/// An error that reads `<what was found>, must be <what is allowed>`.
pub trait Invalid: Display {
    /// What is allowed.
    fn must_be(&self) -> &'static str;
}

/// Defines the error of a type.
macro_rules! invalid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            found: $crate::json::found::Found,
            must_be: &'static str,
        }

        impl $name {
            const fn new(found: $crate::json::found::Found, must_be: &'static str) -> Self {
                Self { found, must_be }
            }
        }

        impl $crate::json::invalid::Invalid for $name {
            fn must_be(&self) -> &'static str {
                self.must_be
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}, must be {}", self.found, self.must_be)
            }
        }

        impl std::error::Error for $name {}
    };
}
pub(crate) use invalid;

//! JSON documents: values that know their path, and problems that say where they are.

mod access;
pub mod document;
pub mod found;
pub mod invalid;
pub mod node;
pub mod object;
pub mod path;
pub mod problems;
pub mod raw_fields;

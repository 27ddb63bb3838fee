//! The configuration's JSON as a tree that knows where each value stands, and edits of its text.

pub mod edits;
pub mod tree;

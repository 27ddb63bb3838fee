//! A million inputs for each parser of what clients send, held against parsers that others wrote, or against
//! the rule word by word.

mod inputs;

mod cookies;
mod feedback;
mod feedback_queries;
mod headers;
mod hosts;
mod paths;
mod queries;

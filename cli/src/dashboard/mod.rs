//! The dashboard: how rollouts do, live in a browser, and the operator's moves as buttons. The page has all it needs from
//! here; nothing is told or done without the token that the program prints.

pub mod actions;
pub mod answers;
pub mod board;
pub mod history;
pub mod origin;
pub mod page;
pub mod point;
pub mod server;
pub mod token;

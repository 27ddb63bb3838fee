//! `bluegreen watch`: what is live, in a terminal, or line by line where there is none.

pub mod bars;
pub mod flow;
pub mod panel;
pub mod plain;
pub mod screen;
pub mod session;
pub mod theme;
pub mod units;

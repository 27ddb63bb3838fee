//! Simulations of the filter's verdicts, by the code that it ships: how often they are wrong, and how soon they are there.
//!
//! `simulate gate [RELEASES]` is about the quality gate.

use std::process::ExitCode;

mod gate;

const USAGE: &str = "usage: simulate gate [RELEASES]";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let subject = arguments.next();
    let count = arguments.next().map(|text| text.parse());
    match (subject.as_deref(), count) {
        (Some("gate"), None) => gate::print(10_000),
        (Some("gate"), Some(Ok(releases))) => gate::print(releases),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

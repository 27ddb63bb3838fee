//! False alarms and detection times of the guards and the quality gate, simulated on their own code: `simulate [--quick] [PART]...`

mod detection;
mod evidence;
mod false_alarms;
mod fate;
mod few_users;
mod gate;
mod guards;
mod parallel;
mod plot;
mod random;
mod scores;
mod traffic;
mod users;

use std::process::ExitCode;

/// What is simulated: its name and the simulation.
type Part = (&'static str, fn(Effort));

const PARTS: [Part; 6] = [
    ("detection", detection::run),
    ("few-users", few_users::run),
    ("false-alarms", false_alarms::run),
    ("evidence", evidence::run),
    ("gate", gate::run),
    ("scores", scores::run),
];

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// As the tables in the docs say; writes their plots.
    Full,
    /// Within a minute; leaves the plots as they are.
    Quick,
}

fn main() -> ExitCode {
    let mut effort = Effort::Full;
    let mut chosen = Vec::new();
    for argument in std::env::args().skip(1) {
        let part = PARTS.iter().find(|(name, _)| *name == argument);
        match (argument.as_str(), part) {
            ("--quick", _) => effort = Effort::Quick,
            (_, Some(part)) => chosen.push(part),
            _ => {
                let names = PARTS.map(|(name, _)| name).join("] [");
                eprintln!("usage: simulate [--quick] [{names}]");
                return ExitCode::from(2);
            }
        }
    }
    if chosen.is_empty() {
        chosen.extend(&PARTS);
    }
    for (_, run) in chosen {
        run(effort);
    }
    ExitCode::SUCCESS
}

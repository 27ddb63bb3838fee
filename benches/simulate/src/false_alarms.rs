//! How often equal colors are rolled back.

use crate::guards::{BySequential, ByWindow, Contender};
use crate::parallel;
use crate::traffic::{Scenario, Traffic};
use crate::users::Users;
use bluegreen::PerColor;

const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;

/// Requests a second, but where it says otherwise.
const RATE: f64 = 5.0;
const YEARS: u64 = 10;
/// Each job simulates so many days.
const DAYS: u64 = 73;

/// What equal colors may go through.
pub fn scenarios() -> Vec<Scenario> {
    let equal = |rate: f64| PerColor { blue: rate, green: rate };
    vec![
        Scenario::steady("steady traffic", RATE),
        Scenario {
            rate: Box::new(|second| {
                let hour = (second / 60) as f64 / 60.0;
                // From a tenth to all and back.
                let height = 0.55 - 0.45 * (hour * std::f64::consts::TAU / 24.0).cos();
                RATE * height / 0.55
            }),
            ..Scenario::steady("day and night, 10 : 1", RATE)
        },
        Scenario {
            errors: Box::new(move |second| {
                equal(if second % DAY_S >= DAY_S - 600 { 0.5 } else { 0.01 })
            }),
            ..Scenario::steady("both fail at 50 % for 10 minutes a day", RATE)
        },
        Scenario {
            weight: Box::new(|second| [0.05, 0.5, 0.2, 0.8][(second / HOUR_S) as usize % 4]),
            late_ms: 15_000,
            ..Scenario::steady("weights moved hourly, failures 15 s late", RATE)
        },
        Scenario {
            users: Some(Users::new(30, 3, 100.0, 0, 1)),
            ..Scenario::steady("30 users, activity 1 : 100", RATE)
        },
        Scenario {
            users: Some(Users::new(30, 3, 100.0, 300, 1)),
            ..Scenario::steady("the same, in sessions", RATE)
        },
        Scenario {
            users: Some(Users::new(1_000, 100, 100.0, 0, 1)),
            looping: Box::new(|second| if second % DAY_S < HOUR_S { 2.0 } else { 0.0 }),
            ..Scenario::steady("one of 1,000 users in a retry loop", RATE)
        },
    ]
}

pub fn run(years: u64) {
    let scenarios = scenarios();
    let jobs: Vec<_> = (0..scenarios.len())
        .flat_map(|scenario| (0..years * 365 / DAYS).map(move |seed| (scenario, seed)))
        .collect();
    let counts = parallel::map("false alarms", &jobs, |&(scenario, seed)| {
        count(&scenarios[scenario], || BySequential::new(30), seed, DAYS)
    });
    for (index, scenario) in scenarios.iter().enumerate() {
        let of = jobs.iter().zip(&counts).filter(|(job, _)| job.0 == index);
        println!("{:<50} {}", scenario.name, of.map(|it| it.1).sum::<u64>());
    }
    let _ = ByWindow::naive();
}

/// How often a guard rolls back. It begins anew each time.
fn count<G: Contender>(scenario: &Scenario, begin: impl Fn() -> G, seed: u64, days: u64) -> u64 {
    let mut traffic = Traffic::new(scenario, seed);
    let mut guard = begin();
    let mut count = 0;
    for _ in 0..days * DAY_S {
        traffic.advance(|tick| {
            if guard.learn(tick) {
                count += 1;
                guard = begin();
            }
        });
    }
    count
}

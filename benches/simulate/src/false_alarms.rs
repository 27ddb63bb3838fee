//! How often equal colors are rolled back.

use crate::Effort;
use crate::guards::{BySequential, ByWindow, Contender};
use crate::parallel;
use crate::traffic::{Scenario, Traffic};
use crate::users::Users;
use bluegreen::PerColor;

const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;

/// Requests a second: few, so that ten years can be simulated.
const RATE: f64 = 5.0;
/// Each job simulates so many days.
const DAYS: u64 = 73;

/// Requests a second for the guards by a window, which judge nothing at fewer.
const WINDOW_RATE: f64 = 50.0;
const WINDOW_DAYS: u64 = 30;

/// Who watches, and with which promise: one false alarm in 30 days where there is one.
#[derive(Clone, Copy)]
enum Watcher {
    Naive,
    Limits,
    Sequential,
}

/// What equal colors may go through.
fn scenarios(rate: f64) -> Vec<Scenario> {
    let equal = |errors: f64| PerColor {
        blue: errors,
        green: errors,
    };
    vec![
        Scenario::steady("steady traffic", rate),
        Scenario {
            rate: Box::new(move |second| {
                let hour = (second / 60) as f64 / 60.0;
                // From a tenth to all and back.
                let height = 0.55 - 0.45 * (hour * std::f64::consts::TAU / 24.0).cos();
                rate * height / 0.55
            }),
            ..Scenario::steady("day and night, 10 : 1", rate)
        },
        Scenario {
            errors: Box::new(move |second| {
                equal(if second % DAY_S >= DAY_S - 600 {
                    0.5
                } else {
                    0.01
                })
            }),
            ..Scenario::steady("both fail at 50 % for 10 minutes a day", rate)
        },
        Scenario {
            weight: Box::new(|second| [0.05, 0.5, 0.2, 0.8][(second / HOUR_S) as usize % 4]),
            late_ms: 15_000,
            ..Scenario::steady("weights moved hourly, failures 15 s late", rate)
        },
        Scenario {
            users: Some(Users::new(30, 3, 100.0, 0, 1)),
            ..Scenario::steady("30 users, activity 1 : 100", rate)
        },
        Scenario {
            users: Some(Users::new(30, 3, 100.0, 300, 1)),
            ..Scenario::steady("the same, in sessions", rate)
        },
        Scenario {
            users: Some(Users::new(1_000, 100, 100.0, 0, 1)),
            looping: Box::new(|second| if second % DAY_S < HOUR_S { 2.0 } else { 0.0 }),
            ..Scenario::steady("a user of 1,000 in a retry loop, each day another", rate)
        },
        Scenario {
            users: Some(Users::new(1_000, 100, 100.0, 0, 1)),
            flooding: Box::new(move |second| {
                if second % DAY_S < HOUR_S {
                    10.0 * rate
                } else {
                    0.0
                }
            }),
            ..Scenario::steady("a stable user floods with good requests", rate)
        },
    ]
}

pub fn run(effort: Effort) {
    let (jobs_each, window_days) = match effort {
        Effort::Full => (10 * 365 / DAYS, WINDOW_DAYS),
        Effort::Quick => (2, 1),
    };
    let (few, many) = (scenarios(RATE), scenarios(WINDOW_RATE));
    let mut jobs = Vec::new();
    for scenario in 0..few.len() {
        let sequential = (0..jobs_each).map(|seed| (scenario, Watcher::Sequential, seed));
        let by_window = (0..window_days).flat_map(|seed| {
            [Watcher::Naive, Watcher::Limits].map(|watcher| (scenario, watcher, seed))
        });
        jobs.extend(sequential.chain(by_window));
    }
    let counts = parallel::map(
        "false alarms",
        &jobs,
        |&(index, watcher, seed)| match watcher {
            Watcher::Naive => count(&many[index], ByWindow::naive, seed, 1),
            Watcher::Limits => count(&many[index], ByWindow::limits, seed, 1),
            Watcher::Sequential => count(&few[index], || BySequential::new(30), seed, DAYS),
        },
    );

    let days = jobs_each * DAYS;
    let allowed = days.div_ceil(30);
    println!(
        "\nFalse rollbacks of equal colors at 1 % errors, canary at 10 %. Sequential: false_alarm_every 30d, tolerance 0,"
    );
    println!(
        "{RATE} requests/s, {days} days, so {allowed} are allowed. The others: {WINDOW_RATE} requests/s, {window_days} days.\n"
    );
    println!("| traffic | bare rates | limits | sequential | allowed |");
    println!("|---|--:|--:|--:|--:|");
    for (index, scenario) in few.iter().enumerate() {
        let mut sums = [0; 3];
        for ((job, watcher, _), count) in jobs.iter().zip(&counts) {
            if *job == index {
                sums[*watcher as usize] += count;
            }
        }
        let [naive, limits, sequential] = sums;
        let name = scenario.name;
        println!("| {name} | {naive} | {limits} | {sequential} | {allowed} |");
    }
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

//! How long it takes until a broken canary is rolled back.

use crate::Effort;
use crate::guards::{BySequential, ByWindow, Contender};
use crate::parallel;
use crate::plot::{self, Line};
use crate::traffic::{Scenario, Traffic};
use crate::users::Users;
use bluegreen::PerColor;

/// The canary's errors in percent, the goal in seconds, and for how long to look.
const LEVELS: [(f64, u64, u64); 7] = [
    (100.0, 2, 300),
    (50.0, 5, 300),
    (20.0, 15, 600),
    (10.0, 40, 1_200),
    (5.0, 125, 3_600),
    (3.0, 330, 3_600),
    (2.0, 1_020, 7_200),
];

const RATE: f64 = 50.0;

/// Who watches, and whether there is a key of 10,000 users whose activity differs 1 : 100.
#[derive(Clone, Copy)]
enum Watcher {
    Naive,
    Limits,
    Sequential,
    SequentialWithKey,
}

const WATCHERS: [(Watcher, &str); 4] = [
    (Watcher::Naive, "bare rates"),
    (Watcher::Limits, "limits"),
    (Watcher::Sequential, "sequential, no key"),
    (Watcher::SequentialWithKey, "sequential, with a key"),
];

/// When trouble begins, how long to look from then on, and the draws.
#[derive(Clone, Copy)]
pub struct Run {
    pub trouble_s: u64,
    pub limit_s: u64,
    pub seed: u64,
}

pub fn run(effort: Effort) {
    let runs = match effort {
        Effort::Full => 400,
        Effort::Quick => 40,
    };
    let levels = LEVELS
        .iter()
        .flat_map(|level| WATCHERS.map(|(watcher, _)| (*level, watcher)));
    let jobs: Vec<_> = levels
        .flat_map(|(level, watcher)| (0..runs).map(move |seed| (level, watcher, seed)))
        .collect();
    let times = parallel::map("detection", &jobs, |&(level, watcher, seed)| {
        time(level, watcher, seed)
    });
    let medians: Vec<f64> = times.chunks(runs as usize).map(median).collect();

    println!(
        "\nMedian seconds to a rollback of {runs} runs: {RATE} requests/s, canary at 10 %, stable at 1 % errors,"
    );
    println!("tolerance 0, false_alarm_every 365d; - is not in the time that was looked at\n");
    let names = WATCHERS.map(|(_, name)| name).join(" | ");
    println!("| canary's errors | looked at, s | goal, s | {names} |");
    println!("|--:|--:|--:|--:|--:|--:|--:|");
    for ((errors, goal, limit_s), medians) in LEVELS.iter().zip(medians.chunks(WATCHERS.len())) {
        let cells: Vec<String> = medians.iter().map(|&it| seconds(it)).collect();
        println!(
            "| {errors} % | {limit_s} | {goal} | {} |",
            cells.join(" | ")
        );
    }
    if effort == Effort::Full {
        let lines: Vec<Line> = WATCHERS
            .iter()
            .enumerate()
            .map(|(place, (_, name))| Line {
                name,
                points: points(&medians, place),
            })
            .collect();
        plot::detection(&lines);
    }
}

fn time((errors, _, limit_s): (f64, u64, u64), watcher: Watcher, seed: u64) -> f64 {
    // A window of 30 s knows nothing of what came before.
    let trouble_s = match watcher {
        Watcher::Naive | Watcher::Limits => 60,
        Watcher::Sequential | Watcher::SequentialWithKey => 3_600,
    };
    let has_key = matches!(watcher, Watcher::SequentialWithKey);
    let scenario = Scenario {
        errors: Box::new(move |second| PerColor {
            blue: 0.01,
            green: if second < trouble_s {
                0.01
            } else {
                errors / 100.0
            },
        }),
        users: has_key.then(|| Users::new(10_000, 1_000, 100.0, 0, seed)),
        ..Scenario::steady("", RATE)
    };
    let run = Run {
        trouble_s,
        limit_s,
        seed,
    };
    match watcher {
        Watcher::Naive => time_to_alarm(&scenario, ByWindow::naive(), run),
        Watcher::Limits => time_to_alarm(&scenario, ByWindow::limits(), run),
        _ => time_to_alarm(&scenario, BySequential::new(365), run),
    }
}

/// Seconds from the begin of the trouble.
pub fn time_to_alarm(scenario: &Scenario, mut guard: impl Contender, run: Run) -> f64 {
    let mut traffic = Traffic::new(scenario, run.seed);
    let mut at_ms = None;
    for second in 0..run.trouble_s + run.limit_s {
        traffic.advance(|tick| {
            let is_over = guard.learn(tick);
            if is_over && second >= run.trouble_s {
                at_ms = at_ms.or(Some(tick.now_ms));
            }
        });
        if let Some(at_ms) = at_ms {
            return (at_ms - run.trouble_s * 1_000) as f64 / 1_000.0;
        }
    }
    f64::INFINITY
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn seconds(time: f64) -> String {
    if time.is_infinite() {
        "-".to_owned()
    } else if time < 100.0 {
        format!("{time:.1}")
    } else {
        format!("{time:.0}")
    }
}

/// What was found by one of the watchers.
fn points(medians: &[f64], place: usize) -> Vec<(f64, f64)> {
    let errors = LEVELS.iter().map(|level| level.0);
    let medians = medians.iter().skip(place).step_by(WATCHERS.len());
    errors
        .zip(medians.copied())
        .filter(|(_, median)| median.is_finite())
        .collect()
}

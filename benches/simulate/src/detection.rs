//! How long it takes until a broken canary is rolled back.

use crate::guards::{BySequential, ByWindow, Contender};
use crate::parallel;
use crate::traffic::{Scenario, Traffic};
use crate::users::Users;
use bluegreen::PerColor;

const WARM_UP_S: u64 = 3_600;
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

pub fn run(runs: u64) {
    let mut jobs = Vec::new();
    for level in LEVELS {
        for keyed in [false, true] {
            for seed in 0..runs {
                jobs.push((level, keyed, seed));
            }
        }
    }
    let times = parallel::map("detection", &jobs, |&((errors, _, limit_s), keyed, seed)| {
        let scenario = Scenario {
            errors: Box::new(move |second| PerColor {
                blue: 0.01,
                green: if second < WARM_UP_S { 0.01 } else { errors / 100.0 },
            }),
            users: keyed.then(|| Users::new(10_000, 1_000, 100.0, 0, seed)),
            ..Scenario::steady("", 50.0)
        };
        time_to_alarm(&scenario, BySequential::new(365), seed, limit_s)
    });
    for (place, (errors, goal, _)) in LEVELS.iter().enumerate() {
        let runs = runs as usize;
        let of = |keyed: usize| {
            let begin = (place * 2 + keyed) * runs;
            let mut times = times[begin..begin + runs].to_vec();
            times.sort_by(f64::total_cmp);
            times[runs / 2]
        };
        println!("{errors:>5} %  goal {goal:>5}  no key {:>7.1}  key {:>7.1}", of(0), of(1));
    }
    let _ = ByWindow::naive();
}

fn time_to_alarm(
    scenario: &Scenario,
    mut guard: impl Contender,
    seed: u64,
    limit_s: u64,
) -> f64 {
    let mut traffic = Traffic::new(scenario, seed);
    let mut at_ms = None;
    for second in 0..WARM_UP_S + limit_s {
        traffic.advance(|tick| {
            if at_ms.is_none() && guard.learn(tick) && second >= WARM_UP_S {
                at_ms = Some(tick.now_ms);
            }
        });
        if let Some(at_ms) = at_ms {
            return (at_ms - WARM_UP_S * 1_000) as f64 / 1_000.0;
        }
    }
    f64::INFINITY
}

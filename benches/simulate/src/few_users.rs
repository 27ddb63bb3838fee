//! A few users, of whom some are broken.

use crate::Effort;
use crate::detection::{self, Run};
use crate::guards::BySequential;
use crate::parallel;
use crate::traffic::{CANARY, Scenario};
use crate::users::Users;
use bluegreen::PerColor;

const RATE: f64 = 50.0;
const DAY_S: u64 = 86_400;

pub fn run(effort: Effort) {
    let (runs, days) = match effort {
        Effort::Full => (400, 100),
        Effort::Quick => (50, 4),
    };
    println!(
        "\n30 users, 3 of them on the canary; {RATE} requests/s, false_alarm_every 365d, tolerance 0\n"
    );
    println!(
        "| who fails every request | activity | runs | rolled back | within 60 s | median s | slowest s |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|");
    for (spread, name) in [(1.0, "equal"), (100.0, "1 : 100")] {
        let seeds: Vec<u64> = (0..runs).collect();
        let times = parallel::map("three of 30 users", &seeds, |&seed| {
            let scenario = three_broken(spread, seed);
            let run = Run {
                trouble_s: 600,
                limit_s: 600,
                seed,
            };
            detection::time_to_alarm(&scenario, BySequential::new(365), run)
        });
        print_row("all three", name, times);
        let seeds: Vec<u64> = (0..days).collect();
        let times = parallel::map("one of 30 users", &seeds, |&seed| {
            let scenario = one_broken(spread, seed);
            let run = Run {
                trouble_s: 600,
                limit_s: DAY_S - 600,
                seed,
            };
            detection::time_to_alarm(&scenario, BySequential::new(365), run)
        });
        print_row("one of the three, for a day", name, times);
    }
}

fn three_broken(spread: f64, seed: u64) -> Scenario {
    Scenario {
        errors: Box::new(|second| PerColor {
            blue: 0.01,
            green: if second < 600 { 0.01 } else { 1.0 },
        }),
        users: Some(Users::new(30, 3, spread, 0, seed)),
        ..Scenario::steady("", RATE)
    }
}

fn one_broken(spread: f64, seed: u64) -> Scenario {
    let users = Users::new(30, 3, spread, 0, seed);
    let rate = RATE * users.share(CANARY) / 3.0;
    Scenario {
        looping: Box::new(move |second| if second < 600 { 0.0 } else { rate }),
        users: Some(users),
        ..Scenario::steady("", RATE)
    }
}

fn print_row(who: &str, activity: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let found = times.iter().filter(|it| it.is_finite()).count();
    let soon = times.iter().filter(|it| **it <= 60.0).count();
    let [median, slowest] = [times.len() / 2, times.len() - 1].map(|it| match times[it] {
        time if time.is_finite() => format!("{time:.1}"),
        _ => "-".to_owned(),
    });
    let runs = times.len();
    println!("| {who} | {activity} | {runs} | {found} | {soon} | {median} | {slowest} |");
}

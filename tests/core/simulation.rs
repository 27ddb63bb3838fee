//! The guard over many hours: how often it trips for nothing, and how soon it trips for a reason.
//!
//! Run with `--nocapture` to see the figures.

use crate::support::percent;
use bluegreen::{Analysis, Color, Counts, Guard, Limits, PerColor, Window};
use std::ops::AddAssign;

/// Four looks a second.
const TICK_MS: u64 = 250;
const HOUR_MS: u64 = 3_600_000;

/// Two colors whose requests fail independently of each other at fixed rates.
struct Traffic {
    rng: fastrand::Rng,
    totals: PerColor<Counts>,
    error_rates: PerColor<f64>,
}

/// What one guard saw of it.
#[derive(Debug, Default, PartialEq)]
struct Trips {
    naive: u32,
    guard: u32,
}

impl Traffic {
    fn new(seed: u64, error_rates: PerColor<f64>) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(seed),
            totals: PerColor::default(),
            error_rates,
        }
    }

    fn serve(&mut self, color: Color, requests: u64) {
        let failed = binomial(&mut self.rng, requests, *self.error_rates.of(color));
        let totals = self.totals.of_mut(color);
        totals.requests.add_assign(requests);
        totals.failed.add_assign(failed);
    }
}

/// How many of `n` fail: jumps from one failure to the next, since most requests are good.
fn binomial(rng: &mut fastrand::Rng, n: u64, rate: f64) -> u64 {
    if rate <= 0.0 || rate >= 1.0 {
        return if rate >= 1.0 { n } else { 0 };
    }
    let (mut failed, mut at) = (0, 0.0);
    loop {
        at += 1.0 + ((1.0 - rng.f64()).ln() / (1.0 - rate).ln()).floor();
        if at > n as f64 {
            return failed;
        }
        failed += 1;
    }
}

fn guard(min_requests: u64, max_over_stable: &str) -> Guard {
    Guard {
        window_ms: 30_000,
        min_requests,
        error_rate: Limits {
            max: None,
            max_over_stable: Some(percent(max_over_stable)),
        },
        slow_rate: Limits::default(),
        slow_after: None,
        per_user: false,
        sequential: None,
        count_retries: true,
    }
}

/// The same limit held against the bare difference of the rates.
fn naive(guard: &Guard, within: &PerColor<Counts>) -> bool {
    let rate = |tally: Counts| tally.failed as f64 / tally.requests as f64;
    let limit = f64::from(guard.error_rate.max_over_stable.unwrap().millipercent()) / 1e5;
    within.blue.requests.min(within.green.requests) >= guard.min_requests
        && rate(within.green) - rate(within.blue) > limit
}

fn trips(guard: &Guard, within: &PerColor<Counts>) -> bool {
    matches!(guard.judge(Color::Blue, within), Analysis::Failed(_))
}

/// 25 requests a second on each color, so that a window of 30 s holds 750. After a trip either judge
/// begins with a new window, as an operator would by a new configuration.
fn trips_in(hours: u64, seed: u64, error_rates: PerColor<f64>) -> Trips {
    let guard = guard(500, "2");
    let mut traffic = Traffic::new(seed, error_rates);
    let mut windows = [Window::default(), Window::default()];
    let mut found = Trips::default();
    for tick in 0..hours * HOUR_MS / TICK_MS {
        for color in Color::ALL {
            traffic.serve(color, if tick % 4 == 0 { 7 } else { 6 });
        }
        let now_ms = tick * TICK_MS;
        let [naive_window, guard_window] = &mut windows;
        if naive(
            &guard,
            &naive_window.slide(guard.window_ms, now_ms, traffic.totals),
        ) {
            found.naive += 1;
            *naive_window = Window::default();
        }
        if trips(
            &guard,
            &guard_window.slide(guard.window_ms, now_ms, traffic.totals),
        ) {
            found.guard += 1;
            *guard_window = Window::default();
        }
    }
    found
}

/// The requests on green until the guard trips, one for each request on blue; none where it does not
/// trip within 100,000.
fn requests_until_trip(guard: &Guard, seed: u64, error_rates: PerColor<f64>) -> Option<u64> {
    let mut traffic = Traffic::new(seed, error_rates);
    let mut window = Window::default();
    window.slide(guard.window_ms, 0, traffic.totals);
    (1..=100_000).find(|&request| {
        for color in Color::ALL {
            traffic.serve(color, 1);
        }
        let within = window.slide(guard.window_ms, request * 1_000 / 25, traffic.totals);
        trips(guard, &within)
    })
}

fn median(mut found: Vec<u64>) -> u64 {
    found.sort_unstable();
    found[found.len() / 2]
}

/// Over 100 seeds of 200 hours each, by `SEEDS=100 cargo test --release --test core equal_colors -- --nocapture`,
/// naive rates trip 1,001 times and the guard never.
#[test]
fn equal_colors_do_not_trip_whatever_the_seed() {
    const HOURS: u64 = 200;
    let seeds = std::env::var("SEEDS").map_or(4, |seeds| seeds.parse().unwrap());
    let rates = PerColor {
        blue: 0.01,
        green: 0.01,
    };
    let runs: Vec<Trips> = (0..seeds)
        .map(|seed| trips_in(HOURS, seed, rates))
        .collect();
    let naive: u32 = runs.iter().map(|run| run.naive).sum();
    let guard: u32 = runs.iter().map(|run| run.guard).sum();
    println!(
        "{seeds} seeds of {HOURS} h of equal colors at 1 % errors: naive rates trip {naive} times, the guard {guard}"
    );
    assert!(
        runs.iter().all(|run| run.naive > 1),
        "the simulation must be one in which naive rates fail: {runs:?}"
    );
    assert_eq!(guard, 0);
}

#[test]
fn color_that_is_five_points_worse_trips_within_a_minute() {
    let guard = guard(500, "2");
    let rates = PerColor {
        blue: 0.01,
        green: 0.06,
    };
    let found: Option<Vec<u64>> = (0..101)
        .map(|seed| requests_until_trip(&guard, seed, rates))
        .collect();
    let found = found.expect("the guard trips in every run");
    let (least, most) = (*found.iter().min().unwrap(), *found.iter().max().unwrap());
    let median = median(found);
    println!(
        "green at 6 %, blue at 1 %, limit 2: trips after {median} requests on green (median), {most} (most of 101)"
    );
    assert_eq!(least, guard.min_requests);
    assert!((550..800).contains(&median), "{median}");
}

#[test]
fn color_that_fails_all_trips_with_the_first_request_that_may_be_judged() {
    for max_over_stable in ["2", "10", "50"] {
        let guard = guard(20, max_over_stable);
        let found = requests_until_trip(
            &guard,
            1,
            PerColor {
                blue: 0.0,
                green: 1.0,
            },
        );
        assert_eq!(found, Some(20), "limit {max_over_stable}");
    }
}

//! The sequential guard over days: what it must find, and what it must not take for trouble. `make simulate` does the
//! same at length.

use crate::support::percent;
use bluegreen::analysis::incident::{Incident, IncidentKind};
use bluegreen::analysis::sequential::{Sequential, Tolerance};
use bluegreen::analysis::sequential_guard::SequentialGuard;
use bluegreen::{Bucket, Color, PerColor};
use std::collections::VecDeque;

const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;
const CANARY: Color = Color::Green;

/// A leader's guard and what it is told, second by second. Blue is stable.
struct Simulation {
    guard: SequentialGuard,
    promise_s: u64,
    tolerance: &'static str,
    rng: fastrand::Rng,
    second: u64,
    pending: VecDeque<(u64, Incident)>,
    late_s: u64,
    rollbacks: u64,
}

/// Requests of one second: of each color, so many of which so large a share fails, all of one user or without a key.
type Requests = [(Color, u64, f64, Option<Bucket>)];

impl Simulation {
    fn new(promise_s: u64, seed: u64) -> Self {
        let mut simulation = Self {
            guard: guard(promise_s, "0", 1_000),
            promise_s,
            tolerance: "0",
            rng: fastrand::Rng::with_seed(seed),
            second: 1_000,
            pending: VecDeque::new(),
            late_s: 0,
            rollbacks: 0,
        };
        simulation.guard.begin_weights(1_000, percent("10"));
        simulation
    }

    fn with_tolerance(mut self, tolerance: &'static str) -> Self {
        self.tolerance = tolerance;
        self.guard = guard(self.promise_s, tolerance, self.second);
        self.guard.begin_weights(self.second, percent("10"));
        self
    }

    /// One second, at whose end all is known but what is late.
    fn pass(&mut self, requests: &Requests) {
        for &(color, count, errors, user) in requests {
            if count > 0 {
                self.guard.add_starts(self.second, color, count as i64);
            }
            let failed = (0..count).filter(|_| self.rng.f64() < errors).count() as u32;
            if failed > 0 {
                let incident = incident(self.second, color, user, failed);
                self.pending
                    .push_back((self.second + self.late_s, incident));
            }
        }
        let mut known = Vec::new();
        while self.pending.front().is_some_and(|it| it.0 <= self.second) {
            known.extend(self.pending.pop_front().map(|it| it.1));
        }
        self.second += 1;
        self.guard.observe(self.second * 1_000, &known);
        if self.guard.finding().is_some() {
            self.rollbacks += 1;
            self.guard = guard(self.promise_s, self.tolerance, self.second);
        }
    }

    /// Requests of both colors without a key, a share of them on the canary, at these error rates.
    fn pass_mixed(&mut self, count: u64, share: f64, errors: PerColor<f64>) {
        let canary = (0..count).filter(|_| self.rng.f64() < share).count() as u64;
        self.pass(&[
            (Color::Blue, count - canary, errors.blue, None),
            (Color::Green, canary, errors.green, None),
        ]);
    }

    /// Seconds until a rollback, where it comes within so many.
    fn seconds_to_rollback(
        &mut self,
        limit_s: u64,
        mut pass: impl FnMut(&mut Self),
    ) -> Option<u64> {
        (1..=limit_s).find(|_| {
            pass(self);
            self.rollbacks > 0
        })
    }
}

fn guard(promise_s: u64, tolerance: &str, begins_s: u64) -> SequentialGuard {
    let sequential = Sequential {
        tolerance: Tolerance::parse(tolerance).unwrap(),
        false_alarm_every_ms: promise_s * 1_000,
    };
    SequentialGuard::new(&sequential, CANARY.other(), false, begins_s * 1_000)
}

fn incident(began_s: u64, color: Color, user: Option<Bucket>, count: u32) -> Incident {
    Incident {
        kind: IncidentKind::Failed,
        began_s,
        color,
        user,
        count,
    }
}

/// Users by number. All of them differ.
fn user(number: u64) -> Option<Bucket> {
    Some(Bucket::from_hash(number << 48))
}

const fn equal(errors: f64) -> PerColor<f64> {
    PerColor {
        blue: errors,
        green: errors,
    }
}

/// With one false rollback in an hour promised, over three days.
#[track_caller]
fn assert_promise_is_kept(mut pass: impl FnMut(&mut Simulation, u64)) {
    let mut simulation = Simulation::new(HOUR_S, 1);
    for second in 0..3 * DAY_S {
        pass(&mut simulation, second);
    }
    assert!(simulation.rollbacks <= 3 * 24, "{}", simulation.rollbacks);
}

#[test]
fn equal_colors_are_rolled_back_no_more_often_than_promised() {
    assert_promise_is_kept(|it, _| it.pass_mixed(5, 0.1, equal(0.05)));
}

#[test]
fn an_outage_of_both_colors_does_not_break_the_promise() {
    assert_promise_is_kept(|it, second| {
        let is_outage = second % HOUR_S < 300;
        it.pass_mixed(5, 0.1, equal(if is_outage { 0.7 } else { 0.01 }));
    });
}

#[test]
fn weights_that_move_while_failures_come_late_do_not_break_the_promise() {
    assert_promise_is_kept(|it, second| {
        it.late_s = 15;
        let (share, weight) =
            [(0.05, "5"), (0.5, "50"), (0.1, "10"), (0.8, "80")][(second / 60) as usize % 4];
        if second % 60 == 0 {
            it.guard.begin_weights(it.second, percent(weight));
        }
        it.pass_mixed(5, share, equal(0.05));
    });
}

#[test]
fn a_canary_within_the_tolerance_is_rolled_back_no_more_often_than_promised() {
    let mut simulation = Simulation::new(HOUR_S, 1).with_tolerance("100");
    let errors = PerColor {
        blue: 0.02,
        green: 0.04,
    };
    for _ in 0..3 * DAY_S {
        simulation.pass_mixed(5, 0.1, errors);
    }
    assert!(simulation.rollbacks <= 3 * 24, "{}", simulation.rollbacks);
}

#[test]
fn a_broken_canary_is_found_by_the_measure_of_its_errors() {
    for (errors, limit_s) in [(1.0, 4), (0.5, 9), (0.2, 25), (0.1, 60), (0.05, 200)] {
        let mut times = Vec::new();
        for seed in 0..21 {
            let mut simulation = Simulation::new(365 * DAY_S, seed);
            for _ in 0..300 {
                simulation.pass_mixed(50, 0.1, equal(0.01));
            }
            let broken = PerColor {
                blue: 0.01,
                green: errors,
            };
            let time = simulation.seconds_to_rollback(3_600, |it| it.pass_mixed(50, 0.1, broken));
            times.push(time.unwrap());
        }
        times.sort_unstable();
        assert!(times[10] <= limit_s, "{errors}: {times:?}");
    }
}

#[test]
fn a_canary_that_fails_late_is_found_once_it_fails() {
    let mut simulation = Simulation::new(365 * DAY_S, 1);
    simulation.late_s = 15;
    let broken = PerColor {
        blue: 0.01,
        green: 1.0,
    };
    let time = simulation.seconds_to_rollback(60, |it| it.pass_mixed(50, 0.1, broken));
    assert!(time.is_some_and(|it| (15..=20).contains(&it)), "{time:?}");
}

/// 27 stable and 3 canary users, one request each a second; so many of the canary's fail every request.
fn pass_thirty_users(simulation: &mut Simulation, broken: u64) {
    let requests: Vec<_> = (0..30)
        .map(|number| {
            let color = if number < 3 { CANARY } else { CANARY.other() };
            let errors = if number < broken { 1.0 } else { 0.01 };
            (color, 1, errors, user(number))
        })
        .collect();
    simulation.pass(&requests);
}

#[test]
fn three_broken_users_of_thirty_roll_back() {
    let mut simulation = Simulation::new(365 * DAY_S, 1);
    let time = simulation.seconds_to_rollback(600, |it| pass_thirty_users(it, 3));
    assert!(time.is_some_and(|it| it <= 60), "{time:?}");
}

#[test]
fn one_broken_user_of_thirty_never_rolls_back() {
    let mut simulation = Simulation::new(365 * DAY_S, 1);
    let time = simulation.seconds_to_rollback(DAY_S / 12, |it| pass_thirty_users(it, 1));
    assert_eq!(time, None);
}

#[test]
fn users_who_are_broken_one_after_the_other_do_not_roll_back() {
    let mut simulation = Simulation::new(365 * DAY_S, 1);
    for looping in 0..8 {
        let time = simulation.seconds_to_rollback(HOUR_S, |it| {
            let is_looping = it.second % HOUR_S < HOUR_S / 4;
            let retries = if is_looping { 2 } else { 0 };
            it.pass(&[
                (Color::Blue, 45, 0.01, user(100 + it.second % 500)),
                (Color::Green, 5, 0.01, user(1_000 + it.second % 50)),
                (Color::Green, retries, 1.0, user(2_000 + looping)),
            ]);
        });
        assert_eq!(time, None, "{looping}");
    }
}

#[test]
fn a_stable_user_who_floods_with_good_requests_does_not_roll_back() {
    let mut simulation = Simulation::new(DAY_S, 1);
    let time = simulation.seconds_to_rollback(2 * HOUR_S, |it| {
        it.pass(&[
            (Color::Blue, 45, 0.01, user(it.second % 500)),
            (Color::Blue, 450, 0.0, user(600)),
            (Color::Green, 5, 0.01, user(1_000 + it.second % 50)),
        ]);
    });
    assert_eq!(time, None);
}

#[test]
fn a_canary_with_nobody_to_compare_with_is_not_judged() {
    for weight in ["100", "99", "10"] {
        let mut simulation = Simulation::new(HOUR_S, 1);
        simulation
            .guard
            .begin_weights(simulation.second, percent(weight));
        // Time alone is evidence at the end of the promise.
        let time = simulation.seconds_to_rollback(HOUR_S - 1, |it| {
            it.pass(&[(Color::Green, 20, 1.0, None)]);
        });
        assert_eq!(time, None, "{weight}");
    }
}

#[test]
fn a_stable_color_that_fails_is_no_evidence() {
    let mut simulation = Simulation::new(HOUR_S, 1);
    for _ in 0..HOUR_S {
        simulation.pass(&[(Color::Blue, 20, 1.0, None)]);
        assert_eq!(simulation.guard.evidence().errors_percent, 0);
    }
}

#[test]
fn a_clock_that_jumps_is_no_evidence() {
    let mut guard = guard(HOUR_S, "0", 1_000);
    guard.begin_weights(1_000, percent("10"));
    for now_s in [1_000, 9_000_000, 0, u64::MAX / 1_000, 1_000] {
        guard.add_starts(now_s, Color::Blue, 90);
        guard.add_starts(now_s, Color::Green, 10);
        guard.observe(now_s * 1_000, &[incident(now_s, CANARY, None, 1)]);
        guard.observe(now_s * 1_000, &[incident(now_s, CANARY.other(), None, 9)]);
        assert_eq!(guard.finding(), None, "{now_s}");
    }
}

#[test]
fn failures_at_the_very_beginning_are_no_evidence() {
    let mut guard = guard(HOUR_S, "0", 1_000);
    guard.add_starts(1_000, Color::Blue, 9_000);
    guard.add_starts(1_000, Color::Green, 1_000);
    guard.observe(1_000_000, &[incident(1_000, CANARY, None, 1_000)]);
    assert_eq!(guard.finding(), None);
    guard.observe(1_000_200, &[incident(1_000, CANARY, None, 1_000)]);
    assert!(guard.finding().is_some());
}

#[test]
fn failures_of_unknown_times_are_not_judged() {
    let mut guard = guard(HOUR_S, "0", 1_000);
    guard.observe(1_000_000, &[incident(1_000, CANARY, None, 1_000)]);
    for second in 1_000..3_000 {
        guard.add_starts(second, Color::Blue, 9);
        guard.add_starts(second, Color::Green, 1);
    }
    guard.observe(3_000_000, &[incident(1_000, CANARY, None, 1_000)]);
    assert_eq!(guard.evidence().errors_percent, 0);
    guard.observe(3_001_000, &[incident(2_900, CANARY, None, 1_000)]);
    assert!(guard.finding().is_some());
}

#[test]
fn what_goes_wrong_before_the_first_look_counts() {
    let mut guard = guard(365 * 86_400, "0", 0);
    guard.add_starts(0, Color::Blue, 150);
    guard.add_starts(0, Color::Green, 150);
    let incidents: Vec<_> = (0..150)
        .map(|it| incident(0, CANARY, user(it), 1))
        .collect();
    guard.observe(200, &incidents);
    assert!(guard.finding().is_some());
}

#[test]
fn two_tests_share_the_promise() {
    let sequential = Sequential {
        tolerance: Tolerance::parse("0").unwrap(),
        false_alarm_every_ms: 60_000,
    };
    let [alone, beside_slow] = [false, true].map(|compares_slow| {
        let mut guard = SequentialGuard::new(&sequential, Color::Blue, compares_slow, 0);
        guard.add_starts(1, Color::Blue, 90);
        guard.add_starts(1, Color::Green, 10);
        guard.observe(1_000, &[incident(1, CANARY, None, 2)]);
        guard.evidence().errors_percent
    });
    assert!(
        0 < beside_slow && beside_slow < alone,
        "{beside_slow} {alone}"
    );
}

//! Simulated traffic: what a leader learns at each tick.

use crate::random::Poisson;
use crate::users::Users;
use bluegreen::analysis::incident::{Incident, IncidentKind};
use bluegreen::{Color, Counts, PerColor};
use fastrand::Rng;
use std::collections::VecDeque;

/// The leader looks so often.
pub const TICK_MS: u64 = 200;
const TICKS: usize = 5;

/// The color that is watched. Blue is stable.
pub const CANARY: Color = Color::Green;

/// How traffic is at each second.
pub struct Scenario {
    pub name: &'static str,
    /// Requests a second, of which a share goes to the canary.
    pub rate: Box<dyn Fn(u64) -> f64 + Send + Sync>,
    /// The canary's weight, as a share.
    pub weight: Box<dyn Fn(u64) -> f64 + Send + Sync>,
    /// The share of requests that fail.
    pub errors: Box<dyn Fn(u64) -> PerColor<f64> + Send + Sync>,
    /// Failures are known so much later; all else is known at once.
    pub late_ms: u64,
    /// The users, where there is a key.
    pub users: Option<Users>,
    /// A canary user who does nothing but fail: requests a second.
    pub looping: Box<dyn Fn(u64) -> f64 + Send + Sync>,
    /// A stable user all of whose requests go well, beside the others: requests a second.
    pub flooding: Box<dyn Fn(u64) -> f64 + Send + Sync>,
}

/// What a leader learned since the last tick.
#[derive(Debug, Default)]
pub struct Tick {
    pub now_ms: u64,
    /// Requests that began in this second.
    pub second: u64,
    pub starts: PerColor<u32>,
    pub finished: PerColor<Counts>,
    pub incidents: Vec<Incident>,
    /// The canary's weight, where it has changed.
    pub weight: Option<f64>,
}

/// One run of a scenario.
pub struct Traffic<'a> {
    scenario: &'a Scenario,
    users: Option<Users>,
    rng: Rng,
    second: u64,
    weight: Option<f64>,
    good: PerColor<Poisson>,
    bad: PerColor<Poisson>,
    looping: Poisson,
    flooding: Poisson,
    /// Failures that are not known yet, and from when on they are.
    pending: VecDeque<(u64, Incident)>,
}

// === impl Scenario ===

impl Scenario {
    /// Traffic at a steady rate and weight, of which one in a hundred requests fails, without a key.
    pub fn steady(name: &'static str, rate: f64) -> Self {
        Self {
            name,
            rate: Box::new(move |_| rate),
            weight: Box::new(|_| 0.1),
            errors: Box::new(|_| PerColor {
                blue: 0.01,
                green: 0.01,
            }),
            late_ms: 0,
            users: None,
            looping: Box::new(|_| 0.0),
            flooding: Box::new(|_| 0.0),
        }
    }
}

// === impl Traffic ===

impl<'a> Traffic<'a> {
    pub fn new(scenario: &'a Scenario, seed: u64) -> Self {
        Self {
            scenario,
            users: scenario.users.clone(),
            rng: Rng::with_seed(seed),
            second: 0,
            weight: None,
            good: PerColor::default(),
            bad: PerColor::default(),
            looping: Poisson::default(),
            flooding: Poisson::default(),
            pending: VecDeque::new(),
        }
    }

    /// One more second: its ticks, or a single one where nothing went wrong.
    pub fn advance(&mut self, mut learn: impl FnMut(&Tick)) {
        let second = self.second;
        self.second += 1;
        let rng = &mut self.rng;
        if let Some(users) = &mut self.users {
            users.advance(second, rng);
        }
        let weight = (self.scenario.weight)(second);
        let changed = (self.weight != Some(weight)).then_some(weight);
        self.weight = Some(weight);
        let share = self.users.as_ref().map_or(weight, |it| it.share(CANARY));
        let rate = (self.scenario.rate)(second);
        let errors = (self.scenario.errors)(second);
        let rates = PerColor {
            blue: rate * (1.0 - share),
            green: rate * share,
        };
        let mut good = PerColor::<u32>::default();
        let mut bad = PerColor::<u32>::default();
        for color in Color::ALL {
            let (rate, errors) = (rates.of(color), errors.of(color));
            *good.of_mut(color) = self.good.of_mut(color).draw(rate * (1.0 - errors), rng);
            *bad.of_mut(color) = self.bad.of_mut(color).draw(rate * errors, rng);
        }
        good.blue += self.flooding.draw((self.scenario.flooding)(second), rng);
        let looping = self.looping.draw((self.scenario.looping)(second), rng);
        let end_ms = (second + 1) * 1_000;
        let is_quiet = bad.blue + bad.green + looping == 0
            && self
                .pending
                .front()
                .is_none_or(|(at_ms, _)| *at_ms > end_ms);
        if is_quiet {
            learn(&Tick {
                now_ms: end_ms,
                second,
                starts: good,
                finished: PerColor::from_fn(|color| finished(*good.of(color), 0)),
                incidents: Vec::new(),
                weight: changed,
            });
            return;
        }
        let mut ticks: [Tick; TICKS] = Default::default();
        // Weights change in the middle of a second.
        let changes_at = if changed.is_some() && second > 0 {
            2
        } else {
            0
        };
        for (index, tick) in ticks.iter_mut().enumerate() {
            tick.second = second;
            tick.now_ms = second * 1_000 + (index as u64 + 1) * TICK_MS;
            tick.weight = changed.filter(|_| index == changes_at);
        }
        for color in Color::ALL {
            for _ in 0..*good.of(color) {
                let tick = &mut ticks[rng.usize(..TICKS)];
                *tick.starts.of_mut(color) += 1;
                *tick.finished.of_mut(color) = tick.finished.of(color).and(&finished(1, 0));
            }
            let failed = (0..*bad.of(color)).map(|_| false);
            let looped = (0..looping).map(|_| true);
            let looped = looped.take_while(|_| color == CANARY);
            for is_looping in failed.chain(looped) {
                let user = self.users.as_ref().map(|users| match is_looping {
                    true => users.broken(second),
                    false => users.draw(color, rng),
                });
                let index = rng.usize(..TICKS);
                let tick = &mut ticks[index];
                *tick.starts.of_mut(color) += 1;
                let incident = Incident {
                    kind: IncidentKind::Failed,
                    began_s: second,
                    color,
                    user,
                    count: 1,
                };
                let known_ms = tick.now_ms + self.scenario.late_ms;
                self.pending.push_back((known_ms, incident));
            }
        }
        self.pending.make_contiguous().sort_by_key(|it| it.0);
        for tick in &mut ticks {
            while self.pending.front().is_some_and(|it| it.0 <= tick.now_ms) {
                if let Some((_, incident)) = self.pending.pop_front() {
                    let counts = tick.finished.of_mut(incident.color);
                    *counts = counts.and(&finished(1, 1));
                    tick.incidents.push(incident);
                }
            }
            learn(tick);
        }
    }
}

fn finished(requests: u32, failed: u32) -> Counts {
    Counts {
        requests: requests.into(),
        failed: failed.into(),
        ..Counts::default()
    }
}

/// Sums of counts.
trait And {
    fn and(&self, other: &Self) -> Self;
}

impl And for Counts {
    fn and(&self, other: &Self) -> Self {
        let mut sum = *self;
        sum.add(other);
        sum
    }
}

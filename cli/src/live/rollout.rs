//! One rollout in one Envoy: what has changed since the last look, and what is to be shown.

use crate::envoy::in_force::RolloutState;
use crate::envoy::view::{Phase, RampStand};
use crate::live::event::EventKind;
use crate::live::figures::{Figures, percent};
use crate::live::history::{History, Stretch};
use crate::live::judged;
use crate::live::schedule::{self, StepSeen};
use crate::live::scores;
use crate::live::scrape::RolloutScrape;
use crate::live::shadow;
use crate::live::view::{ColorView, FigureView, RolloutView, number};
use bluegreen::{Color, Guard, PerColor, Percent, Rollout};
use std::collections::BTreeMap;

/// A rollout that is looked at again and again.
#[derive(Clone, Debug, Default)]
pub struct LiveRollout {
    history: History,
    last: Option<Last>,
    /// The cause of the rollback, where its counter was seen to rise or no other has.
    cause: Option<String>,
}

/// The last look.
#[derive(Clone, Debug)]
struct Last {
    scrape: RolloutScrape,
    state: RolloutState,
    stable: Color,
    seen: StepSeen,
    trips: BTreeMap<String, f64>,
}

/// When a look was taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    /// By the wall clock, in milliseconds since 1970.
    pub wall_ms: u64,
    /// By a clock that does not step, in milliseconds since anything.
    pub steady_ms: u64,
}

/// How far back requests a second and shares look.
const RATE_MS: u64 = 10_000;

// === impl LiveRollout ===

impl LiveRollout {
    /// Takes a look, and tells what has changed since the last one. `rollout` is its configuration, where that is known.
    pub fn observe(
        &mut self,
        name: &str,
        moment: Moment,
        scrape: &RolloutScrape,
        rollout: Option<&Rollout>,
    ) -> Vec<EventKind> {
        let Some(mut state) = RolloutState::of(&scrape.samples, name) else {
            return Vec::new();
        };
        if rollout.is_some_and(|rollout| rollout.ramp.is_none()) {
            // Of a ramp that was taken out.
            state.step = None;
        }
        let before = self.history.last();
        let figures =
            PerColor::from_fn(|color| Figures::of(scrape, color, before.map(|it| it.of(color))));
        let fell = |before: &PerColor<Figures>| {
            Color::ALL
                .into_iter()
                .any(|it| figures.of(it).requests < before.of(it).requests)
        };
        if before.is_some_and(fell) {
            self.history.clear();
        }
        let stable = stable(scrape, rollout);
        let finished = figures.of(stable.other()).finished;
        self.history.push(moment.steady_ms, figures);
        let trips = trips(scrape);
        let now = Last {
            scrape: scrape.clone(),
            state,
            stable,
            seen: self.step_seen(moment, &state, finished),
            trips,
        };
        self.cause = self.cause_of(&now);
        let events = self
            .last
            .as_ref()
            .map_or_else(Vec::new, |last| self.changes(last, &now, rollout));
        self.last = Some(now);
        events
    }

    /// What has come before counts no more: counters begin anew.
    pub fn restart(&mut self) {
        self.history.clear();
    }

    fn step_seen(&self, moment: Moment, state: &RolloutState, finished: f64) -> StepSeen {
        let last = self.last.as_ref().map(|it| it.seen);
        let seen = last.filter(|it| it.step == state.step);
        let seen = seen.unwrap_or(StepSeen {
            step: state.step,
            since_ms: moment.wall_ms,
            is_begin: last.is_some(),
            finished,
            is_waiting: false,
        });
        StepSeen {
            is_waiting: state.is_waiting,
            ..seen
        }
    }

    fn cause_of(&self, now: &Last) -> Option<String> {
        if !now.state.is_rolled_back {
            return None;
        }
        let before = self.last.as_ref().map(|it| &it.trips);
        let risen = |(cause, count): (&String, &f64)| {
            let before = before.and_then(|it| it.get(cause)).copied();
            (*count > before.unwrap_or(0.0)).then(|| cause.clone())
        };
        let mut risen = now.trips.iter().filter_map(risen);
        let first = risen.next();
        let is_sure = before.is_some() || risen.next().is_none();
        self.cause.clone().or(first.filter(|_| is_sure))
    }

    fn changes(&self, last: &Last, now: &Last, rollout: Option<&Rollout>) -> Vec<EventKind> {
        let mut events = Vec::new();
        let green = |it: &Last| number(it.state.weights.of(Color::Green));
        let (from_green_percent, green_percent) = (green(last), green(now));
        if last.stable != now.stable {
            let color = now.stable.as_str();
            events.push(EventKind::StableChanged { color });
        }
        let trips = (last.state.is_rolled_back, now.state.is_rolled_back);
        if trips == (false, true) {
            let cause = self.cause.clone();
            events.push(EventKind::RolledBack { cause });
        } else if trips == (true, false) {
            events.push(EventKind::RollbackOver);
        }
        let has_shifted = last.state.weights != now.state.weights;
        match now.state.step.filter(|_| last.state.step != now.state.step) {
            Some(step) if !now.state.is_rolled_back => events.push(EventKind::Step {
                step,
                steps: steps(rollout),
                green_percent,
            }),
            _ if has_shifted && trips != (false, true) => events.push(EventKind::Shift {
                from_green_percent,
                green_percent,
            }),
            _ => {}
        }
        let canary = now.stable.other();
        let serves_all = |it: &Last| it.state.weights.of(canary) == Percent::HUNDRED;
        if last.stable == now.stable && !serves_all(last) && serves_all(now) {
            let color = canary.as_str();
            events.push(EventKind::Promoted { color });
        }
        if !last.state.is_waiting && now.state.is_waiting {
            let waits_for = now.waits_for(rollout);
            events.push(EventKind::Waiting { waits_for });
        }
        events
    }

    /// How it does; nothing before the first look.
    pub fn view(&self, name: &str, now_ms: u64, rollout: Option<&Rollout>) -> Option<RolloutView> {
        let last = self.last.as_ref()?;
        let canary = last.stable.other();
        let weight = last.state.weights.of(canary);
        let guard = rollout.and_then(|it| it.guard.as_ref());
        let window_ms = guard.map_or(Guard::DEFAULT_WINDOW_MS, |it| it.window_ms);
        let stretch = self.history.last_stretch(window_ms);
        let recent = self.history.last_stretch(RATE_MS);
        let colors = PerColor::from_fn(|color| {
            last.color(color, rollout, stretch.as_ref(), recent.as_ref())
        });
        let waits_for = last.waits_for(rollout);
        let phase = Phase::of(
            &last.state,
            rollout.map(|_| weight),
            last.ramp_stand(rollout),
        );
        let is_waiting = last.state.is_waiting || phase == Phase::Paused;
        let finished = self.history.last().map_or(0.0, |it| it.of(canary).finished);
        let next = rollout.filter(|_| !last.state.is_rolled_back);
        Some(RolloutView {
            name: name.to_owned(),
            status: phase.as_str(),
            symbol: phase.symbol(),
            stable: last.stable.as_str(),
            canary: canary.as_str(),
            cause: self.cause.clone(),
            step: last.state.step,
            steps: steps(rollout),
            next: next.and_then(|it| schedule::next(it, &last.seen, now_ms, finished)),
            waits_for: if is_waiting { waits_for } else { Vec::new() },
            guard: judged::guard(rollout, &last.scrape, canary, stretch.as_ref()),
            quality: rollout.and_then(|it| judged::quality(it, &last.scrape, &colors)),
            shadow: shadow::shadow(rollout, &last.scrape, canary, recent.as_ref()),
            colors,
        })
    }
}

// === impl Last ===

impl Last {
    fn waits_for(&self, rollout: Option<&Rollout>) -> Vec<&'static str> {
        let place = rollout.zip(self.state.step);
        place.map_or_else(Vec::new, |(rollout, step)| {
            schedule::waits_for(rollout, step)
        })
    }

    fn ramp_stand(&self, rollout: Option<&Rollout>) -> RampStand {
        let ramp = rollout.and_then(|rollout| rollout.ramp.as_ref());
        let step = self.state.step;
        let present = ramp.zip(step).and_then(|(ramp, step)| ramp.step(step));
        RampStand {
            has_started: ramp.is_none() || step.is_some(),
            is_paused: present.is_some_and(|step| step.pause),
            is_last: ramp.zip(step).is_none_or(|(ramp, step)| ramp.is_last(step)),
        }
    }

    fn color(
        &self,
        color: Color,
        rollout: Option<&Rollout>,
        stretch: Option<&Stretch>,
        recent: Option<&Stretch>,
    ) -> ColorView {
        let figures = stretch.map(|it| it.figures.of(color));
        let gauge = |name: &str| {
            let labels = [("color", color.as_str())];
            self.scrape
                .samples
                .sum(&format!("bluegreen_{name}"), &labels)
        };
        let figure = |name: &str| {
            let percent = |end: &str| Some(gauge(&format!("quality_{name}{end}_ppm"))? / 10_000.0);
            let (value, high_percent) = (percent("")?, percent("_high")?);
            (value > 0.0 || high_percent > 0.0).then_some(FigureView {
                percent: value,
                low_percent: percent("_low")?,
                high_percent,
            })
        };
        let release = rollout.and_then(|it| it.releases.of(color).as_ref());
        let per_second = |count: fn(&Figures) -> Option<f64>| {
            let recent = recent?;
            Some(count(recent.figures.of(color))? * 1_000.0 / recent.ms as f64)
        };
        let weighed = |of: &Stretch| {
            let [own, other] = [color, color.other()].map(|it| of.figures.of(it).weighed());
            percent(own, own + other)
        };
        ColorView {
            release: release.map(|it| it.as_str().to_owned()),
            weight_percent: number(self.state.weights.of(color)),
            share_percent: recent.and_then(weighed),
            requests_per_second: per_second(|it| Some(it.requests)),
            error_percent: figures.and_then(Figures::error_percent),
            slow_percent: figures.and_then(Figures::slow_percent),
            finished: figures.map_or(0, |it| it.finished as u64),
            p50_ms: figures.and_then(|it| it.response_start_ms(0.5)),
            p99_ms: figures.and_then(|it| it.response_start_ms(0.99)),
            in_flight: gauge("in_flight").map(|it| it as u64),
            samples: gauge("quality_samples").map(|it| it as u64),
            f1: figure("f1"),
            precision: figure("precision"),
            recall: figure("recall"),
            first_chunk_p50_ms: figures.and_then(|it| it.first_chunk_ms(0.5)),
            first_chunk_p95_ms: figures.and_then(|it| it.first_chunk_ms(0.95)),
            chunks_per_second: per_second(|it| it.chunks),
            scores: scores::of_color(&self.scrape, color),
        }
    }
}

fn steps(rollout: Option<&Rollout>) -> Option<usize> {
    Some(rollout?.ramp.as_ref()?.steps().len())
}

/// By the configuration, or else by what Envoy shows.
fn stable(scrape: &RolloutScrape, rollout: Option<&Rollout>) -> Color {
    let green = [("color", Color::Green.as_str())];
    let shown = scrape.samples.sum("bluegreen_stable", &green);
    let by_gauge = if shown == Some(1.0) {
        Color::Green
    } else {
        Color::Blue
    };
    rollout.map_or(by_gauge, |rollout| rollout.stable)
}

fn trips(scrape: &RolloutScrape) -> BTreeMap<String, f64> {
    let trips = scrape.samples.iter();
    let trips = trips.filter(|it| it.name == "bluegreen_guard_trips_total");
    let by_cause = trips.filter_map(|it| Some((it.labels.get("cause")?.clone(), it.value)));
    by_cause.collect()
}

/// Whether a rollout that Envoy shows is configured: one that was removed has no weights.
pub fn is_configured(scrape: &RolloutScrape) -> bool {
    let weights = scrape.samples.sum("bluegreen_weight_millipercent", &[]);
    weights.is_some_and(|sum| sum > 0.0)
}

//! The sequential guard of one rollout: requests that began and that went wrong in, evidence out.

use crate::analysis::detector::Detector;
use crate::analysis::incident::{Incident, IncidentKind};
use crate::analysis::sequential::Sequential;
use crate::analysis::start_history::StartHistory;
use crate::value::color::Color;
use crate::value::percent::Percent;

/// Compares the canary with the stable color all the time.
#[derive(Clone, Debug)]
pub struct SequentialGuard {
    canary: Color,
    history: StartHistory,
    errors: Test,
    slow: Option<Test>,
}

/// The evidence of both tests in percent of what rolls back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// That the canary fails more often.
    pub errors_percent: u32,
    /// That it is slow more often.
    pub slow_percent: u32,
}

#[derive(Clone, Debug)]
struct Test {
    kind: IncidentKind,
    detector: Detector,
    last_ms: u64,
    /// Requests that went wrong so far, for messages.
    canary: u64,
    stable: u64,
}

// === impl SequentialGuard ===

impl SequentialGuard {
    /// Begins without evidence at this time, by a clock that never steps. Where slow responses are compared too, the
    /// two tests share the promise.
    pub fn new(sequential: &Sequential, stable: Color, judges_slow: bool, now_ms: u64) -> Self {
        let tests = if judges_slow { 2 } else { 1 };
        let every_ms = sequential.false_alarm_every_ms.saturating_mul(tests);
        let test = |kind| Test::new(kind, sequential.tolerance.ratio(), every_ms, now_ms);
        Self {
            canary: stable.other(),
            history: StartHistory::default(),
            errors: test(IncidentKind::Failed),
            slow: judges_slow.then(|| test(IncidentKind::Slow)),
        }
    }

    /// Requests of a color began in a second. What is negative takes some back.
    pub fn add_starts(&mut self, second: u64, color: Color, count: i64) {
        self.history.add(second, color, count);
    }

    /// In this second the weights in force change: the canary gets this much from now on.
    pub fn begin_weights(&mut self, second: u64, canary: Percent) {
        self.history.begin_weights(second, canary);
    }

    /// What went wrong since the last call, by the same clock.
    pub fn observe(&mut self, now_ms: u64, incidents: &[Incident]) {
        let tests = [Some(&mut self.errors), self.slow.as_mut()];
        for test in tests.into_iter().flatten() {
            test.observe(now_ms, incidents, &self.history, self.canary);
        }
    }

    /// How much evidence there is.
    pub fn evidence(&self) -> Evidence {
        Evidence {
            errors_percent: self.errors.detector.evidence_percent(),
            slow_percent: self
                .slow
                .as_ref()
                .map_or(0, |it| it.detector.evidence_percent()),
        }
    }

    /// What the evidence rolls back for, and how many requests of canary and stable color went wrong so far.
    pub fn finding(&self) -> Option<(IncidentKind, [u64; 2])> {
        let mut tests = [Some(&self.errors), self.slow.as_ref()]
            .into_iter()
            .flatten();
        let test = tests.find(|test| test.detector.has_passed())?;
        Some((test.kind, [test.canary, test.stable]))
    }
}

// === impl Test ===

impl Test {
    fn new(kind: IncidentKind, tolerated: f64, false_alarm_every_ms: u64, now_ms: u64) -> Self {
        Self {
            kind,
            detector: Detector::new(tolerated, to_seconds(false_alarm_every_ms)),
            last_ms: now_ms,
            canary: 0,
            stable: 0,
        }
    }

    fn observe(
        &mut self,
        now_ms: u64,
        incidents: &[Incident],
        history: &StartHistory,
        canary: Color,
    ) {
        let mut has_stepped = false;
        for incident in incidents.iter().filter(|it| it.kind == self.kind) {
            let itself = u64::from(incident.color == canary);
            let Some(share) = history.share(incident.began_s, canary, itself) else {
                continue;
            };
            if !std::mem::replace(&mut has_stepped, true) {
                let elapsed_ms = now_ms.saturating_sub(self.last_ms);
                self.detector.step(to_seconds(elapsed_ms));
                self.last_ms = now_ms;
            }
            let count = u64::from(incident.count);
            if incident.color == canary {
                self.canary = self.canary.saturating_add(count);
                self.detector.canary(share, incident.user, incident.count);
            } else {
                self.stable = self.stable.saturating_add(count);
                self.detector.stable(share, incident.count);
            }
        }
    }
}

/// Exact to a second up to 136 years.
fn to_seconds(ms: u64) -> f64 {
    let seconds = u32::try_from(ms / 1_000).unwrap_or(u32::MAX);
    let rest = u32::try_from(ms % 1_000).unwrap_or(0);
    f64::from(seconds) + f64::from(rest) / 1_000.0
}

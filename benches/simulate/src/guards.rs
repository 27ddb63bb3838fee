//! The guards that are compared.

use crate::traffic::{CANARY, Tick};
use bluegreen::analysis::sequential::{Sequential, Tolerance};
use bluegreen::analysis::sequential_guard::SequentialGuard;
use bluegreen::{Analysis, Color, Counts, Guard, Limits, PerColor, Percent, Window};

/// A guard that learns what a leader learns.
pub trait Contender {
    /// Whether it rolls back.
    fn learn(&mut self, tick: &Tick) -> bool;
}

/// The sequential guard, as the product drives it.
pub struct BySequential(SequentialGuard);

/// Limits on the rates in a window of 30 s.
pub struct ByWindow {
    guard: Guard,
    judges_bare_rates: bool,
    window: Window,
    totals: PerColor<Counts>,
    last_ms: u64,
}

// === impl BySequential ===

impl BySequential {
    /// With a tolerance of 0.
    pub fn new(false_alarm_every_days: u64) -> Self {
        let sequential = Sequential {
            tolerance: Tolerance::parse("0").unwrap(),
            false_alarm_every_ms: false_alarm_every_days * 86_400_000,
        };
        Self(SequentialGuard::new(&sequential, CANARY.other(), false, 0))
    }
}

impl BySequential {
    /// How much evidence there is.
    pub fn evidence_percent(&self) -> u32 {
        self.0.evidence().errors_percent
    }
}

impl Contender for BySequential {
    fn learn(&mut self, tick: &Tick) -> bool {
        if let Some(weight) = tick.weight {
            let percent = Percent::parse(&format!("{:.3}", weight * 100.0));
            self.0.begin_weights(tick.second, percent.unwrap());
        }
        for color in Color::ALL {
            let starts = *tick.starts.of(color);
            if starts > 0 {
                self.0.add_starts(tick.second, color, starts.into());
            }
        }
        self.0.observe(tick.now_ms, &tick.incidents);
        !tick.incidents.is_empty() && self.0.finding().is_some()
    }
}

// === impl ByWindow ===

impl ByWindow {
    /// Today's limits: surely more than two points above the stable color.
    pub fn limits() -> Self {
        Self {
            guard: Guard {
                window_ms: 30_000,
                min_requests: 100,
                error_rate: Limits {
                    max: None,
                    max_over_stable: Some(Percent::parse("2").unwrap()),
                },
                slow_rate: Limits::default(),
                slow_after: None,
                per_user: false,
                sequential: None,
                count_retries: true,
            },
            judges_bare_rates: false,
            window: Window::default(),
            totals: PerColor::default(),
            last_ms: 0,
        }
    }

    /// The same by the bare rates, as most tools do.
    pub fn naive() -> Self {
        Self {
            judges_bare_rates: true,
            ..Self::limits()
        }
    }
}

impl Contender for ByWindow {
    fn learn(&mut self, tick: &Tick) -> bool {
        for color in Color::ALL {
            self.totals.of_mut(color).add(tick.finished.of(color));
        }
        if self.last_ms == 0 {
            self.window = Window::starting(self.guard.window_ms, tick.now_ms, PerColor::default());
        }
        self.last_ms = tick.now_ms;
        let counts = self
            .window
            .slide(self.guard.window_ms, tick.now_ms, self.totals);
        if self.judges_bare_rates {
            let rate = |color| counts.of(color).failed as f64 / counts.of(color).requests as f64;
            let least = Color::ALL.map(|color| counts.of(color).requests);
            return least.iter().all(|&it| it >= self.guard.min_requests)
                && rate(CANARY) > rate(CANARY.other()) + 0.02;
        }
        matches!(
            self.guard.judge(CANARY.other(), &counts),
            Analysis::Failed(_)
        )
    }
}

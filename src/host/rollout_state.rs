//! What one VM keeps of a rollout through all configurations.

use super::chunk_metrics::ChunkMetrics;
use super::metrics::{
    ColorMetrics, EvidenceMetrics, GuardMetrics, RampMetrics, StreamMetrics, TripMetrics,
    define_weights,
};
use super::proxy_wasm::metric::{Counter, Gauge, get_or_define};
use super::quality_metrics::QualityMetrics;
use super::score_metrics::ScoreMetrics;
use super::shadow_metrics::{DisagreementMetrics, ShadowMetrics};
use crate::analysis::incident::{Incident, IncidentKind, Origin};
use crate::analysis::quality::{Outcome, Outcomes};
use crate::analysis::sequential_guard::Evidence;
use crate::analysis::window::Counts;
use crate::metrics::{self, ColorStats, Traffic};
use crate::policy::feedback_scores::Scores;
use crate::policy::policy::Policy;
use crate::policy::recent::Recent;
use crate::policy::rollout::Rollout;
use crate::policy::rollout_counts::{Epoch, RolloutCounts};
use crate::policy::shared_store::HostStatus;
use crate::value::color::{Color, PerColor};
use crate::value::name::RolloutName;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

/// Metrics, which belong to the VM, and what it has counted. Metrics of a feature are there once it was used.
#[derive(Debug)]
pub struct RolloutState {
    pub weights: PerColor<Gauge>,
    pub guard_state: OnceCell<Gauge>,
    pub evidence: OnceCell<EvidenceMetrics>,
    pub ramp: OnceCell<RampMetrics>,
    pub colors: OnceCell<PerColor<ColorMetrics>>,
    pub streams: OnceCell<PerColor<StreamMetrics>>,
    pub chunks: OnceCell<PerColor<ChunkMetrics>>,
    pub shadow_chunks: OnceCell<PerColor<ChunkMetrics>>,
    pub override_denied: OnceCell<Counter>,
    pub guard: OnceCell<PerColor<GuardMetrics>>,
    pub trips: OnceCell<TripMetrics>,
    pub quality: OnceCell<PerColor<QualityMetrics>>,
    pub shadow: OnceCell<ShadowMetrics>,
    pub disagreement: OnceCell<DisagreementMetrics>,
    pub scores: ScoreMetrics,
    counts: RefCell<RolloutCounts>,
    recent: RefCell<Recent>,
    /// How much of the counts the guard's metrics show.
    shown: RefCell<PerColor<Counts>>,
    /// Whether the VM has counted something that the others do not know.
    has_counted: Rc<Cell<bool>>,
}

// === impl RolloutState ===

impl RolloutState {
    pub fn define(name: &RolloutName, has_counted: Rc<Cell<bool>>) -> Result<Self, HostStatus> {
        Ok(Self {
            weights: define_weights(name)?,
            guard_state: OnceCell::new(),
            evidence: OnceCell::new(),
            ramp: OnceCell::new(),
            colors: OnceCell::new(),
            streams: OnceCell::new(),
            chunks: OnceCell::new(),
            shadow_chunks: OnceCell::new(),
            override_denied: OnceCell::new(),
            guard: OnceCell::new(),
            trips: OnceCell::new(),
            quality: OnceCell::new(),
            shadow: OnceCell::new(),
            disagreement: OnceCell::new(),
            scores: ScoreMetrics::default(),
            counts: RefCell::default(),
            recent: RefCell::default(),
            shown: RefCell::default(),
            has_counted,
        })
    }

    /// Defines what a rollout shows without a request.
    pub fn define_shown(&self, rollout: &Rollout) -> Result<(), HostStatus> {
        if rollout.is_judged() {
            let define = || Gauge::define(&metrics::guard_state(&rollout.name));
            get_or_define(&self.guard_state, define)?;
        }
        if rollout
            .guard
            .as_ref()
            .is_some_and(|it| it.sequential.is_some())
        {
            get_or_define(&self.evidence, || EvidenceMetrics::define(&rollout.name))?;
        }
        if rollout.ramp.is_some() {
            get_or_define(&self.ramp, || RampMetrics::define(&rollout.name))?;
        }
        Ok(())
    }

    /// Defines what a rollout counts, by the features that it uses.
    pub fn define_counted(&self, policy: &Policy, rollout: &Rollout) -> Result<(), HostStatus> {
        let name = &rollout.name;
        let stats = |color| ColorStats {
            rollout: name,
            color,
            traffic: Traffic::Users,
        };
        get_or_define(&self.colors, || {
            PerColor::try_from_fn(|color| ColorMetrics::define(stats(color)))
        })?;
        if policy.profile.shows_streams() {
            get_or_define(&self.streams, || {
                PerColor::try_from_fn(|color| StreamMetrics::define(stats(color)))
            })?;
        }
        if rollout.times_first_chunk() {
            let define = |traffic| move || ChunkMetrics::define(name, traffic);
            get_or_define(&self.chunks, define(Traffic::Users))?;
            if rollout.shadow.is_some() {
                get_or_define(&self.shadow_chunks, define(Traffic::Shadow))?;
            }
        }
        if rollout.overrides.is_some() {
            let define = || Counter::define(&metrics::override_denied_total(name));
            get_or_define(&self.override_denied, define)?;
        }
        if rollout.guard.is_some() {
            get_or_define(&self.guard, || GuardMetrics::define(name))?;
        }
        if rollout.is_judged() {
            get_or_define(&self.trips, || TripMetrics::define(name))?;
        }
        if rollout.measures() {
            get_or_define(&self.quality, || QualityMetrics::define(name))?;
        }
        if rollout.shadow.is_some() {
            get_or_define(&self.shadow, || ShadowMetrics::define(name))?;
        }
        if rollout.compares() {
            get_or_define(&self.disagreement, || DisagreementMetrics::define(name))?;
        }
        if let Some(quality) = &rollout.quality {
            self.scores.define(name, quality)?;
        }
        Ok(())
    }

    /// What is counted from now on belongs to this epoch.
    pub fn begin_epoch(&self, epoch: Epoch) {
        self.show_counts();
        let mut counts = self.counts.borrow_mut();
        if counts.begin(epoch) {
            self.has_counted.set(true);
        }
        *self.shown.borrow_mut() = counts.totals.requests;
        self.recent.borrow_mut().begin(epoch.generation);
    }

    /// A request begins whose guard goes by single requests.
    pub fn start(&self, origin: &Origin) {
        if let Some(second) = origin.began_s {
            self.recent.borrow_mut().start(second, origin.color);
            self.has_counted.set(true);
        }
    }

    /// Counts a request that has ended, unless another generation than its own has begun. Says whether it did.
    pub fn count_end(&self, origin: &Origin, has_failed: bool, is_slow: bool) -> bool {
        let is_current = self.count(origin, |counts| counts.add_finished(has_failed, is_slow));
        if is_current && has_failed {
            self.add_incident(IncidentKind::Failed, origin);
        }
        is_current
    }

    /// A request has ended by the client's fault, so it is not evidence about its color.
    pub fn take_back(&self, origin: &Origin) {
        if let (true, Some(second)) = (self.is_current(origin), origin.began_s) {
            self.recent.borrow_mut().take_back(second, origin.color);
        }
    }

    /// Counts a request that is slow, unless another generation than its own has begun. Says whether it did.
    pub fn count_slow(&self, origin: &Origin) -> bool {
        let is_current = self.count(origin, Counts::add_slow);
        if is_current {
            self.add_incident(IncidentKind::Slow, origin);
        }
        is_current
    }

    /// How long a response of the stable color took.
    pub fn add_latency(&self, origin: &Origin, ns: u64) {
        if self.is_current(origin) {
            self.recent.borrow_mut().add_latency(ns);
        }
    }

    fn add_incident(&self, kind: IncidentKind, origin: &Origin) {
        if let Some(incident) = Incident::of(kind, origin) {
            self.recent.borrow_mut().add(incident, origin.is_canary);
        }
    }

    pub fn is_current(&self, origin: &Origin) -> bool {
        self.counts.borrow().epoch.generation == origin.generation
    }

    fn count(&self, origin: &Origin, count: impl FnOnce(&mut Counts)) -> bool {
        let is_current = self.is_current(origin);
        if is_current {
            count(
                self.counts
                    .borrow_mut()
                    .totals
                    .requests
                    .of_mut(origin.color),
            );
            self.has_counted.set(true);
        }
        is_current
    }

    /// Counts the outcome that came with a response. The gate looks at it where the request is judged.
    pub fn count_outcome(&self, origin: &Origin, kind: Outcome, traffic: Traffic, is_judged: bool) {
        if !self.is_current(origin) {
            return;
        }
        let outcomes = Outcomes::from_fn(|it| u64::from(it == kind));
        let color = origin.color;
        match (traffic, self.quality.get(), self.shadow.get()) {
            (Traffic::Users, Some(quality), _) => quality.of(color).count(&outcomes),
            (Traffic::Shadow, _, Some(shadow)) => shadow.outcomes.of(color).count(&outcomes),
            _ => {}
        }
        if is_judged {
            self.judge_outcomes(color, &outcomes);
        }
    }

    /// Counts a copy that has ended.
    pub fn count_copy(&self, origin: &Origin) {
        if self.is_current(origin) {
            self.counts.borrow_mut().totals.shadow.add_finished();
            self.has_counted.set(true);
        }
    }

    /// Counts a request whose two answers were compared.
    pub fn count_compared(&self, origin: &Origin, differs: bool) {
        if !self.is_current(origin) {
            return;
        }
        self.counts.borrow_mut().totals.shadow.add_compared(differs);
        self.has_counted.set(true);
        if let Some(disagreement) = self.disagreement.get() {
            disagreement.count(differs);
        }
    }

    /// Counts outcomes of a color's release.
    pub fn add_outcomes(&self, color: Color, outcomes: &Outcomes) {
        if let Some(quality) = self.quality.get() {
            quality.of(color).count(outcomes);
        }
        self.judge_outcomes(color, outcomes);
    }

    fn judge_outcomes(&self, color: Color, outcomes: &Outcomes) {
        let mut counts = self.counts.borrow_mut();
        counts.totals.outcomes.of_mut(color).add(outcomes);
        self.has_counted.set(true);
    }

    /// Counts the scores that came with a response.
    pub fn count_scores(&self, origin: &Origin, rollout: &Rollout, scores: &Scores) {
        if self.is_current(origin) {
            self.add_scores(origin.color, rollout, scores);
        }
    }

    /// Counts scores of a color's release.
    pub fn add_scores(&self, color: Color, rollout: &Rollout, scores: &Scores) {
        let mut counts = self.counts.borrow_mut();
        for (index, sum) in scores {
            if let Some(score) = rollout.scores().get(*index) {
                let sums = counts.totals.scores.of_mut(color);
                sums.add_to(score.name.as_str(), sum);
                self.has_counted.set(true);
            }
        }
    }

    /// What was counted, and how much of it the guard's metrics do not show yet.
    pub fn counts(&self) -> RolloutCounts {
        self.show_counts();
        self.counts.borrow().clone()
    }

    /// What went on of late, which counts as published from then on; nothing where no guard goes by it.
    pub fn publish_recent(&self) -> Option<Recent> {
        let mut recent = self.recent.borrow_mut();
        if recent.is_empty() {
            return None;
        }
        let published = recent.clone();
        recent.end_turn();
        Some(published)
    }

    fn show_counts(&self) {
        let Some(guard) = self.guard.get() else {
            return;
        };
        let requests = self.counts.borrow().totals.requests;
        let shown = self.shown.replace(requests);
        for color in Color::ALL {
            let new = requests.of(color).since(shown.of(color));
            guard.of(color).finished.add(new.requests);
            guard.of(color).slow.add(new.slow);
        }
    }

    /// Ends what the configuration in force no longer asks for: stats do not stay at what they showed last.
    /// There is no `rollout` where it is gone altogether.
    pub fn retire(&self, rollout: Option<&Rollout>) {
        let is_judged = rollout.is_some_and(Rollout::is_judged);
        if let (false, Some(guard_state)) = (is_judged, self.guard_state.get()) {
            guard_state.set(0_u32);
        }
        let guard = rollout.and_then(|it| it.guard.as_ref());
        let is_sequential = guard.is_some_and(|it| it.sequential.is_some());
        if let (false, Some(evidence)) = (is_sequential, self.evidence.get()) {
            evidence.show(Evidence::default());
        }
        let is_ramped = rollout.is_some_and(|it| it.ramp.is_some());
        if let (false, Some(ramp)) = (is_ramped, self.ramp.get()) {
            ramp.retire();
        }
        self.scores.retire(rollout);
        if rollout.is_none() {
            for color in Color::ALL {
                self.weights.of(color).set(0_u32);
            }
        }
    }
}

//! The quality of a model's predictions, and the gate that a better model has to pass.

use crate::analysis::confidence_sequence::ConfidenceLevel;
use crate::analysis::f1::F1;
use crate::analysis::proportion::Proportion;
use crate::analysis::score::Score;
use crate::value::percent::Percent;

/// How good the predictions of the color that is not stable must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// With fewer samples of either color the analysis is inconclusive.
    pub min_samples: u64,
    /// How sure it must be that a limit is kept or broken; by the bare figures where absent.
    pub confidence: Option<ConfidenceLevel>,
    /// The most that its F1 may lie below that of the stable color.
    pub max_f1_drop: Option<Percent>,
    /// The most that its precision may lie below that of the stable color.
    pub max_precision_drop: Option<Percent>,
    /// The most that its recall may lie below that of the stable color.
    pub max_recall_drop: Option<Percent>,
    /// The lowest F1 that is allowed.
    pub min_f1: Option<Percent>,
    /// The lowest precision that is allowed.
    pub min_precision: Option<Percent>,
    /// The lowest recall that is allowed.
    pub min_recall: Option<Percent>,
    /// The weight at which a ramp waits for enough samples; its first step where absent.
    pub hold_at: Option<Percent>,
    /// What else is measured of each prediction.
    pub scores: Vec<Score>,
}

/// Outcomes of predictions: true and false positives, false and true negatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// True positives.
    pub tp: u64,
    /// False positives.
    pub fp: u64,
    /// False negatives.
    pub fn_: u64,
    /// True negatives.
    pub tn: u64,
}

/// One kind of outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its name says")]
pub enum Outcome {
    TruePositive,
    FalsePositive,
    FalseNegative,
    TrueNegative,
}

// === impl Quality ===

impl Quality {
    /// The most scores of one rollout.
    pub const MAX_SCORES: usize = 8;

    /// The limits of precision, recall and F1 in the order in which they are judged, given or not.
    pub const fn outcome_limits(&self) -> [(&'static str, Option<Percent>); 6] {
        [
            ("min_f1", self.min_f1),
            ("min_precision", self.min_precision),
            ("min_recall", self.min_recall),
            ("max_f1_drop", self.max_f1_drop),
            ("max_precision_drop", self.max_precision_drop),
            ("max_recall_drop", self.max_recall_drop),
        ]
    }

    /// Whether it waits for outcomes: without any limit of them it does where it has no scores either.
    pub fn needs_outcomes(&self) -> bool {
        let mut limits = self.outcome_limits().into_iter();
        self.scores.is_empty() || limits.any(|(_, limit)| limit.is_some())
    }

    /// The names of all limits that are given, in the order in which they are judged; those of a score begin with its
    /// name.
    pub fn limit_names(&self) -> Vec<String> {
        let of_outcomes = self.outcome_limits().into_iter();
        let of_outcomes = of_outcomes.filter_map(|(name, limit)| limit.map(|_| name.to_owned()));
        let of_scores = self.scores.iter().flat_map(|score| {
            let limits = score.limits.given();
            limits.map(|limit| format!("{}_{}", score.name.as_str(), limit.as_str()))
        });
        of_outcomes.chain(of_scores).collect()
    }
}

// === impl Outcomes ===

impl Outcomes {
    /// How many predictions these are the outcomes of.
    pub fn samples(&self) -> u64 {
        let Self { tp, fp, fn_, tn } = *self;
        [tp, fp, fn_, tn].into_iter().fold(0, u64::saturating_add)
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        for kind in Outcome::ALL {
            let count = self.of_mut(kind);
            *count = count.saturating_add(other.of(kind));
        }
    }

    /// What has come since `begin` was counted.
    pub fn since(&self, begin: &Self) -> Self {
        Self::from_fn(|kind| self.of(kind).saturating_sub(begin.of(kind)))
    }

    /// How many there are of one kind.
    pub const fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::TruePositive => self.tp,
            Outcome::FalsePositive => self.fp,
            Outcome::FalseNegative => self.fn_,
            Outcome::TrueNegative => self.tn,
        }
    }

    /// How many there are of one kind, to change.
    pub const fn of_mut(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::TruePositive => &mut self.tp,
            Outcome::FalsePositive => &mut self.fp,
            Outcome::FalseNegative => &mut self.fn_,
            Outcome::TrueNegative => &mut self.tn,
        }
    }

    /// Makes the count of each kind.
    pub fn from_fn(mut make: impl FnMut(Outcome) -> u64) -> Self {
        Self {
            tp: make(Outcome::TruePositive),
            fp: make(Outcome::FalsePositive),
            fn_: make(Outcome::FalseNegative),
            tn: make(Outcome::TrueNegative),
        }
    }

    /// TP out of TP + FP.
    pub fn precision(&self) -> Option<Proportion> {
        Proportion::new(self.tp, self.tp.saturating_add(self.fp))
    }

    /// TP out of TP + FN.
    pub fn recall(&self) -> Option<Proportion> {
        Proportion::new(self.tp, self.tp.saturating_add(self.fn_))
    }

    /// From TP out of TP + FP + FN.
    pub fn f1(&self) -> Option<F1> {
        F1::new(
            self.tp,
            self.tp.saturating_add(self.fp).saturating_add(self.fn_),
        )
    }

    /// TP / (TP + FP) in parts per million: how many of those found are right.
    pub fn precision_ppm(&self) -> Option<u32> {
        ratio_ppm(self.tp, self.tp.saturating_add(self.fp))
    }

    /// TP / (TP + FN) in parts per million: how many of those to find are found.
    pub fn recall_ppm(&self) -> Option<u32> {
        ratio_ppm(self.tp, self.tp.saturating_add(self.fn_))
    }

    /// 2·TP / (2·TP + FP + FN) in parts per million, the harmonic mean of precision and recall
    /// (van Rijsbergen, Information Retrieval, 1979, chapter 7).
    pub fn f1_ppm(&self) -> Option<u32> {
        let twice = self.tp.saturating_mul(2);
        ratio_ppm(
            twice,
            twice.saturating_add(self.fp).saturating_add(self.fn_),
        )
    }
}

/// The nearest part per million; nothing where there is nothing to divide by.
fn ratio_ppm(part: u64, whole: u64) -> Option<u32> {
    let whole = u128::from(whole);
    let doubled = u128::from(part)
        .saturating_mul(2_000_000)
        .saturating_add(whole);
    let ppm = doubled.checked_div(whole.saturating_mul(2))?;
    u32::try_from(ppm).ok()
}

// === impl Outcome ===

impl Outcome {
    /// All kinds.
    pub const ALL: [Outcome; 4] = [
        Outcome::TruePositive,
        Outcome::FalsePositive,
        Outcome::FalseNegative,
        Outcome::TrueNegative,
    ];

    /// The name in feedback, in the response header and in the stats' label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::TruePositive => "tp",
            Outcome::FalsePositive => "fp",
            Outcome::FalseNegative => "fn",
            Outcome::TrueNegative => "tn",
        }
    }

    /// The kind of this name.
    pub fn from_bytes(name: &[u8]) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|outcome| outcome.as_str().as_bytes() == name)
    }
}

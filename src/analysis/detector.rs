//! The test that finds a canary whose requests go wrong more often than the stable color's.
//!
//! A mixture of Shiryaev-Roberts statistics over the identity of requests that went wrong: see
//! `docs/sequential-guard.md`.

use crate::value::bucket::Bucket;

/// Evidence that the canary is worse, and how much of it is left without any one user.
#[derive(Clone, Debug)]
pub struct Detector {
    tolerated: f64,
    /// Evidence that rolls back.
    threshold: f64,
    all: Mixture,
    /// What there is without each of the users whose failures matter most.
    without: Vec<Without>,
    /// The time that has passed so far.
    now_s: f64,
}

/// Evidence without one user's failures.
#[derive(Clone, Copy, Debug)]
struct Without {
    user: Bucket,
    mixture: Mixture,
    /// When the user failed last.
    failed_at_s: f64,
}

/// One statistic for each ratio that the test looks for.
#[derive(Clone, Copy, Debug, Default)]
struct Mixture([f64; RATIOS.len()]);

/// How many times the tolerated ratio the canary's failures may be, and how much each is looked for. The weights
/// add up to 1.
const RATIOS: [(f64, f64); 8] = [
    (1.25, 0.08),
    (1.5, 0.08),
    (2.0, 0.08),
    (3.0, 0.08),
    (5.0, 0.08),
    (10.0, 0.1),
    (30.0, 0.1),
    (200.0, 0.4),
];

/// What evidence may come to: far beyond each threshold, and far from infinity.
const MAX_EVIDENCE: f64 = 1e60;

// === impl Detector ===

impl Detector {
    /// So many users are kept apart.
    pub const MAX_USERS: usize = 16;

    /// A step of time adds at most so many seconds: without failures there is no evidence.
    const MAX_STEP_S: f64 = 10.0;

    /// A user who has not failed for so long is quiet.
    const QUIET_S: f64 = 600.0;

    /// Evidence is one user's alone if it is so many times what there is without that user.
    const ALONE: f64 = 100.0;

    /// Tolerates a ratio of 1 or more, and is wrong once in `false_alarm_every_s` or less often.
    pub fn new(tolerated: f64, false_alarm_every_s: f64) -> Self {
        Self {
            tolerated,
            threshold: false_alarm_every_s.max(1.0),
            all: Mixture::default(),
            without: Vec::new(),
            now_s: 0.0,
        }
    }

    /// Time has passed since requests went wrong before. Called once before those that are seen together.
    pub fn step(&mut self, seconds: f64) {
        self.now_s += seconds.max(0.0);
        let step = seconds.clamp(0.0, Self::MAX_STEP_S);
        self.for_each(|mixture| mixture.add(step));
        self.forget_quiet_users();
    }

    /// A stable user's requests went wrong, while the canary's share was so high.
    pub fn stable(&mut self, share: f64, count: u32) {
        let factors = self.factors(share, false);
        self.for_each(|mixture| mixture.multiply(&factors, count));
    }

    /// A canary user's requests went wrong, while the canary's share was so high.
    pub fn canary(&mut self, share: f64, user: Option<Bucket>, count: u32) {
        let factors = self.factors(share, true);
        if let Some(user) = user {
            self.keep_apart(user);
        }
        self.all.multiply(&factors, count);
        for it in &mut self.without {
            if user == Some(it.user) {
                it.failed_at_s = self.now_s;
            } else {
                it.mixture.multiply(&factors, count);
            }
        }
    }

    /// Whether the evidence rolls back, whichever user is left out.
    pub fn has_passed(&self) -> bool {
        self.evidence() >= self.threshold
    }

    /// The logarithm of the evidence as a share of the logarithm that rolls back, 0 to 100.
    pub fn evidence_percent(&self) -> u32 {
        let share = self.evidence().max(1.0).ln() / self.threshold.ln().max(f64::MIN_POSITIVE);
        (1..=100)
            .take_while(|&it| f64::from(it) <= share * 100.0)
            .fold(0, |_, it| it)
    }

    fn evidence(&self) -> f64 {
        let without = self.without.iter().map(|it| it.mixture.mean());
        without.fold(self.all.mean(), f64::min)
    }

    /// By how much each statistic grows when a request of one color goes wrong: the probability that it is one of this
    /// color where the canary's failures are that much more likely, over the highest one that is tolerated.
    fn factors(&self, share: f64, is_canary: bool) -> [f64; RATIOS.len()] {
        let share = share.clamp(0.0, 1.0);
        RATIOS.map(|(ratio, _)| {
            let sum = |ratio: f64| 1.0 + share * (ratio - 1.0);
            let factor = sum(self.tolerated) / sum(self.tolerated * ratio);
            if is_canary { factor * ratio } else { factor }
        })
    }

    fn for_each(&mut self, change: impl Fn(&mut Mixture)) {
        change(&mut self.all);
        self.without
            .iter_mut()
            .for_each(|it| change(&mut it.mixture));
    }

    /// A user whose requests went well so far makes no difference to the evidence so far. Where too many are kept
    /// apart, the one who makes the least difference is so no longer.
    fn keep_apart(&mut self, user: Bucket) {
        if self.without.iter().any(|it| it.user == user) {
            return;
        }
        let kept = Without {
            user,
            mixture: self.all,
            failed_at_s: self.now_s,
        };
        if self.without.len() < Self::MAX_USERS {
            self.without.push(kept);
            return;
        }
        let mut most = 0.0;
        let mut place = None;
        for (index, it) in self.without.iter().enumerate() {
            if it.mixture.mean() >= most {
                most = it.mixture.mean();
                place = Some(index);
            }
        }
        if let Some(least_needed) = place.and_then(|place| self.without.get_mut(place)) {
            *least_needed = kept;
        }
    }

    /// Evidence that comes from one user alone goes when that user has ceased to fail: it would add up with that from
    /// the next one.
    fn forget_quiet_users(&mut self) {
        let is_quiet = |it: &Without| self.now_s - it.failed_at_s > Self::QUIET_S;
        let is_alone = |it: &Without| self.all.mean() > Self::ALONE * it.mixture.mean();
        let Some(place) = self
            .without
            .iter()
            .position(|it| is_quiet(it) && is_alone(it))
        else {
            return;
        };
        let forgotten = self.without.swap_remove(place).mixture;
        self.for_each(|mixture| mixture.limit(&forgotten));
    }
}

// === impl Mixture ===

impl Mixture {
    fn add(&mut self, step: f64) {
        for statistic in &mut self.0 {
            *statistic += step;
        }
    }

    fn limit(&mut self, other: &Self) {
        for (statistic, limit) in self.0.iter_mut().zip(other.0) {
            *statistic = statistic.min(limit);
        }
    }

    fn multiply(&mut self, factors: &[f64; RATIOS.len()], count: u32) {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        for (statistic, factor) in self.0.iter_mut().zip(factors) {
            let factor = factor.powi(count).min(MAX_EVIDENCE);
            *statistic = (*statistic * factor).min(MAX_EVIDENCE);
        }
    }

    fn mean(&self) -> f64 {
        let weighted = self.0.iter().zip(&RATIOS);
        weighted
            .map(|(statistic, (_, weight))| statistic * weight)
            .sum()
    }
}

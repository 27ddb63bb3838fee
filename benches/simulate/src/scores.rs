//! The quality gate by scores: releases of known means, looked at after every ten scores.

use crate::fate::{Fate, median_and_late, shown};
use crate::{Effort, parallel};
use bluegreen::{
    Color, ConfidenceLevel, Micro, PerColor, Percent, Quality, Score, ScoreLimits, ScoreName,
    ScoreSum, ScoreSums,
};
use fastrand::Rng;

/// Scores of both colors together between two looks.
const LOOK_EVERY: u64 = 10;
/// Scores of both colors until a release is over.
const SCORES: u64 = 20_000;
/// The same, where the verdict is waited for.
const MOST_SCORES: u64 = 500_000;
/// So many releases are enough for a median.
const FEW_RELEASES: u64 = 1_000;
const SCORE: &str = "rating";

/// The normal deviate that 95 % are below, and that 90 % are: the level and the power of the test of a fixed size.
const LEVEL: f64 = 1.644_854;
const POWER: f64 = 1.281_552;

/// How scores are spread.
#[derive(Clone, Copy, Debug)]
enum Spread {
    /// Around 10, with a standard deviation of 1.
    Normal,
    /// Lognormal with σ = 1: a mean of 1.65, a standard deviation of 2.16, a skewness of 6.2.
    Skewed,
    /// 0 or 1, so many of them 1.
    Binary(f64),
}

#[derive(Clone, Copy, Debug)]
struct Case {
    spread: Spread,
    min_samples: u64,
    /// The share of scores that are the canary's.
    canary_share: f64,
    /// By how many standard deviations the canary's mean is lower.
    drop: f64,
    /// What is allowed, in standard deviations.
    max_drop: f64,
    /// The limit is given in percent of the stable color's mean.
    in_percent: bool,
}

/// Prints how often the gate is wrong, and how many scores it takes.
pub fn run(effort: Effort) {
    let releases = match effort {
        Effort::Full => 10_000,
        Effort::Quick => 500,
    };
    println!(
        "{releases} releases of equal scores, `max_drop` 0, looked at after every {LOOK_EVERY} scores, {SCORES} in all.\n\
         Percent of them found broken, which is wrong, or kept at any look:\n"
    );
    println!("| scores | `min_samples` | canary's share | broken at 95 | kept at 95 |");
    println!("|---|--:|--:|--:|--:|");
    for case in equal_cases() {
        let fates = case.fates(releases, SCORES, |it| {
            it.broken_at.is_some() && it.kept_at.is_some()
        });
        let percent = |is_so: fn(&Fate) -> bool| {
            100.0 * fates.iter().filter(|fate| is_so(fate)).count() as f64 / fates.len() as f64
        };
        println!(
            "| {} | {} | {:.0} % | {:.2} % | {:.2} % |",
            case.name(),
            case.min_samples,
            100.0 * case.canary_share,
            percent(|fate| fate.broken_at.is_some()),
            percent(|fate| fate.kept_at.is_some()),
        );
    }
    println!(
        "\nThe canary's scores until the verdict at 95, median and 90th percentile of {FEW_RELEASES} releases, with as many \
         of the stable color's, `min_samples` 500; beside them what a test of a fixed size needs at the same level for a \
         power of 90 %:\n"
    );
    println!(
        "| scores | the canary's mean is lower by | `max_drop` | verdict | canary's scores | fixed size | median / fixed |"
    );
    println!("|---|--:|--:|---|--:|--:|--:|");
    for case in decided_cases() {
        case.print_samples();
    }
}

fn equal_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (spread, in_percent) in [
        (Spread::Normal, false),
        (Spread::Skewed, false),
        (Spread::Skewed, true),
        (Spread::Binary(0.5), false),
        (Spread::Binary(0.05), false),
        (Spread::Binary(0.05), true),
    ] {
        for (min_samples, canary_share) in [(100, 0.5), (500, 0.5), (500, 0.1)] {
            cases.push(Case {
                spread,
                min_samples,
                canary_share,
                drop: 0.0,
                max_drop: 0.0,
                in_percent,
            });
        }
    }
    cases
}

fn decided_cases() -> Vec<Case> {
    let spreads = [
        Spread::Normal,
        Spread::Skewed,
        Spread::Binary(0.5),
        Spread::Binary(0.05),
    ];
    let gaps = [
        (0.1, 0.0),
        (0.05, 0.0),
        (0.2, 0.0),
        (0.2, 0.1),
        (0.0, 0.1),
        (0.0, 0.05),
        (0.0, 0.2),
    ];
    let case = |spread, (drop, max_drop)| Case {
        spread,
        min_samples: 500,
        canary_share: 0.5,
        drop,
        max_drop,
        in_percent: false,
    };
    let cases = spreads
        .into_iter()
        .flat_map(|spread| gaps.into_iter().map(move |gap| case(spread, gap)));
    cases.collect()
}

// === impl Case ===

impl Case {
    /// What becomes of many releases, each until there are so many scores, or all is known that is to be.
    fn fates(
        &self,
        releases: u64,
        scores: u64,
        is_known: impl Fn(&Fate) -> bool + Sync,
    ) -> Vec<Fate> {
        let seeds: Vec<u64> = (0..releases).collect();
        let quality = self.quality();
        parallel::map(&self.name(), &seeds, |seed| {
            self.fate(&quality, *seed, scores, &is_known)
        })
    }

    fn fate(
        &self,
        quality: &Quality,
        seed: u64,
        most: u64,
        is_known: impl Fn(&Fate) -> bool,
    ) -> Fate {
        let mut rng = Rng::with_seed(seed);
        let mut sums = PerColor::<ScoreSums>::default();
        let mut fate = Fate::default();
        for _ in 0..most / LOOK_EVERY {
            let mut look = PerColor::<ScoreSum>::default();
            for _ in 0..LOOK_EVERY {
                let is_canary = rng.f64() < self.canary_share;
                let color = if is_canary { Color::Green } else { Color::Blue };
                let drop = if is_canary { self.drop } else { 0.0 };
                let score = self.spread.draw(drop, &mut rng);
                let score = Micro::from_millionths((score.max(0.0) * 1e6).round() as u64);
                look.of_mut(color).add(&ScoreSum::of(score));
            }
            for color in Color::ALL {
                sums.of_mut(color).add_to(SCORE, look.of(color));
            }
            let samples = sums.green.of(SCORE).count();
            let verdicts = quality.judge(Color::Blue, &PerColor::default(), &sums);
            fate.see(verdicts.limits[0], samples);
            if is_known(&fate) {
                break;
            }
        }
        fate
    }

    fn quality(&self) -> Quality {
        let max_drop = self.max_drop * self.spread.deviation();
        let max_drop = Micro::from_millionths((max_drop * 1e6).round() as u64);
        let limits = ScoreLimits::Higher {
            min: None,
            max_drop: (!self.in_percent).then_some(max_drop),
            max_drop_percent: self.in_percent.then_some(Percent::ZERO),
        };
        let name = ScoreName::parse(SCORE).expect("a name");
        Quality {
            min_samples: self.min_samples,
            confidence: Some(ConfidenceLevel::DEFAULT),
            scores: vec![Score { name, limits }],
            ..Quality::default()
        }
    }

    fn print_samples(&self) {
        let is_broken = self.drop > self.max_drop;
        let at = |fate: &Fate| {
            if is_broken {
                fate.broken_at
            } else {
                fate.kept_at
            }
        };
        let fates = self.fates(FEW_RELEASES, MOST_SCORES, |fate| at(fate).is_some());
        let [median, late] = median_and_late(&fates, at);
        let fixed = self.fixed_size();
        println!(
            "| {} | {} σ | {} σ | {} | {}, {} | {fixed:.0} | {:.2} |",
            self.spread.name(),
            self.drop,
            self.max_drop,
            if is_broken { "broken" } else { "kept" },
            shown(median),
            shown(late),
            median.map_or(f64::INFINITY, |it| it as f64) / fixed,
        );
    }

    /// Scores of each color that the test of a fixed size needs.
    fn fixed_size(&self) -> f64 {
        let gap = (self.drop - self.max_drop) * self.spread.deviation();
        let variances = [0.0, self.drop].map(|drop| self.spread.deviation_at(drop).powi(2));
        (LEVEL + POWER).powi(2) * (variances[0] + variances[1]) / gap.powi(2)
    }

    fn name(&self) -> String {
        let percent = if self.in_percent {
            ", limit in percent"
        } else {
            ""
        };
        format!("{}{percent}", self.spread.name())
    }
}

// === impl Spread ===

impl Spread {
    fn name(self) -> String {
        match self {
            Self::Normal => "normal".to_owned(),
            Self::Skewed => "lognormal, σ = 1".to_owned(),
            Self::Binary(ones) => format!("0 or 1, {:.0} % are 1", 100.0 * ones),
        }
    }

    /// A score whose mean is so many standard deviations lower.
    fn draw(self, drop: f64, rng: &mut Rng) -> f64 {
        match self {
            Self::Normal => 10.0 + normal(rng) - drop,
            Self::Skewed => normal(rng).exp() * self.ratio(drop),
            Self::Binary(_) => f64::from(u8::from(rng.f64() < self.mean() * self.ratio(drop))),
        }
    }

    fn mean(self) -> f64 {
        match self {
            Self::Normal => 10.0,
            Self::Skewed => 0.5_f64.exp(),
            Self::Binary(ones) => ones,
        }
    }

    fn deviation(self) -> f64 {
        match self {
            Self::Normal => 1.0,
            Self::Skewed => (1_f64.exp() - 1.0).sqrt() * 0.5_f64.exp(),
            Self::Binary(ones) => (ones * (1.0 - ones)).sqrt(),
        }
    }

    /// The standard deviation where the mean is so many of them lower.
    fn deviation_at(self, drop: f64) -> f64 {
        match self {
            Self::Normal => 1.0,
            Self::Skewed => self.deviation() * self.ratio(drop),
            Self::Binary(ones) => Self::Binary(ones * self.ratio(drop)).deviation(),
        }
    }

    fn ratio(self, drop: f64) -> f64 {
        1.0 - drop * self.deviation() / self.mean()
    }
}

/// By Box and Muller.
fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

//! The quality gate: releases of known quality, looked at after every ten outcomes.

use crate::fate::{Fate, median_and_late, shown};
use crate::{Effort, parallel};
use bluegreen::{
    Color, ConfidenceLevel, LimitVerdict, Outcome, Outcomes, PerColor, Percent, Quality,
    QualityAnalysis,
};

/// Outcomes of both colors together between two looks.
const LOOK_EVERY: u64 = 10;
/// Outcomes of both colors until a release is over.
const OUTCOMES: u64 = 20_000;
/// The same, where the verdict is waited for.
const MOST_OUTCOMES: u64 = 500_000;
const MIN_SAMPLES: u64 = 500;
/// So many releases are enough for a median.
const FEW_RELEASES: u64 = 400;

/// What a release and its gate are like.
#[derive(Clone, Copy)]
struct Case {
    /// The gate's limit.
    limit: Limit,
    f1: PerColor<f64>,
    /// The share of outcomes that are the canary's.
    canary_share: f64,
    /// The share of outcomes that are true negatives.
    negatives: f64,
}

#[derive(Clone, Copy)]
enum Limit {
    MinF1(&'static str),
    MaxF1Drop(&'static str),
}

/// Prints how often the gate is wrong, and how many samples it takes.
pub fn run(effort: Effort) {
    let releases = match effort {
        Effort::Full => 10_000,
        Effort::Quick => 500,
    };
    println!(
        "{releases} releases, looked at after every {LOOK_EVERY} outcomes, {OUTCOMES} in all; \
         `min_samples` {MIN_SAMPLES}.\nPercent of them found broken or kept at any look:\n"
    );
    println!(
        "| limit | F1 stable, canary | canary's share | true negatives | broken at 95 | kept at 95 | broken by bare figures |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|");
    for case in risky_cases() {
        let is_known = |fate: &Fate| fate.broken_at.is_some() && fate.kept_at.is_some();
        let confident = case.fates("95", releases, OUTCOMES, is_known);
        let bare = case.fates("none", releases, OUTCOMES, |fate| fate.broken_at.is_some());
        let percent = |fates: &[Fate], is_so: fn(&Fate) -> bool| {
            100.0 * fates.iter().filter(|fate| is_so(fate)).count() as f64 / fates.len() as f64
        };
        println!(
            "| {} | {:.2}, {:.2} | {:.0} % | {:.0} % | {:.2} % | {:.2} % | {:.1} % |",
            case.limit.name(),
            case.f1.blue,
            case.f1.green,
            100.0 * case.canary_share,
            100.0 * case.negatives,
            percent(&confident, |fate| fate.broken_at.is_some()),
            percent(&confident, |fate| fate.kept_at.is_some()),
            percent(&bare, |fate| fate.broken_at.is_some()),
        );
    }
    println!(
        "\nSamples of the canary until the verdict at 95, median and 90th percentile of {FEW_RELEASES} releases:\n"
    );
    println!("| limit | F1 stable, canary | verdict | half the traffic | a tenth of it |");
    println!("|---|---|---|--:|--:|");
    for (case, verdict) in decided_cases() {
        let samples = [0.5, 0.1].map(|canary_share| {
            let case = Case {
                canary_share,
                ..case
            };
            case.samples_until(verdict)
        });
        println!(
            "| {} | {:.2}, {:.2} | {verdict} | {} | {} |",
            case.limit.name(),
            case.f1.blue,
            case.f1.green,
            samples[0],
            samples[1]
        );
    }
}

/// Figures that are equal, or right at a limit.
fn risky_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let case = |limit, blue, green, canary_share, negatives| Case {
        limit,
        f1: PerColor { blue, green },
        canary_share,
        negatives,
    };
    for f1 in [0.6, 0.8, 0.9, 0.97] {
        cases.push(case(Limit::MaxF1Drop("1"), f1, f1, 0.5, 0.0));
    }
    cases.push(case(Limit::MaxF1Drop("1"), 0.8, 0.8, 0.1, 0.0));
    for (f1, share, negatives) in [
        (0.6, 0.5, 0.0),
        (0.8, 0.5, 0.0),
        (0.8, 0.1, 0.0),
        (0.8, 0.5, 0.7),
        (0.97, 0.5, 0.0),
        (0.97, 0.1, 0.7),
    ] {
        cases.push(case(Limit::MaxF1Drop("0"), f1, f1, share, negatives));
    }
    cases.push(case(Limit::MaxF1Drop("5"), 0.85, 0.8, 0.5, 0.0));
    cases.push(case(Limit::MaxF1Drop("5"), 0.99, 0.94, 0.1, 0.5));
    cases.push(case(Limit::MinF1("80"), 0.8, 0.8, 0.5, 0.0));
    cases.push(case(Limit::MinF1("80"), 0.8, 0.8, 0.5, 0.7));
    cases.push(case(Limit::MinF1("97"), 0.97, 0.97, 0.5, 0.0));
    cases
}

fn decided_cases() -> Vec<(Case, &'static str)> {
    let case = |limit, blue, green| Case {
        limit,
        f1: PerColor { blue, green },
        canary_share: 0.5,
        negatives: 0.0,
    };
    let drop = Limit::MaxF1Drop;
    let least = Limit::MinF1;
    vec![
        (case(drop("1"), 0.8, 0.8), "kept"),
        (case(drop("2"), 0.8, 0.8), "kept"),
        (case(drop("5"), 0.8, 0.8), "kept"),
        (case(drop("1"), 0.9, 0.9), "kept"),
        (case(drop("2"), 0.9, 0.9), "kept"),
        (case(drop("5"), 0.9, 0.9), "kept"),
        (case(drop("1"), 0.8, 0.82), "kept"),
        (case(drop("1"), 0.8, 0.85), "kept"),
        (case(drop("1"), 0.8, 0.77), "broken"),
        (case(drop("1"), 0.8, 0.74), "broken"),
        (case(drop("1"), 0.8, 0.6), "broken"),
        (case(drop("1"), 0.9, 0.87), "broken"),
        (case(drop("1"), 0.9, 0.84), "broken"),
        (case(least("80"), 0.8, 0.82), "kept"),
        (case(least("80"), 0.8, 0.85), "kept"),
        (case(least("80"), 0.8, 0.9), "kept"),
        (case(least("80"), 0.8, 0.78), "broken"),
        (case(least("80"), 0.8, 0.75), "broken"),
        (case(least("80"), 0.8, 0.6), "broken"),
    ]
}

// === impl Case ===

impl Case {
    /// What becomes of many releases, each until there are so many outcomes, or all is known that is to be.
    fn fates(
        &self,
        confidence: &str,
        releases: u64,
        outcomes: u64,
        is_known: impl Fn(&Fate) -> bool + Sync,
    ) -> Vec<Fate> {
        let quality = self.quality(confidence);
        let seeds: Vec<u64> = (0..releases).collect();
        parallel::map("releases", &seeds, |seed| {
            self.fate(&quality, *seed, outcomes, &is_known)
        })
    }

    fn fate(
        &self,
        quality: &Quality,
        seed: u64,
        most: u64,
        is_known: impl Fn(&Fate) -> bool,
    ) -> Fate {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut outcomes = PerColor::<Outcomes>::default();
        let mut fate = Fate::default();
        for _ in 0..most / LOOK_EVERY {
            for _ in 0..LOOK_EVERY {
                let is_canary = rng.f64() < self.canary_share;
                let color = if is_canary { Color::Green } else { Color::Blue };
                let kind = self.outcome(color, &mut rng);
                *outcomes.of_mut(color).of_mut(kind) += 1;
            }
            let samples = outcomes.green.samples();
            let verdicts = quality.judge(Color::Blue, &outcomes, &PerColor::default());
            let verdict = match verdicts.analysis {
                QualityAnalysis::Inconclusive => LimitVerdict::Undecided,
                QualityAnalysis::Passed => LimitVerdict::Kept,
                QualityAnalysis::Failed(_) => LimitVerdict::Broken,
            };
            fate.see(verdict, samples);
            if is_known(&fate) {
                break;
            }
        }
        fate
    }

    /// Precision and recall are equal.
    fn outcome(&self, color: Color, rng: &mut fastrand::Rng) -> Outcome {
        if rng.f64() < self.negatives {
            return Outcome::TrueNegative;
        }
        let f1 = *self.f1.of(color);
        match rng.f64() {
            it if it < f1 / (2.0 - f1) => Outcome::TruePositive,
            _ if rng.bool() => Outcome::FalsePositive,
            _ => Outcome::FalseNegative,
        }
    }

    fn quality(&self, confidence: &str) -> Quality {
        let percent = |text| Percent::parse(text).ok();
        let (min_f1, max_f1_drop) = match self.limit {
            Limit::MinF1(least) => (percent(least), None),
            Limit::MaxF1Drop(most) => (None, percent(most)),
        };
        Quality {
            min_samples: MIN_SAMPLES,
            confidence: ConfidenceLevel::parse(confidence).ok(),
            max_f1_drop,
            min_f1,
            ..Quality::default()
        }
    }

    fn samples_until(&self, verdict: &str) -> String {
        let at = |fate: &Fate| match verdict {
            "kept" => fate.kept_at,
            _ => fate.broken_at,
        };
        let fates = self.fates("95", FEW_RELEASES, MOST_OUTCOMES, |fate| at(fate).is_some());
        median_and_late(&fates, at).map(shown).join(", ")
    }
}

// === impl Limit ===

impl Limit {
    fn name(self) -> String {
        match self {
            Self::MinF1(least) => format!("`min_f1` {least}"),
            Self::MaxF1Drop(most) => format!("`max_f1_drop` {most}"),
        }
    }
}

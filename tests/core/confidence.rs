//! Verdicts with confidence: right however often figures are looked at, and what a log line says of them.

use crate::support::percent;
use bluegreen::{
    Color, ConfidenceLevel, ConfidenceSequence, Interval, LimitVerdict, Outcome, Outcomes,
    PerColor, Proportion, Quality, QualityAnalysis, QualityFigures,
};
use proptest::prelude::*;

const fn outcomes(tp: u64, fp: u64, fn_: u64, tn: u64) -> Outcomes {
    Outcomes { tp, fp, fn_, tn }
}

/// A gate without a limit.
fn gate(confidence: &str, min_samples: u64) -> Quality {
    Quality {
        min_samples,
        confidence: ConfidenceLevel::parse(confidence).ok(),
        max_f1_drop: None,
        min_f1: None,
        min_precision: None,
        min_recall: None,
        hold_at: None,
        ..Quality::default()
    }
}

fn min_f1(least: &str) -> Quality {
    Quality {
        min_f1: Some(percent(least)),
        ..gate("95", 1)
    }
}

fn max_f1_drop(most: &str) -> Quality {
    Quality {
        max_f1_drop: Some(percent(most)),
        ..gate("95", 1)
    }
}

fn judge(quality: &Quality, blue: Outcomes, green: Outcomes) -> QualityAnalysis {
    let outcomes = PerColor { blue, green };
    quality
        .judge(Color::Blue, &outcomes, &PerColor::default())
        .analysis
}

#[track_caller]
fn assert_broken(quality: &Quality, blue: Outcomes, green: Outcomes, message: &str) {
    match judge(quality, blue, green) {
        QualityAnalysis::Failed(breach) => assert_eq!(breach.to_string(), message),
        other => panic!("{other:?}"),
    }
}

/// The chance that a share is ever found broken, or kept, where its true value is the limit itself, looked at after
/// each of so many samples: computed exactly, over all ways that the samples may come.
fn chances_of_a_verdict(limit: f64, sequence: &ConfidenceSequence, samples: u64) -> [f64; 2] {
    let mut undecided = vec![1.0];
    let mut decided = [0.0; 2];
    for whole in 1..=samples {
        let mut next = vec![0.0; undecided.len() + 1];
        for (part, chance) in undecided.iter().enumerate() {
            next[part] += chance * (1.0 - limit);
            next[part + 1] += chance * limit;
        }
        for (part, chance) in next.iter_mut().enumerate() {
            if *chance < 1e-12 {
                *chance = 0.0;
                continue;
            }
            let verdict = Proportion::new(part as u64, whole)
                .unwrap()
                .judge(limit, sequence);
            let at = match verdict {
                LimitVerdict::Undecided => continue,
                LimitVerdict::Broken => 0,
                LimitVerdict::Kept => 1,
            };
            decided[at] += std::mem::take(chance);
        }
        undecided = next;
    }
    decided
}

#[test]
fn verdict_on_a_share_is_wrong_no_more_often_than_promised() {
    for (level, risk) in [("95", 0.05), ("99.9", 0.001), ("50", 0.5)] {
        for min_samples in [1, 20] {
            let level = ConfidenceLevel::parse(level).unwrap();
            let sequence = ConfidenceSequence::new(level, min_samples);
            for limit in [0.5, 0.9, 0.99] {
                let chances = chances_of_a_verdict(limit, &sequence, 1_200);
                println!("{level} %, from {min_samples}, {limit}: {chances:.5?}");
                for chance in chances {
                    assert!(chance <= risk, "{level} {min_samples} {limit}: {chances:?}");
                }
                // A bound that is far too wide is of no use.
                if limit < 0.99 {
                    assert!(
                        chances[0] > risk / 3.0,
                        "{level} {min_samples} {limit}: {chances:?}"
                    );
                }
            }
        }
    }
}

/// The share of releases found broken, and kept, at any of 150 looks, each after 10 outcomes of both colors. The true
/// F1 are equal, and so the drop is the limit itself.
fn share_of_verdicts(confidence: &str, f1: f64, canary_share: f64) -> [f64; 2] {
    const RELEASES: u64 = 400;
    let quality = Quality {
        max_f1_drop: Some(percent("0")),
        ..gate(confidence, 40)
    };
    let mut found = [0.0; 2];
    for seed in 0..RELEASES {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut both = PerColor::<Outcomes>::default();
        let mut is_found = [false; 2];
        for _ in 0..150 {
            for _ in 0..10 {
                let is_canary = rng.f64() < canary_share;
                let color = if is_canary { Color::Green } else { Color::Blue };
                let kind = match rng.f64() {
                    it if it < 0.3 => Outcome::TrueNegative,
                    _ if rng.f64() < f1 / (2.0 - f1) => Outcome::TruePositive,
                    _ if rng.bool() => Outcome::FalsePositive,
                    _ => Outcome::FalseNegative,
                };
                *both.of_mut(color).of_mut(kind) += 1;
            }
            match quality
                .judge(Color::Blue, &both, &PerColor::default())
                .analysis
            {
                QualityAnalysis::Inconclusive => {}
                QualityAnalysis::Failed(_) => is_found[0] = true,
                QualityAnalysis::Passed => is_found[1] = true,
            }
        }
        for (found, is_found) in found.iter_mut().zip(is_found) {
            *found += f64::from(u8::from(is_found));
        }
    }
    found.map(|found| found / RELEASES as f64)
}

#[test]
fn verdict_on_a_drop_is_wrong_no_more_often_than_promised() {
    for (f1, canary_share) in [(0.6, 0.5), (0.8, 0.5), (0.8, 0.1), (0.96, 0.1), (0.96, 0.9)] {
        let wrong = share_of_verdicts("95", f1, canary_share);
        let [bare, _] = share_of_verdicts("none", f1, canary_share);
        println!("F1 {f1}, canary {canary_share}: broken and kept {wrong:.3?}, bare {bare:.3}");
        assert!(
            wrong.iter().all(|share| *share <= 0.05),
            "{f1} {canary_share}: {wrong:?}"
        );
        assert!(bare > 0.5, "{f1} {canary_share}: {bare}");
    }
}

#[test]
fn more_samples_and_more_confidence_are_what_a_verdict_takes() {
    let times = |n: u64| outcomes(70 * n, 15 * n, 15 * n, 0);
    let stable = outcomes(700, 10, 10, 0);
    let quality = min_f1("80");
    assert_eq!(times(1).f1_ppm(), Some(823_529));
    assert_eq!(
        judge(&quality, stable, times(1)),
        QualityAnalysis::Inconclusive
    );
    assert_eq!(judge(&quality, stable, times(30)), QualityAnalysis::Passed);
    let surer = Quality {
        confidence: ConfidenceLevel::parse("99.99").ok(),
        ..quality
    };
    assert_eq!(
        judge(&surer, stable, times(30)),
        QualityAnalysis::Inconclusive
    );
    assert_eq!(judge(&surer, stable, times(120)), QualityAnalysis::Passed);
    // Fewer samples of one color than asked for.
    let more = Quality {
        min_samples: 721,
        ..surer
    };
    assert_eq!(
        judge(&more, stable, times(60)),
        QualityAnalysis::Inconclusive
    );
}

#[test]
fn one_undecided_limit_is_enough_to_wait_and_one_broken_limit_to_fail() {
    let green = outcomes(800, 100, 100, 0);
    let kept = Quality {
        min_precision: Some(percent("80")),
        min_recall: Some(percent("80")),
        ..min_f1("80")
    };
    assert_eq!(judge(&kept, green, green), QualityAnalysis::Passed);
    let undecided = Quality {
        min_recall: Some(percent("88.8")),
        ..kept.clone()
    };
    assert_eq!(
        judge(&undecided, green, green),
        QualityAnalysis::Inconclusive
    );
    let broken = Quality {
        max_f1_drop: Some(percent("1")),
        ..undecided
    };
    let better = outcomes(950, 20, 30, 0);
    assert!(matches!(
        judge(&broken, better, green),
        QualityAnalysis::Failed(_)
    ));
}

#[test]
fn limits_that_every_figure_keeps_are_kept() {
    let worst = outcomes(0, 1, 1, 0);
    let quality = Quality {
        min_precision: Some(percent("0")),
        min_recall: Some(percent("0")),
        max_f1_drop: Some(percent("100")),
        ..min_f1("0")
    };
    assert_eq!(
        judge(&quality, outcomes(1, 0, 0, 0), worst),
        QualityAnalysis::Passed
    );
}

#[test]
fn a_single_wrong_answer_breaks_a_limit_of_a_hundred_percent_and_nothing_keeps_it() {
    let perfect = outcomes(1_000_000, 0, 0, 0);
    let quality = min_f1("100");
    assert_eq!(
        judge(&quality, perfect, perfect),
        QualityAnalysis::Inconclusive
    );
    let one_wrong = outcomes(1_000_000, 1, 0, 0);
    assert!(matches!(
        judge(&quality, perfect, one_wrong),
        QualityAnalysis::Failed(_)
    ));
}

#[test]
fn limit_without_a_figure_is_not_judged() {
    let none = outcomes(0, 0, 0, 1_000);
    let some = outcomes(900, 50, 50, 0);
    let quality = Quality {
        min_precision: Some(percent("99")),
        min_recall: Some(percent("99")),
        max_f1_drop: Some(percent("1")),
        ..min_f1("99")
    };
    assert_eq!(judge(&quality, some, none), QualityAnalysis::Passed);
    assert_eq!(
        judge(&max_f1_drop("1"), none, some),
        QualityAnalysis::Passed
    );
}

#[test]
fn message_has_the_limit_the_figures_and_their_intervals() {
    let (good, bad) = (outcomes(900, 50, 50, 0), outcomes(600, 200, 300, 0));
    assert_broken(
        &min_f1("80"),
        good,
        bad,
        "min_f1 80 % is broken: 70.588 %; with 95 % confidence 66.138 to 74.701 %",
    );
    let worse = outcomes(600, 300, 300, 0);
    let min_precision = Quality {
        min_precision: Some(percent("80")),
        ..gate("99.9", 100)
    };
    assert_broken(
        &min_precision,
        good,
        worse,
        "min_precision 80 % is broken: 66.666 %; with 99.9 % confidence 60.017 to 72.899 %",
    );
    let min_recall = Quality {
        min_recall: Some(percent("80")),
        ..gate("95", 100)
    };
    assert_broken(
        &min_recall,
        good,
        worse,
        "min_recall 80 % is broken: 66.666 %; with 95 % confidence 61.841 to 71.269 %",
    );
    assert_broken(
        &max_f1_drop("5.5"),
        good,
        bad,
        "max_f1_drop 5.5 % is broken: 70.588 %, stable 94.736 %; with 95 % confidence 66.138 to 74.701 %, stable 92.746 to 96.326 %, the drop 19.619 to 28.9 %",
    );
}

#[test]
fn figures_have_intervals_and_none_where_there_is_nothing_to_divide_by() {
    let figures = QualityFigures::new(&outcomes(85, 10, 15, 0), Some(&gate("95", 100)));
    let shown =
        [figures.precision, figures.recall, figures.f1].map(|it| [it.low_ppm, it.ppm, it.high_ppm]);
    assert_eq!(
        shown,
        [
            [786_940, 894_737, 961_029],
            [734_263, 850_000, 930_620],
            [788_329, 871_795, 930_378]
        ]
    );
    let none = QualityFigures::new(&outcomes(0, 0, 0, 9), None);
    assert_eq!(
        none,
        QualityFigures {
            samples: 9,
            ..QualityFigures::default()
        }
    );
    // A gate without confidence shows the default's intervals.
    let counts = outcomes(85, 10, 15, 0);
    let shown = |confidence| QualityFigures::new(&counts, Some(&gate(confidence, 100)));
    assert_eq!(shown("none"), shown("95"));
    assert_ne!(shown("none"), shown("99"));
}

fn counts(most: u64) -> impl Strategy<Value = Outcomes> {
    let count = move || prop_oneof![0_u64..20, 0_u64..2_000, 0..=most, Just(most)];
    (count(), count(), count(), count()).prop_map(|(tp, fp, fn_, tn)| outcomes(tp, fp, fn_, tn))
}

/// The least evidence against any two F1 that lie a drop apart, by trying ten thousand.
fn least_evidence(stable: Outcomes, canary: Outcomes, drop: f64) -> f64 {
    let jaccard = |it: Outcomes| Proportion::new(it.tp, it.tp + it.fp + it.fn_).unwrap();
    let against = |it: Outcomes, f1: f64| jaccard(it).evidence_against(f1 / (2.0 - f1));
    let tried = (0..=10_000).map(|step| f64::from(step) / 10_000.0);
    let tried = tried.filter(|f1| (0.0..=1.0).contains(&(f1 - drop)));
    tried
        .map(|f1| against(stable, f1) + against(canary, f1 - drop))
        .fold(f64::INFINITY, f64::min)
}

proptest! {
    #[test]
    fn any_counts_give_a_figure_within_its_interval(counts in counts(1 << 60), min_samples in 1_u64..2_000) {
        let quality = gate("95", min_samples);
        let figures = QualityFigures::new(&counts, Some(&quality));
        for figure in [figures.precision, figures.recall, figures.f1] {
            prop_assert!(figure.low_ppm <= figure.ppm && figure.ppm <= figure.high_ppm, "{figure:?}");
            prop_assert!(figure.high_ppm <= 1_000_000, "{figure:?}");
        }
    }

    #[test]
    fn verdict_is_what_the_interval_says(blue in counts(1 << 40), green in counts(1 << 40), limit in 0_u32..=1_000) {
        let limit = f64::from(limit) / 1_000.0;
        let sequence = ConfidenceSequence::new(ConfidenceLevel::DEFAULT, 100);
        let Some((blue, green)) = blue.f1().zip(green.f1()) else { return Ok(()) };
        let expected = |Interval { low, high }: Interval, is_floor: bool| {
            let near = |end: f64| (end - limit).abs() < 1e-6;
            match (limit < low, limit > high, is_floor) {
                _ if near(low) || near(high) => None,
                (true, _, true) | (_, true, false) => Some(LimitVerdict::Kept),
                (_, true, true) | (true, _, false) => Some(LimitVerdict::Broken),
                _ => Some(LimitVerdict::Undecided),
            }
        };
        let verdict = green.judge(limit, &sequence);
        prop_assert_eq!(expected(green.interval(&sequence), true).unwrap_or(verdict), verdict);
        let drop = bluegreen::F1Drop::new(blue, green);
        let verdict = drop.judge(limit, &sequence);
        prop_assert_eq!(expected(drop.interval(&sequence), false).unwrap_or(verdict), verdict);
    }

    #[test]
    fn evidence_against_a_drop_is_that_of_its_likeliest_pair(
        blue in (0_u64..300, 1_u64..300), green in (0_u64..300, 1_u64..300), drop in -100_i32..=100,
    ) {
        let drop = f64::from(drop) / 100.0;
        let [blue, green] = [blue, green].map(|(tp, fp)| outcomes(tp, fp, 0, 0));
        let found = bluegreen::F1Drop::new(blue.f1().unwrap(), green.f1().unwrap()).evidence_against(drop);
        let tried = least_evidence(blue, green, drop);
        prop_assert!(found == tried || found <= tried + 1e-6 && found >= tried - 0.01 * (1.0 + tried), "{found} {tried}");
    }
}

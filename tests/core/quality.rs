//! Precision, recall, F1, and the gate that a better model has to pass.

use crate::support::percent;
use bluegreen::{Color, Outcome, Outcomes, PerColor, Quality, QualityAnalysis};
use proptest::prelude::*;

const fn outcomes(tp: u64, fp: u64, fn_: u64, tn: u64) -> Outcomes {
    Outcomes { tp, fp, fn_, tn }
}

/// The worked example: green is better.
const BLUE: Outcomes = outcomes(80, 15, 20, 0);
const GREEN: Outcomes = outcomes(85, 10, 15, 0);

fn figures(outcomes: Outcomes) -> [Option<u32>; 3] {
    [
        outcomes.precision_ppm(),
        outcomes.recall_ppm(),
        outcomes.f1_ppm(),
    ]
}

fn to_three_decimals(outcomes: Outcomes) -> [String; 3] {
    figures(outcomes).map(|ppm| format!("{:.3}", f64::from(ppm.unwrap()) / 1e6))
}

fn no_limits() -> Quality {
    Quality {
        min_samples: 1,
        confidence: None,
        max_f1_drop: None,
        min_f1: None,
        min_precision: None,
        min_recall: None,
        hold_at: None,
        ..Quality::default()
    }
}

fn judge(quality: &Quality, blue: Outcomes, green: Outcomes) -> QualityAnalysis {
    let outcomes = PerColor { blue, green };
    quality
        .judge(Color::Blue, &outcomes, &PerColor::default())
        .analysis
}

#[track_caller]
fn assert_kept(quality: &Quality, blue: Outcomes, green: Outcomes) {
    assert_eq!(judge(quality, blue, green), QualityAnalysis::Passed);
}

#[track_caller]
fn assert_broken(quality: &Quality, blue: Outcomes, green: Outcomes, message: &str) {
    match judge(quality, blue, green) {
        QualityAnalysis::Failed(breach) => assert_eq!(breach.to_string(), message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn worked_example_comes_out() {
    assert_eq!(to_three_decimals(BLUE), ["0.842", "0.800", "0.821"]);
    assert_eq!(to_three_decimals(GREEN), ["0.895", "0.850", "0.872"]);
    assert_eq!(figures(BLUE), [Some(842_105), Some(800_000), Some(820_513)]);
    assert_eq!(
        figures(GREEN),
        [Some(894_737), Some(850_000), Some(871_795)]
    );
}

#[test]
fn figures_are_rounded_to_the_nearest_millionth() {
    assert_eq!(outcomes(1, 2, 0, 0).precision_ppm(), Some(333_333));
    assert_eq!(outcomes(2, 1, 0, 0).precision_ppm(), Some(666_667));
    assert_eq!(outcomes(0, 1, 1, 0).f1_ppm(), Some(0));
    assert_eq!(outcomes(1, 0, 0, 0).f1_ppm(), Some(1_000_000));
}

#[test]
fn there_is_no_figure_with_nothing_to_divide_by() {
    assert_eq!(figures(outcomes(0, 0, 0, 0)), [None, None, None]);
    assert_eq!(figures(outcomes(0, 0, 0, 9)), [None, None, None]);
    assert_eq!(figures(outcomes(0, 1, 0, 0)), [Some(0), None, Some(0)]);
    assert_eq!(figures(outcomes(0, 0, 1, 0)), [None, Some(0), Some(0)]);
}

#[test]
fn true_negatives_are_samples_and_nothing_else() {
    assert_eq!(outcomes(80, 15, 20, 1_000).samples(), 1_115);
    assert_eq!(figures(outcomes(80, 15, 20, 1_000)), figures(BLUE));
}

#[test]
fn both_colors_need_enough_samples() {
    let quality = Quality {
        min_samples: 100,
        min_f1: Some(percent("100")),
        ..no_limits()
    };
    let (few, enough) = (outcomes(50, 0, 0, 49), outcomes(50, 1, 0, 49));
    assert_eq!(judge(&quality, few, enough), QualityAnalysis::Inconclusive);
    assert_eq!(judge(&quality, enough, few), QualityAnalysis::Inconclusive);
    assert_broken(&quality, enough, enough, "min_f1 100 % is broken: 99.009 %");
}

#[test]
fn better_model_keeps_all_limits() {
    let quality = Quality {
        min_samples: 110,
        confidence: None,
        max_f1_drop: Some(percent("0")),
        min_f1: Some(percent("87.1")),
        min_precision: Some(percent("89.4")),
        min_recall: Some(percent("85")),
        hold_at: None,
        ..Quality::default()
    };
    assert_kept(&quality, BLUE, GREEN);
}

#[test]
fn each_floor_is_kept_at_its_border_and_broken_below() {
    let min_f1 = |text| Quality {
        min_f1: Some(percent(text)),
        ..no_limits()
    };
    let min_precision = |text| Quality {
        min_precision: Some(percent(text)),
        ..no_limits()
    };
    let min_recall = |text| Quality {
        min_recall: Some(percent(text)),
        ..no_limits()
    };
    assert_kept(&min_f1("87.179"), BLUE, GREEN);
    assert_broken(
        &min_f1("87.18"),
        BLUE,
        GREEN,
        "min_f1 87.18 % is broken: 87.179 %",
    );
    assert_kept(&min_precision("89.473"), BLUE, GREEN);
    assert_broken(
        &min_precision("89.474"),
        BLUE,
        GREEN,
        "min_precision 89.474 % is broken: 89.473 %",
    );
    assert_kept(&min_recall("85"), BLUE, GREEN);
    assert_broken(
        &min_recall("85.001"),
        BLUE,
        GREEN,
        "min_recall 85.001 % is broken: 85 %",
    );
}

#[test]
fn drop_is_kept_at_its_border_and_broken_beyond() {
    let max_drop = |text| Quality {
        max_f1_drop: Some(percent(text)),
        ..no_limits()
    };
    let (good, worse) = (outcomes(1, 0, 0, 0), outcomes(49, 1, 1, 0));
    assert_kept(&max_drop("2"), good, worse);
    let message = "max_f1_drop 1.999 % is broken: 98 %, stable 100 %";
    assert_broken(&max_drop("1.999"), good, worse, message);
    assert_kept(&max_drop("0"), worse, good);
}

#[test]
fn watched_color_is_the_one_that_is_not_stable() {
    let quality = Quality {
        max_f1_drop: Some(percent("1")),
        ..no_limits()
    };
    let both = PerColor {
        blue: BLUE,
        green: GREEN,
    };
    let judge = |stable| quality.judge(stable, &both, &PerColor::default()).analysis;
    assert_eq!(judge(Color::Blue), QualityAnalysis::Passed);
    assert!(matches!(judge(Color::Green), QualityAnalysis::Failed(_)));
}

#[test]
fn limit_without_a_figure_is_not_judged() {
    let none = outcomes(0, 0, 0, 1);
    let hundred = Some(percent("100"));
    let quality = Quality {
        min_f1: hundred,
        min_precision: hundred,
        min_recall: hundred,
        ..no_limits()
    };
    assert_kept(&quality, BLUE, none);
    let quality = Quality {
        max_f1_drop: Some(percent("0")),
        ..no_limits()
    };
    assert_kept(&quality, none, GREEN);
    assert_kept(&quality, BLUE, none);
}

#[test]
fn quality_without_a_limit_asks_for_samples_alone() {
    let (none, worst) = (Outcomes::default(), outcomes(0, 1, 1, 0));
    assert_eq!(
        judge(&no_limits(), BLUE, none),
        QualityAnalysis::Inconclusive
    );
    assert_eq!(
        judge(&no_limits(), none, BLUE),
        QualityAnalysis::Inconclusive
    );
    assert_kept(&no_limits(), BLUE, worst);
}

#[test]
fn outcomes_are_known_by_their_names() {
    let names = Outcome::ALL.map(Outcome::as_str);
    assert_eq!(names, ["tp", "fp", "fn", "tn"]);
    let counts = Outcomes::from_fn(|kind| {
        1 + names
            .iter()
            .position(|name| *name == kind.as_str())
            .unwrap() as u64
    });
    assert_eq!(counts, outcomes(1, 2, 3, 4));
    for (kind, count) in Outcome::ALL.into_iter().zip(1..) {
        assert_eq!(Outcome::from_bytes(kind.as_str().as_bytes()), Some(kind));
        assert_eq!(counts.of(kind), count);
    }
    for name in [&b""[..], b"TP", b"tp ", b"fn_", b"\xff"] {
        assert_eq!(Outcome::from_bytes(name), None);
    }
}

fn counts() -> impl Strategy<Value = Outcomes> {
    let count = || prop_oneof![0_u64..2_000, 0_u64..1 << 40, Just(u64::MAX), any::<u64>()];
    (count(), count(), count(), count()).prop_map(|(tp, fp, fn_, tn)| outcomes(tp, fp, fn_, tn))
}

proptest! {
    #[test]
    fn any_counts_give_figures_within_their_range(blue in counts(), green in counts()) {
        for figure in figures(blue).into_iter().flatten() {
            prop_assert!(figure <= 1_000_000);
        }
        let quality = Quality { max_f1_drop: Some(percent("1")), min_f1: Some(percent("50")), ..no_limits() };
        let _ = judge(&quality, blue, green);
    }

    #[test]
    fn f1_is_the_harmonic_mean_of_precision_and_recall(tp in 1_u64..10_000, fp in 0_u64..10_000, fn_ in 0_u64..10_000) {
        let [precision, recall, f1] = figures(outcomes(tp, fp, fn_, 0)).map(|ppm| f64::from(ppm.unwrap()) / 1e6);
        // Each figure is rounded to a millionth.
        prop_assert!((f1 - 2.0 * precision * recall / (precision + recall)).abs() < 3e-6);
    }
}

//! Limits of scores: what is kept, broken and undecided, and what a log line says.

use crate::support::{config, policy};
use bluegreen::{
    Color, LimitVerdict, Micro, PerColor, Quality, QualityAnalysis, QualityVerdicts, ScoreFigures,
    ScoreSum, ScoreSums,
};
use serde_json::{Value, json};

fn quality(fields: Value) -> Quality {
    let policy = policy(&config(&json!({ "quality": fields })));
    policy.rollouts[0].quality.clone().unwrap()
}

fn with_score(confidence: Value, score: Value) -> Quality {
    quality(json!({ "min_samples": 100, "confidence": confidence, "scores": { "rating": score } }))
}

/// So many scores, half of them one step below the mean and half of them above.
fn around(mean: f64, step: f64, count: u64) -> ScoreSum {
    let mut sum = ScoreSum::default();
    for index in 0..count {
        let score = if index % 2 == 0 {
            mean - step
        } else {
            mean + step
        };
        let score = Micro::from_millionths((score * 1e6).round() as u64);
        sum.add(&ScoreSum::of(score));
    }
    sum
}

fn ones(ones: u64, count: u64) -> ScoreSum {
    ScoreSum::of_many(count, &ones.to_string(), &ones.to_string()).unwrap()
}

fn judge(quality: &Quality, blue: ScoreSum, green: ScoreSum) -> QualityVerdicts {
    let mut scores = PerColor::<ScoreSums>::default();
    scores.blue.add_to("rating", &blue);
    scores.green.add_to("rating", &green);
    quality.judge(Color::Blue, &PerColor::default(), &scores)
}

#[track_caller]
fn assert_verdict(quality: &Quality, blue: ScoreSum, green: ScoreSum, expected: LimitVerdict) {
    let verdicts = judge(quality, blue, green);
    assert_eq!(verdicts.limits, [expected]);
    let fits = match verdicts.analysis {
        QualityAnalysis::Inconclusive => expected == LimitVerdict::Undecided,
        QualityAnalysis::Passed => expected == LimitVerdict::Kept,
        QualityAnalysis::Failed(_) => expected == LimitVerdict::Broken,
    };
    assert!(fits, "{:?}", verdicts.analysis);
}

#[test]
fn each_limit_is_kept_broken_or_undecided() {
    let stable = around(4.0, 1.0, 10_000);
    for (score, kept, undecided, broken) in [
        (json!({ "better": "higher", "min": 3.5 }), 3.7, 3.51, 3.3),
        (json!({ "better": "lower", "max": 4.5 }), 4.3, 4.49, 4.7),
        (
            json!({ "better": "higher", "max_drop": 0.2 }),
            3.95,
            3.81,
            3.6,
        ),
        (
            json!({ "better": "lower", "max_rise": 0.2 }),
            4.05,
            4.21,
            4.4,
        ),
        (
            json!({ "better": "higher", "max_drop_percent": 5 }),
            3.95,
            3.81,
            3.6,
        ),
        (
            json!({ "better": "lower", "max_rise_percent": 5 }),
            4.05,
            4.19,
            4.4,
        ),
    ] {
        let quality = with_score(json!(95), score);
        let green = |mean| around(mean, 1.0, 10_000);
        assert_verdict(&quality, stable, green(kept), LimitVerdict::Kept);
        assert_verdict(&quality, stable, green(undecided), LimitVerdict::Undecided);
        assert_verdict(&quality, stable, green(broken), LimitVerdict::Broken);
        // With fewer than min_samples of either color none is judged.
        assert_verdict(
            &quality,
            stable,
            around(broken, 1.0, 99),
            LimitVerdict::Undecided,
        );
        let few = around(4.0, 1.0, 99);
        assert_verdict(&quality, few, green(broken), LimitVerdict::Undecided);
    }
}

#[test]
fn bare_means_are_held_against_the_limits_without_confidence() {
    let stable = around(4.0, 1.0, 100);
    for (score, kept, broken) in [
        (json!({ "better": "higher", "min": 3.5 }), 3.5, 3.4999),
        (json!({ "better": "lower", "max": 4.5 }), 4.5, 4.5001),
        (
            json!({ "better": "higher", "max_drop": 0.25 }),
            3.75,
            3.7499,
        ),
        (json!({ "better": "lower", "max_rise": 0.25 }), 4.25, 4.2501),
        (
            json!({ "better": "higher", "max_drop_percent": 25 }),
            3.0,
            2.9999,
        ),
        (
            json!({ "better": "lower", "max_rise_percent": 150 }),
            10.0,
            10.001,
        ),
    ] {
        let quality = with_score(json!("none"), score);
        assert_verdict(&quality, stable, around(kept, 1.0, 100), LimitVerdict::Kept);
        assert_verdict(
            &quality,
            stable,
            around(broken, 1.0, 100),
            LimitVerdict::Broken,
        );
    }
}

#[test]
fn bare_means_that_are_equal_in_decimals_are_equal() {
    for (stable, canary) in [(1.1, 1.0), (0.3, 0.2), (4.3, 4.2), (10.1, 10.0)] {
        let higher = with_score(
            json!("none"),
            json!({ "better": "higher", "max_drop": 0.1 }),
        );
        let [stable, canary] = [stable, canary].map(|mean| around(mean, 0.0, 100));
        assert_verdict(&higher, stable, canary, LimitVerdict::Kept);
        let lower = with_score(json!("none"), json!({ "better": "lower", "max_rise": 0.1 }));
        assert_verdict(&lower, canary, stable, LimitVerdict::Kept);
    }
}

#[test]
fn rare_ones_are_judged_by_their_likelihood() {
    let clicks = |limit: Value| with_score(json!(95), limit);
    // Of 500 scores none is 1: the true share may well be a thousandth.
    let min = clicks(json!({ "better": "higher", "min": 0.001 }));
    assert_verdict(&min, ones(0, 500), ones(0, 500), LimitVerdict::Undecided);
    let min = clicks(json!({ "better": "higher", "min": 0.02 }));
    assert_verdict(&min, ones(0, 500), ones(0, 500), LimitVerdict::Broken);
    let drop = clicks(json!({ "better": "higher", "max_drop": 0.05 }));
    assert_verdict(&drop, ones(500, 500), ones(500, 500), LimitVerdict::Kept);
    assert_verdict(
        &drop,
        ones(500, 1_000),
        ones(200, 1_000),
        LimitVerdict::Broken,
    );
    let percent = clicks(json!({ "better": "higher", "max_drop_percent": 100 }));
    assert_verdict(
        &percent,
        ones(500, 1_000),
        ones(0, 1_000),
        LimitVerdict::Kept,
    );
    let rise = clicks(json!({ "better": "lower", "max_rise": 1 }));
    assert_verdict(
        &rise,
        ones(0, 1_000),
        ones(1_000, 1_000),
        LimitVerdict::Kept,
    );
    let max = clicks(json!({ "better": "lower", "max": 0.1 }));
    assert_verdict(&max, ones(0, 500), ones(0, 500), LimitVerdict::Kept);
}

#[test]
fn scores_that_are_all_the_same_are_not_sure_to_stay_so() {
    let same = |count| around(4.0, 0.0, count);
    let close = with_score(json!(95), json!({ "better": "higher", "min": 3.99 }));
    assert_verdict(&close, same(500), same(500), LimitVerdict::Undecided);
    assert_verdict(&close, same(10_000), same(10_000), LimitVerdict::Kept);
}

#[test]
fn log_line_names_the_score_its_mean_and_intervals() {
    let reason = |quality: &Quality, blue, green| match judge(quality, blue, green).analysis {
        QualityAnalysis::Failed(breach) => breach.to_string(),
        other => panic!("{other:?}"),
    };
    let (stable, canary) = (around(4.0, 1.0, 10_000), around(3.5, 1.0, 10_000));
    let drop = with_score(json!(95), json!({ "better": "higher", "max_drop": 0.2 }));
    let line = reason(&drop, stable, canary);
    let begin = "rating max_drop 0.2 is broken: mean 3.5, stable 4; with 95 % confidence 3.4";
    assert!(line.starts_with(begin), "{line}");
    assert!(
        line.contains(", stable 3.96") && line.contains(", the drop 0.4"),
        "{line}"
    );
    let rise = with_score(
        json!("none"),
        json!({ "better": "lower", "max_rise_percent": 10 }),
    );
    assert_eq!(
        reason(&rise, canary, stable),
        "rating max_rise_percent 10 % is broken: mean 4, stable 3.5"
    );
    let max = with_score(json!("none"), json!({ "better": "lower", "max": 3.25 }));
    assert_eq!(
        reason(&max, stable, canary),
        "rating max 3.25 is broken: mean 3.5"
    );
}

#[test]
fn gate_with_scores_waits_for_what_it_has_limits_of() {
    let scores =
        json!({ "rating": { "better": "higher", "min": 1 }, "cost": { "better": "lower" } });
    let only = quality(json!({ "min_samples": 100, "scores": scores }));
    assert_eq!(only.limit_names(), ["rating_min"]);
    let good = around(4.0, 1.0, 1_000);
    assert_eq!(judge(&only, good, good).analysis, QualityAnalysis::Passed);
    let both = quality(json!({ "min_samples": 100, "min_f1": 50, "scores": scores }));
    assert_eq!(both.limit_names(), ["min_f1", "rating_min"]);
    let verdicts = judge(&both, good, good);
    assert_eq!(verdicts.analysis, QualityAnalysis::Inconclusive);
    assert_eq!(
        verdicts.limits,
        [LimitVerdict::Undecided, LimitVerdict::Kept]
    );
    // A score that is surely worse does not wait for outcomes.
    let bad = around(0.5, 0.5, 1_000);
    assert!(matches!(
        judge(&both, good, bad).analysis,
        QualityAnalysis::Failed(_)
    ));
}

#[test]
fn figures_hold_the_mean() {
    let quality = with_score(json!(95), json!({ "better": "higher", "min": 1 }));
    let figures = ScoreFigures::new(&around(4.0, 1.0, 1_000), &quality);
    assert_eq!((figures.samples, figures.mean_micro), (1_000, 4_000_000));
    assert!(
        figures.low_micro > 3_800_000 && figures.low_micro < 4_000_000,
        "{figures:?}"
    );
    assert!(
        figures.high_micro < 4_200_000 && figures.high_micro > 4_000_000,
        "{figures:?}"
    );
    assert_eq!(
        ScoreFigures::new(&ScoreSum::default(), &quality),
        ScoreFigures::default()
    );
    let clicks = ScoreFigures::new(&ones(5, 1_000), &quality);
    assert!(
        clicks.low_micro > 0 && clicks.high_micro < 50_000,
        "{clicks:?}"
    );
}

#[test]
fn precision_and_recall_have_drops_too() {
    let fields = json!({ "min_samples": 100, "max_precision_drop": 5, "max_recall_drop": 5 });
    let quality = quality(fields);
    let outcomes = |tp, fp, fn_| bluegreen::Outcomes { tp, fp, fn_, tn: 0 };
    let judge = |blue, green| {
        let outcomes = PerColor { blue, green };
        quality.judge(Color::Blue, &outcomes, &PerColor::default())
    };
    let good = outcomes(9_000, 1_000, 1_000);
    assert_eq!(judge(good, good).limits, [LimitVerdict::Kept; 2]);
    let verdicts = judge(good, outcomes(8_000, 2_000, 1_000));
    assert_eq!(verdicts.limits[0], LimitVerdict::Broken);
    let QualityAnalysis::Failed(breach) = verdicts.analysis else {
        panic!("{verdicts:?}");
    };
    let line = breach.to_string();
    let begin = "max_precision_drop 5 % is broken: 80 %, stable 90 %; with 95 % confidence 78";
    assert!(
        line.starts_with(begin) && line.contains(", the drop "),
        "{line}"
    );
    let verdicts = judge(good, outcomes(9_000, 1_000, 3_000));
    assert_eq!(verdicts.limits, [LimitVerdict::Kept, LimitVerdict::Broken]);
}

//! Limits with confidence: chance alone rolls nothing back, and a ramp waits until a limit is surely kept.

use serde_json::{Value, json};
use testbed::{Metrics, get, with};

use crate::common::{
    Counts, Figures, config, item, overdue_ramp, rollout, start, tell, wait_for_figures,
    wait_for_guard_state, wait_for_weight, wait_until_served_by, weight,
};

fn gated(name: &str, quality: Value) -> Value {
    let quality = with(json!({ "min_samples": 100 }), quality);
    with(rollout(name), json!({ "quality": quality }))
}

fn ramped(name: &str, quality: Value) -> Value {
    with(gated(name, quality), json!({ "ramp": overdue_ramp("1h") }))
}

/// So many outcomes of a model whose precision and recall are 80 %.
fn drawn(rng: &mut fastrand::Rng, samples: u64) -> Counts {
    let mut counts = [0; 4];
    for _ in 0..samples {
        let kind = match rng.f64() {
            it if it < 2.0 / 3.0 => 0,
            it if it < 5.0 / 6.0 => 1,
            _ => 2,
        };
        counts[kind] += 1;
    }
    counts
}

fn trips(metrics: &Metrics, rollout: &str) -> f64 {
    metrics.get("bluegreen_guard_trips_total", &[("rollout", rollout)])
}

/// The lower and the upper end of the interval of a color's figure.
fn interval(metrics: &Metrics, rollout: &str, color: &str, figure: &str) -> [f64; 2] {
    let labels = [("rollout", rollout), ("color", color)];
    ["low", "high"]
        .map(|end| metrics.get(&format!("bluegreen_quality_{figure}_{end}_ppm"), &labels))
}

/// The default configuration of the README, for models that are equal.
#[tokio::test]
async fn equal_models_are_not_rolled_back_where_bare_figures_do() {
    const MODELS: usize = 30;
    let limits = |confidence: Value| json!({ "min_samples": 500, "max_f1_drop": 1, "min_f1": 75, "confidence": confidence });
    let name = |confidence: &str, model: usize| format!("{confidence}_{model}");
    let mut rollouts = Vec::new();
    for model in 0..MODELS {
        rollouts.push(gated(&name("sure", model), limits(json!(95))));
        rollouts.push(gated(&name("bare", model), limits(json!("none"))));
    }
    // Rollouts are looked after in this order: what `witness` has met, all before it have met too.
    rollouts.push(gated(
        "witness",
        json!({ "confidence": "none", "min_f1": 80 }),
    ));
    let env = start(config(rollouts)).await;

    let mut rng = fastrand::Rng::with_seed(1);
    let mut seen = Vec::new();
    // At 500 samples, and at each 500 more up to 3,000.
    for look in 1..=6 {
        let mut items = Vec::new();
        for model in 0..MODELS {
            for color in ["blue", "green"] {
                let counts = drawn(&mut rng, 500);
                items.push(item(&name("sure", model), color, counts));
                items.push(item(&name("bare", model), color, counts));
            }
        }
        let witness = [100 * look, 0, 0, 0];
        items.push(item("witness", "green", [100, 0, 0, 0]));
        items.push(item("witness", "blue", [100, 0, 0, 0]));
        tell(&env, items.into()).await;
        wait_for_figures(&env, "witness", "green", witness).await;
        wait_for_guard_state(&env, "witness", 0).await;
        let metrics = env.envoy.metrics().await;
        let rolled_back = |confidence| {
            let all = (0..MODELS).map(|model| trips(&metrics, &name(confidence, model)));
            all.sum::<f64>()
        };
        assert_eq!(rolled_back("sure"), 0.0, "{} samples", 500 * look);
        seen.push(rolled_back("bare"));
    }
    println!("rolled back by bare figures at 500 to 3,000 samples: {seen:?} of {MODELS}");
    assert!(seen[0] >= 5.0 && seen[5] > seen[0], "{seen:?}");
}

#[tokio::test]
async fn a_model_that_is_clearly_worse_is_rolled_back_with_its_interval_in_the_log() {
    let env = start(config([
        gated("floor", json!({ "min_f1": 80 })),
        gated("drop", json!({ "max_f1_drop": 1 })),
        gated("surer", json!({ "min_recall": 85, "confidence": 99.9 })),
    ]))
    .await;
    let (good, bad) = ([800, 100, 100, 0], [600, 200, 200, 0]);
    for name in ["floor", "drop", "surer"] {
        let items = json!([item(name, "blue", good), item(name, "green", bad)]);
        tell(&env, items).await;
        wait_for_guard_state(&env, name, 2).await;
        wait_for_weight(&env, name, 0).await;
        wait_until_served_by(&env, "blue", &get(&format!("/{name}/"))).await;
    }
    let ends = |[low, high]: [f64; 2]| format!("{} to {} %", thousandths(low), thousandths(high));
    let metrics = env.envoy.metrics().await;
    let shown = |name, color, figure| ends(interval(&metrics, name, color, figure));
    for (name, message) in [
        (
            "floor",
            format!(
                "min_f1 80 % is broken: 75 %; with 95 % confidence {}",
                shown("floor", "green", "f1")
            ),
        ),
        (
            "surer",
            format!(
                "min_recall 85 % is broken: 75 %; with 99.9 % confidence {}",
                shown("surer", "green", "recall")
            ),
        ),
        (
            "drop",
            format!(
                "max_f1_drop 1 % is broken: 75 %, stable 88.888 %; with 95 % confidence {}, stable {}, the drop ",
                shown("drop", "green", "f1"),
                shown("drop", "blue", "f1")
            ),
        ),
    ] {
        let line = format!("rollout {name}: rolled back to blue: {message}");
        env.envoy.wait_for_log(&line).await;
        assert_eq!(trips(&metrics, name), 1.0, "{name}");
    }
}

/// Parts per million as a log line shows them: percent with three places at most, cut off.
fn thousandths(ppm: f64) -> f64 {
    (ppm / 10.0).floor() / 1e3
}

#[tokio::test]
async fn a_ramp_waits_while_a_limit_is_undecided_and_goes_on_when_it_is_kept() {
    let env = start(config([
        ramped("floor", json!({ "min_f1": 80 })),
        ramped("drop", json!({ "max_f1_drop": 5, "hold_at": 20 })),
        gated("no_ramp", json!({ "min_f1": 80 })),
        ramped("witness", json!({ "min_f1": 80, "confidence": "none" })),
    ]))
    .await;
    // An F1 of 85 %.
    let few: Counts = [170, 30, 30, 0];
    let names = ["floor", "drop", "no_ramp", "witness"];
    let both = |counts: Counts| {
        let items = names.iter();
        let items =
            items.flat_map(|name| [item(name, "blue", counts), item(name, "green", counts)]);
        Value::from(items.collect::<Vec<_>>())
    };
    tell(&env, both(few)).await;
    wait_for_weight(&env, "witness", 50_000).await;
    for (name, held_at) in [
        ("floor", 10_000.0),
        ("drop", 20_000.0),
        ("no_ramp", 50_000.0),
    ] {
        wait_for_guard_state(&env, name, 1).await;
        assert_eq!(weight(&env.envoy.metrics().await, name), held_at, "{name}");
    }
    wait_for_guard_state(&env, "witness", 0).await;

    tell(&env, both(few.map(|count| 9 * count))).await;
    for name in ["floor", "drop"] {
        wait_for_weight(&env, name, 50_000).await;
        let line = format!("rollout {name}: the quality gate is passed, the ramp goes on");
        env.envoy.wait_for_log(&line).await;
    }
    for name in names {
        wait_for_guard_state(&env, name, 0).await;
    }
    let metrics = env.envoy.metrics().await;
    assert_eq!(metrics.get("bluegreen_guard_trips_total", &[]), 0.0);
}

#[tokio::test]
async fn intervals_are_gauges_that_hold_the_figure_and_get_narrower() {
    let env = start(config([
        gated("rec", json!({})),
        gated("surer", json!({ "confidence": 99 })),
        rollout("no_gate"),
    ]))
    .await;
    let counts: Counts = [85, 10, 15, 0];
    let mut widths = Vec::new();
    for (name, times) in [("rec", 1), ("rec", 9), ("surer", 10), ("no_gate", 10)] {
        tell(&env, item(name, "green", counts.map(|count| times * count))).await;
        let sum = if name == "rec" && times == 9 {
            10
        } else {
            times
        };
        wait_for_figures(&env, name, "green", counts.map(|count| sum * count)).await;
        let metrics = env.envoy.metrics().await;
        let shown = Figures::shown(&metrics, name, "green");
        let figures = [
            ("precision", shown.precision_ppm),
            ("recall", shown.recall_ppm),
            ("f1", shown.f1_ppm),
        ];
        widths.push(figures.map(|(figure, ppm)| {
            let [low, high] = interval(&metrics, name, "green", figure);
            assert!(
                0.0 < low && low < ppm && ppm < high && high < 1e6,
                "{name} {figure}: {low} {ppm} {high}"
            );
            assert_eq!(
                interval(&metrics, name, "blue", figure),
                [0.0; 2],
                "{name} {figure}"
            );
            high - low
        }));
    }
    let [one, ten, surer, no_gate] = widths[..] else {
        panic!("{widths:?}");
    };
    for figure in 0..3 {
        // √10 = 3.2
        assert!(one[figure] > 2.5 * ten[figure], "{widths:?}");
        assert!(surer[figure] > 1.1 * ten[figure], "{widths:?}");
        assert_eq!(no_gate[figure], ten[figure], "{widths:?}");
    }
}

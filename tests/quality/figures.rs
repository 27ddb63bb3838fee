//! The figures of a color's release: what they outlive, and what begins them afresh.

use serde_json::{Value, json};
use testbed::{PushOutcome, with};

use crate::common::{
    BLUE, Figures, GREEN, config, counted, item, rollout, start, tell, unmeasured, wait_for_figures,
};

/// `rec` with these labels, and `other` without any.
fn releases(blue: &str, green: &str) -> Value {
    let releases = json!({ "releases": { "blue": blue, "green": green } });
    config([with(rollout("rec"), releases), rollout("other")])
}

fn example(rollout: &str) -> Value {
    json!([item(rollout, "blue", BLUE), item(rollout, "green", GREEN)])
}

fn plus(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    std::array::from_fn(|kind| a[kind] + b[kind])
}

#[tokio::test]
async fn figures_outlive_every_push_that_leaves_the_label_alone() {
    let env = start(releases("1", "2-rc1")).await;
    tell(&env, example("rec")).await;
    wait_for_figures(&env, "rec", "green", GREEN).await;

    let changed = with(
        rollout("rec"),
        json!({
            "releases": { "blue": "1", "green": "2-rc1" },
            "weights": { "blue": 10, "green": 90 },
            "sticky": [{ "header": "x-user-id" }],
            "quality": { "min_samples": 1_000, "min_f1": 1 },
        }),
    );
    let mut without_it = config([rollout("other")]);
    without_it["version"] = "without rec".into();
    let pushes = [
        with(releases("1", "2-rc1"), json!({ "version": "left alone" })),
        config([changed, rollout("new")]),
        without_it,
        releases("1", "2-rc1"),
    ];
    for (pushed, config) in pushes.into_iter().enumerate() {
        env.push(config).await;
        assert_eq!(
            env.envoy.push(json!({ "rollouts": [] })).await,
            PushOutcome::Rejected
        );
        let metrics = env.envoy.metrics().await;
        for (color, counts) in [("blue", BLUE), ("green", GREEN)] {
            let shown = Figures::shown(&metrics, "rec", color);
            assert_eq!(shown, Figures::of(counts), "{color} after push {pushed}");
        }
    }
    tell(&env, example("rec")).await;
    wait_for_figures(&env, "rec", "green", GREEN.map(|count| 2 * count)).await;
    wait_for_figures(&env, "rec", "blue", BLUE.map(|count| 2 * count)).await;
}

#[tokio::test]
async fn a_new_label_begins_that_color_of_that_rollout_afresh() {
    let env = start(releases("1", "2-rc1")).await;
    tell(&env, example("rec")).await;
    tell(&env, example("other")).await;
    wait_for_figures(&env, "rec", "green", GREEN).await;

    env.push(releases("1", "2-rc2")).await;
    wait_for_figures(&env, "rec", "green", [0; 4]).await;
    wait_for_figures(&env, "rec", "blue", BLUE).await;
    wait_for_figures(&env, "other", "green", GREEN).await;
    let metrics = env.envoy.metrics().await;
    assert_eq!(
        counted(&metrics, "rec", "green"),
        GREEN,
        "a counter never falls"
    );

    let second = [7, 1, 2, 3];
    tell(&env, item("rec", "green", second)).await;
    wait_for_figures(&env, "rec", "green", second).await;
    env.push(releases("2", "2-rc2")).await;
    wait_for_figures(&env, "rec", "blue", [0; 4]).await;
    wait_for_figures(&env, "rec", "green", second).await;

    // A label that was there before is new again: it may be another build of the same name.
    env.push(releases("2", "2-rc1")).await;
    wait_for_figures(&env, "rec", "green", [0; 4]).await;
    tell(&env, item("rec", "green", GREEN)).await;
    wait_for_figures(&env, "rec", "green", GREEN).await;

    let metrics = env.envoy.metrics().await;
    let all = plus(plus(GREEN, second), GREEN);
    assert_eq!(counted(&metrics, "rec", "green"), all);
    assert_eq!(counted(&metrics, "rec", "blue"), BLUE);
}

#[tokio::test]
async fn both_colors_can_begin_afresh_at_once() {
    let env = start(releases("1", "2")).await;
    tell(&env, example("rec")).await;
    wait_for_figures(&env, "rec", "blue", BLUE).await;
    env.push(releases("2", "3")).await;
    wait_for_figures(&env, "rec", "blue", [0; 4]).await;
    wait_for_figures(&env, "rec", "green", [0; 4]).await;
}

#[tokio::test]
async fn a_first_label_and_the_loss_of_one_are_new_labels_too() {
    let unlabelled = || {
        let quality = json!({ "quality": { "min_samples": 1_000_000 } });
        with(unmeasured("rec"), quality)
    };
    let env = start(config([unlabelled()])).await;
    tell(&env, example("rec")).await;
    wait_for_figures(&env, "rec", "green", GREEN).await;
    let labelled = with(unlabelled(), json!({ "releases": { "green": "2" } }));
    env.push(config([labelled])).await;
    wait_for_figures(&env, "rec", "green", [0; 4]).await;
    wait_for_figures(&env, "rec", "blue", BLUE).await;
    tell(&env, item("rec", "green", [1, 0, 0, 0])).await;
    env.push(config([unlabelled()])).await;
    wait_for_figures(&env, "rec", "green", [0; 4]).await;
    wait_for_figures(&env, "rec", "blue", BLUE).await;
}

#[tokio::test]
async fn with_nothing_to_divide_by_there_is_no_figure() {
    let env = start(config([rollout("rec")])).await;
    let told = [
        ("blue", [0, 0, 0, 900]),
        ("green", [0, 0, 5, 0]),
        ("blue", [0, 4, 0, 0]),
        ("green", [0, 0, 0, 2]),
    ];
    let mut sums = [[0; 4]; 2];
    for (color, counts) in told {
        tell(&env, item("rec", color, counts)).await;
        let sum = &mut sums[usize::from(color == "green")];
        *sum = plus(*sum, counts);
        wait_for_figures(&env, "rec", color, *sum).await;
    }
    // Counts far beyond 32 bits lose nothing.
    let many = [999_999_999, 333_333_333, 111_111_111, 999_999_999];
    tell(&env, vec![item("rec", "blue", many); 3].into()).await;
    sums[0] = plus(sums[0], many.map(|count| 3 * count));
    wait_for_figures(&env, "rec", "blue", sums[0]).await;
}

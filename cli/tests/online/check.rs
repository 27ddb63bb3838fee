//! `check --admin`.

use serde_json::{Value, json};
use testbed::TestEnv;

use crate::support::{Run, demo, run};

/// All that a set-up may be asked for.
fn demanding() -> Value {
    let mut config = demo(
        10,
        json!({
            "guard": { "window": "30s", "min_requests": 10, "slow_after": "1s", "max_slow_rate": 5 },
            "override": { "header": "x-bluegreen", "require": "internal" },
            "releases": { "blue": "1", "green": "2" },
        }),
    );
    config["profile"] = "signalled".into();
    config["color_header"] = "x-bluegreen-color".into();
    config["feedback"] = json!({ "path": "/feedback", "require": "nothing" });
    config
}

async fn check(config: Value, edits: &[(&str, &str)]) -> Run {
    let env = TestEnv::start_with(|envoy| {
        let envoy = envoy.config(config);
        edits.iter().fold(envoy, |envoy, (find, replace)| {
            envoy.edit_bootstrap(find, replace)
        })
    })
    .await;
    run(&env, &["check", "bluegreen.yaml"]).await
}

#[tokio::test]
async fn the_shipped_set_up_fits() {
    let run = check(demanding(), &[]).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.starts_with("http://127.0.0.1:"), "{run:?}");
    assert!(
        run.out
            .contains(" has this configuration in force\nbluegreen.yaml: valid, "),
        "{run:?}"
    );
    assert_eq!(run.out.lines().count(), 2, "{run:?}");
}

#[tokio::test]
async fn a_cluster_that_envoy_does_not_know_is_found_in_its_place() {
    let mut config = demo(10, json!({}));
    config["rollouts"][0]["clusters"]["green"] = "gren".into();
    let run = check(config, &[]).await;
    assert_eq!(run.code, 1, "{run:?}");
    let line = run.out.lines().next().expect("a line");
    assert!(line.starts_with("bluegreen.yaml:"), "{run:?}");
    assert!(
        line.contains(":19: error: rollouts[0].clusters.green: http://")
            && line.ends_with(": \"gren\" is no cluster of this Envoy (did you mean \"green\"?)"),
        "{run:?}"
    );
}

#[tokio::test]
async fn routes_and_headers_that_do_not_fit_are_found() {
    let run = check(
        demanding(),
        &[
            (
                "cluster_header: x-bluegreen-cluster",
                "cluster_header: x-other",
            ),
            ("          use_remote_address: true\n", ""),
        ],
    )
    .await;
    assert_eq!(run.code, 1, "{run:?}");
    for line in [
        "error: route_header: http",
        "ingress: no route has `cluster_header: x-bluegreen-cluster`, so nobody obeys the filter",
        "warning: rollouts[0].override.require: http",
        "use_remote_address is not true",
    ] {
        assert!(run.out.contains(line), "{line}: {run:?}");
    }
}

#[tokio::test]
async fn what_is_missing_in_the_bootstrap_is_found() {
    let run = check(
        demanding(),
        &[
            ("              - remove: x-bluegreen-cluster\n", "              - remove: x-other\n"),
            ("request_headers_to_remove: [x-bluegreen-cluster]", "request_headers_to_remove: [x-other]"),
            ("{ tag_name: cause,", "{ tag_name: other,"),
            ("internal_address_config:\n            cidr_ranges:\n            - { address_prefix: 127.0.0.1, prefix_len: 32 }\n", "skip_xff_append: false\n"),
            ("          - name: envoy.access_loggers.stats\n", "          - name: envoy.access_loggers.stats\n"),
        ],
    )
    .await;
    assert_eq!(run.code, 1, "{run:?}");
    for line in [
        "early_header_mutation_extensions does not remove x-bluegreen-cluster",
        "upstreams see x-bluegreen-cluster: add it to request_headers_to_remove",
        "stats_tags lacks cause: ",
        "error: rollouts[0].override.require: http",
        "internal_address_config is missing: no request counts as internal",
    ] {
        assert!(run.out.contains(line), "{line}: {run:?}");
    }
}

#[tokio::test]
async fn retries_and_timeouts_that_hide_a_canary_are_found() {
    let mut config = demanding();
    config["rollouts"][0]["guard"]["count_retries"] = false.into();
    let run = check(
        config,
        &[(
            "cluster_header: x-bluegreen-cluster\n                  timeout: 15s\n",
            "cluster_header: x-bluegreen-cluster\n                  timeout: 0.5s\n                  \
             retry_policy: { retry_on: 5xx }\n                  max_stream_duration: { max_stream_duration: 60s }\n",
        )],
    )
    .await;
    assert_eq!(run.code, 0, "{run:?}");
    for line in [
        "warning: rollouts[0].guard: http",
        "the route retries on 5xx and count_retries is false",
        "a stream that max_stream_duration cuts off counts as served",
        "warning: rollouts[0].guard.slow_after: http",
        "not below the route's timeout of 500 ms",
    ] {
        assert!(run.out.contains(line), "{line}: {run:?}");
        let once = line.starts_with("warning: ") || run.out.matches(line).count() == 1;
        assert!(once, "{line}: {run:?}");
    }
}

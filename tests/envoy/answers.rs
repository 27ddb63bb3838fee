//! Answers that come from no upstream, but from Envoy's routes and other filters.

use serde_json::json;
use testbed::{EnvoyBuilder, Request, TestEnv, get};

use crate::common::{OUR_FILTER, config};
use crate::counts::{assert_counts, both};

/// Envoy with blue alone, changed as the test wants.
async fn env(options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder) -> TestEnv {
    TestEnv::start_with(|envoy| options(envoy.config(config(0, json!([]))))).await
}

#[tokio::test]
async fn a_direct_response_of_a_route_counts_as_any_other() {
    let routes =
        "              # Needed: where a rollout matched, the filter has named the cluster.\n";
    let health = format!(
        "              - match: {{ path: /health }}\n                direct_response: {{ status: 299 }}\n{routes}"
    );
    let env = env(|envoy| envoy.edit_bootstrap(routes, &health)).await;
    for client in both(&env) {
        let forged = get("/health").header("x-bluegreen-cluster", "green");
        assert_eq!(client.send(forged).await.status, 299);
    }
    assert_counts(&env, &[("2xx", 2)], 0).await;
}

const FAULT: &str = r#"- name: envoy.filters.http.fault
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault
              abort: { header_abort: {}, percentage: { numerator: 100 } }
          "#;

fn aborted(status: &str) -> Request {
    get("/").header("x-envoy-fault-abort-request", status)
}

#[tokio::test]
async fn an_answer_of_a_later_filter_counts() {
    let router = "- name: envoy.filters.http.router";
    let env = env(|envoy| envoy.edit_bootstrap(router, &format!("{FAULT}{router}"))).await;
    for client in both(&env) {
        for status in ["403", "503"] {
            let response = client.send(aborted(status)).await;
            assert_eq!(
                (response.status.to_string().as_str(), response.served_by()),
                (status, None)
            );
        }
    }
    assert_counts(&env, &[("4xx", 2), ("5xx", 2)], 2).await;
}

/// Such a request never reaches the filter, but its response and its end do.
#[tokio::test]
async fn an_answer_of_an_earlier_filter_counts_nothing() {
    let env = env(|envoy| envoy.edit_bootstrap(OUR_FILTER, &format!("{FAULT}{OUR_FILTER}"))).await;
    for client in both(&env) {
        assert_eq!(client.send(aborted("503")).await.status, 503);
        assert_eq!(client.get("/").await.status, 200);
    }
    assert_counts(&env, &[("2xx", 2)], 0).await;
}

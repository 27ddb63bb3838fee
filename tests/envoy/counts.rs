//! What is counted when streams end.

use testbed::{Client, PATIENCE, TestEnv, eventually};

/// Waits until these are the counts: of each code class, and of failures. Nothing is in flight then,
/// and each stream was timed once.
pub async fn assert_counts(env: &TestEnv, classes: &[(&str, u32)], failures: u32) {
    let total: u32 = classes.iter().map(|(_, count)| count).sum();
    let counted = || async {
        let metrics = env.envoy.metrics().await;
        let count = |name: &str, labels: &[(&str, &str)]| metrics.get(name, labels) as u32;
        let responses = |class| count("bluegreen_responses_total", &[("code_class", class)]);
        let all = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"];
        let shown: Vec<_> = all
            .map(|class| (class, responses(class)))
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        let rest = [
            ("failures", count("bluegreen_failures_total", &[]), failures),
            ("in flight", count("bluegreen_in_flight", &[]), 0),
            ("requests", count("bluegreen_requests_total", &[]), total),
            (
                "timed",
                metrics.histogram_count("bluegreen_request_duration_ms", &[]) as u32,
                total,
            ),
        ];
        if shown == classes && rest.iter().all(|(_, seen, expected)| seen == expected) {
            Ok(())
        } else {
            Err(format!("{shown:?}, {rest:?}"))
        }
    };
    eventually(
        &format!("{classes:?} with {failures} failures"),
        PATIENCE,
        counted,
    )
    .await;
    env.assert_no_vm_died().await;
}

pub fn both(env: &TestEnv) -> [Client; 2] {
    [env.http1(), env.http2()]
}

//! Several listeners with one plugin.

use serde_json::json;
use testbed::{Load, TestEnv, color, get};

use crate::common::config;

/// A second listener, with routes of its own and the same plugin.
const SECOND_LISTENER: &str = r#"
static_resources:
  listeners:
  - name: second
    address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: second
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              request_headers_to_remove: [x-bluegreen-cluster]
              routes:
              - match: { prefix: /, headers: [{ name: x-bluegreen-cluster, present_match: true }] }
                route: { cluster_header: x-bluegreen-cluster }
              - match: { prefix: / }
                route: { cluster: blue }
          http_filters:
          - name: bluegreen
            config_discovery:
              config_source: { path_config_source: { path: ./bluegreen.yaml }, resource_api_version: V3 }
              type_urls: [type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm]
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
"#;

#[tokio::test]
async fn two_listeners_share_the_plugin() {
    const USERS: u64 = 50;
    let sticky = || json!([{ "header": "x-user-id" }]);
    let env = TestEnv::start_with(|envoy| {
        envoy
            .config(config(50_000, sticky()))
            .extra_yaml(SECOND_LISTENER)
    })
    .await;
    let listeners = [env.envoy.addr(), env.envoy.listener("second")];
    let mut requests = 0.0;
    for green in [50_000, 20_000, 90_000] {
        env.push(config(green, sticky())).await;
        for addr in listeners {
            let user = |i| get("/").header("x-user-id", format!("user-{i}"));
            let report = Load::to(addr).count(USERS).run(user).await;
            for outcome in report.outcomes {
                let key = format!("user-{}", outcome.index);
                let expected = color("demo", &key, green);
                assert_eq!(
                    outcome.served_by.as_deref(),
                    Some(expected),
                    "{key} at {green}"
                );
            }
            requests += USERS as f64;
            let metrics = env.envoy.metrics().await;
            assert_eq!(metrics.get("bluegreen_requests_total", &[]), requests);
        }
    }
    let weight = [("color", "green")];
    assert_eq!(
        env.envoy
            .metrics()
            .await
            .get("bluegreen_weight_millipercent", &weight),
        90_000.0
    );
}

//! Two plugins in one Envoy, of one `vm_id` (the empty one too) and one code, so that they run in the same VMs.

use serde_json::{Value, json};
use testbed::{Behavior, EnvoyBuilder, Load, PATIENCE, TestEnv, eventually};

use crate::common::{as_user, config, weights};
use crate::guarded::{green_user, with_guard};

/// A listener with a plugin of its own name, as a second file of discovery would make it.
fn second_listener(plugin: &str, vm_id: &str, config: &Value) -> String {
    let wasm = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": plugin,
            "root_id": "bluegreen",
            "vm_config": {
                "vm_id": vm_id,
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "filename": "./bluegreen.wasm" } },
            },
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": config.to_string(),
            },
        },
    });
    let by_header = json!({ "name": "x-bluegreen-cluster", "present_match": true });
    let routes = json!([{
        "match": { "prefix": "/", "headers": [by_header] },
        "route": { "cluster_header": "x-bluegreen-cluster" },
    }]);
    let router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "second",
        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes }] },
        "http_filters": [
            { "name": plugin, "typed_config": wasm },
            { "name": "envoy.filters.http.router", "typed_config": { "@type": router } },
        ],
    });
    let filter = json!({
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": manager,
    });
    let address = json!({ "socket_address": { "address": "127.0.0.1", "port_value": 0 } });
    let listener = json!({
        "name": "second",
        "address": address,
        "filter_chains": [{ "filters": [filter] }],
    });
    json!({ "static_resources": { "listeners": [listener] } }).to_string()
}

#[tokio::test]
async fn plugins_of_one_vm_share_neither_counts_nor_rollbacks() {
    assert_apart("second", "bluegreen", |envoy| envoy).await;
}

/// As Istio runs two of them: it sets no `vm_id`, so that all plugins of a proxy share the empty one.
#[tokio::test]
async fn plugins_without_a_vm_id_share_neither_counts_nor_rollbacks() {
    assert_apart("istio-ingress.second", "", EnvoyBuilder::bare).await;
}

async fn assert_apart(plugin: &str, vm_id: &str, options: fn(EnvoyBuilder) -> EnvoyBuilder) {
    let policy = || {
        let guard = with_guard(json!({ "max_error_rate": 50 }));
        config(json!({ "weights": weights(100), "guard": guard }))
    };
    let env = TestEnv::start_with(|envoy| {
        let envoy = envoy.extra_yaml(&second_listener(plugin, vm_id, &policy()));
        options(envoy).config(policy())
    })
    .await;
    let second = env.envoy.listener("second");
    let user = green_user();
    let to_second = move |_| as_user(&user);
    // The same rollout goes well for one plugin and fails for the other.
    assert_eq!(Load::to(second).count(100).run(to_second).await.failed(), 0);
    env.green.set(Behavior::status(500));
    let failing = |_| as_user(&green_user());
    Load::to(env.envoy.addr()).count(30).run(failing).await;
    let log = env.envoy.wait_for_log("rollout demo: rolled back").await;
    // None of the other plugin's good requests is among them, however many there were when the guard looked.
    let figures = log.split("beyond 50 %: ").nth(1).expect(&log);
    let mut counts = figures
        .split([' ', ','])
        .filter_map(|it| it.parse::<u64>().ok());
    let (failed, all) = (counts.next(), counts.next());
    assert!(failed == all && failed >= Some(20), "{log}");
    env.green.set(Behavior::default());
    let rolled_back = || async {
        let response = env.http1().send(as_user(&green_user())).await;
        match response.served_by() {
            Some("blue") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    };
    eventually("the first plugin rolls back", PATIENCE, rolled_back).await;
    let report = Load::to(second)
        .count(50)
        .run(|_| as_user(&green_user()))
        .await;
    let by_green = |served_by: &Option<String>| served_by.as_deref() == Some("green");
    assert!(
        report
            .outcomes
            .iter()
            .all(|outcome| by_green(&outcome.served_by))
    );
}

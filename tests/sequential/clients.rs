//! What clients do on their own is no evidence.

use serde_json::json;
use testbed::{Behavior, Request, Upload, post};

use crate::common::{
    as_user, assert_harmless, config, evidence, request_of, rollout, traffic, users_of,
    wait_for_finished, wait_for_rollback, watched, weights,
};

const EACH: usize = 60;

fn users() -> Vec<String> {
    users_of("clients", "green", 50).take(EACH).collect()
}

fn upload(user: &str) -> Request {
    post("/clients", "begin").header("x-user-id", user)
}

#[tokio::test]
async fn clients_that_leave_or_err_are_no_evidence() {
    let fields = json!({ "weights": weights(50) });
    let env = watched(config([rollout("clients", fields)])).await;
    let client = env.http2();
    let hanging =
        |user: &String| client.complete(as_user("clients", user).header("x-test-hang", "1"));
    let leaving: Vec<Upload> = users().iter().map(hanging).collect();
    let endless: Vec<Upload> = users()
        .iter()
        .map(|user| client.upload(upload(user)))
        .collect();
    env.green.wait_for_count(2 * EACH as u64).await;
    drop((leaving, endless));
    for user in users() {
        let call = upload(&user)
            .header("content-type", "application/grpc")
            .header("x-test-plain", "1")
            .header("x-test-status", "404");
        assert_eq!(env.http1().send(call).await.status, 404);
    }
    let gone = [("rollout", "clients"), ("code_class", "none")];
    let all = |count| count == 2.0 * EACH as f64;
    env.envoy
        .wait_for_metric("bluegreen_responses_total", &gone, all)
        .await;
    wait_for_finished(&env, "clients", EACH as u64).await;
    assert_harmless(&env, "clients").await;
    assert_eq!(evidence(&env, "clients", "errors_sequential").await, 0.0);

    env.green.set(Behavior::status(500));
    let load = traffic(&env).start(request_of("clients"));
    wait_for_rollback(&env, "clients", "errors_sequential").await;
    load.stop().await;
    env.assert_no_vm_died().await;
}

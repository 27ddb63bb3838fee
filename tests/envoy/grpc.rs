//! gRPC calls: their status, not the code, says how they went.

use serde_json::json;
use testbed::{Code, TestEnv, get};

use crate::common::config;
use crate::counts::{assert_counts, both};

/// Envoy maps these to 5xx: unknown, deadline exceeded, unimplemented, internal, unavailable, data loss.
#[tokio::test]
async fn grpc_statuses_that_stand_for_5xx_are_failures() {
    const FAILED: [i32; 6] = [2, 4, 12, 13, 14, 15];
    let env = TestEnv::start(config(0, json!([]))).await;
    let grpc = env.grpc();
    for code in 1..=16 {
        let service = format!("status-{code}");
        assert_eq!(grpc.check(&service, &[]).await.code, Code::from_i32(code));
    }
    assert_eq!(grpc.check("ok", &[]).await.code, Code::Ok);
    assert_counts(&env, &[("2xx", 17)], FAILED.len() as u32).await;
    for code in 1..=16 {
        let before = env
            .envoy
            .metrics()
            .await
            .get("bluegreen_failures_total", &[]);
        grpc.check(&format!("status-{code}"), &[]).await;
        let failures = before + f64::from(u8::from(FAILED.contains(&code)));
        assert_counts(&env, &[("2xx", 17 + code as u32)], failures as u32).await;
    }
}

#[tokio::test]
async fn a_grpc_status_behind_messages_counts_too() {
    let env = TestEnv::start(config(0, json!([]))).await;
    let grpc = env.grpc();
    let good = grpc.watch("ok", &[]).await;
    assert_eq!((good.code, good.messages), (Code::Ok, 2));
    assert_counts(&env, &[("2xx", 1)], 0).await;
    let bad = grpc.watch("stream-ok-then-13", &[]).await;
    assert_eq!((bad.code, bad.messages), (Code::Internal, 2));
    assert_counts(&env, &[("2xx", 2)], 1).await;
}

/// Envoy shows a gRPC status for any response; it means something for gRPC alone.
#[tokio::test]
async fn a_grpc_status_on_a_plain_response_is_no_failure() {
    let env = TestEnv::start(config(0, json!([]))).await;
    let request = get("/").header("x-test-response-header", "grpc-status: 14");
    for client in both(&env) {
        assert_eq!(client.send(request.clone()).await.status, 200);
    }
    assert_counts(&env, &[("2xx", 2)], 0).await;
}

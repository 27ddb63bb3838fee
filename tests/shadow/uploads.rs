//! Large uploads: users do not wait for a canary that reads its copy slowly, or not at all.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Behavior, Client, Ending, Envoy, Link, LinkState, TestEnv, Upstream, post};
use tokio::time::timeout;

use crate::common::*;

const KIB: usize = 1024;
/// The largest copy that the shipped file lets through is of 1 MiB.
const SIZES: [usize; 3] = [900 * KIB, 1_500 * KIB, 10_240 * KIB];
/// Far more than an upload takes, far less than a canary holds its copy up.
const SOON: Duration = Duration::from_secs(5);

fn posts() -> Value {
    let shadow = json!({ "percent": 100, "methods": ["POST"] });
    config([rollout("all", json!({ "shadow": shadow }))])
}

/// Stable gets all of it, and the user stable's answer.
async fn upload(client: &Client, bytes: usize) {
    let sent = client.send(post("/all", vec![b'x'; bytes]));
    let response = timeout(SOON, sent).await;
    let response = response.unwrap_or_else(|_| panic!("{bytes} bytes: no answer in {SOON:?}"));
    assert_eq!((response.status, response.served_by()), (200, Some("blue")));
    let received = response.header("x-received-bytes");
    assert_eq!(received, Some(bytes.to_string().as_str()));
}

async fn upload_all(clients: [Client; 2]) {
    for client in clients {
        for bytes in SIZES {
            upload(&client, bytes).await;
        }
    }
}

#[tokio::test]
async fn a_canary_that_does_not_read_holds_no_upload_up() {
    let env = TestEnv::start(posts()).await;
    env.green.set(Behavior::ending(Ending::Hang));
    upload_all([env.http1(), env.http2()]).await;
}

#[tokio::test]
async fn a_canary_that_reads_slowly_holds_no_upload_up() {
    let (blue, green) = (Upstream::start("blue").await, Upstream::start("green").await);
    let link = Link::to(green.addr()).await;
    link.set(LinkState::Slow(Duration::from_secs(1)));
    let envoy = Envoy::builder(blue.addr(), link.addr())
        .config(posts())
        .start()
        .await;
    let env = TestEnv { envoy, blue, green };
    upload_all([env.http1(), env.http2()]).await;
}

#[tokio::test]
async fn a_canary_that_reads_gets_bodies_of_up_to_1_mib() {
    let env = TestEnv::start(posts()).await;
    upload_all([env.http1(), env.http2()]).await;
    wait_for_copies(&env, "all", 2).await;
    for copy in env.green.received() {
        let length = (900 * KIB).to_string();
        assert_eq!(copy.header("content-length"), Some(length.as_bytes()));
    }
    assert_eq!(env.green.count(), 2);
}

/// With HTTP/1.1 each copy takes a connection of its own.
#[tokio::test]
async fn uploads_do_not_wait_for_connections_of_copies() {
    let shipped = "max_requests: 1000, max_pending_requests: 100, max_connections: 100";
    let less = "max_requests: 10, max_pending_requests: 10, max_connections: 10";
    let env = TestEnv::start_with(|envoy| envoy.edit_bootstrap(shipped, less).config(posts())).await;
    env.green.set(Behavior::ending(Ending::Hang));
    for _ in 0..30 {
        upload(&env.http1(), 1).await;
    }
    upload_all([env.http1(), env.http1()]).await;
}

//! Large uploads: users do not wait for a canary that reads its copy slowly, or not at all.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Behavior, Client, Ending, Envoy, Link, LinkState, TestEnv, Upstream, post};
use tokio::time::timeout;

use crate::common::*;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// More than the kernel takes for a server that does not read, some of it, and what the shipped file lets through.
const SIZES: [usize; 4] = [64 * MIB, 10 * MIB, 1_500 * KIB, 900 * KIB];
/// Far more than an upload takes, less than a copy that hangs keeps its connection.
const SOON: Duration = Duration::from_secs(10);

fn posts() -> Value {
    let shadow = json!({ "percent": 100, "methods": ["POST"] });
    config([rollout("all", json!({ "shadow": shadow }))])
}

/// Stable gets all of it, and the user stable's answer in this time.
async fn upload(client: &Client, bytes: usize, within: Duration) {
    let sent = client.send(post("/all", vec![b'x'; bytes]));
    let response = timeout(within, sent).await;
    let response = response.unwrap_or_else(|_| panic!("{bytes} bytes: no answer in {within:?}"));
    assert_eq!((response.status, response.served_by()), (200, Some("blue")));
    let received = response.header("x-received-bytes");
    assert_eq!(received, Some(bytes.to_string().as_str()));
}

async fn upload_all(clients: [Client; 2]) {
    for client in clients {
        for bytes in SIZES {
            upload(&client, bytes, LONG).await;
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
    let (blue, green) = (
        Upstream::start("blue").await,
        Upstream::start("green").await,
    );
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
    for client in [env.http1(), env.http2()] {
        for bytes in [10 * MIB, 1_500 * KIB, 900 * KIB] {
            upload(&client, bytes, LONG).await;
        }
    }
    wait_for_copies(&env, "all", 2).await;
    let length = (900 * KIB).to_string();
    for copy in env.green.received() {
        assert_eq!(copy.header("content-length"), Some(length.as_bytes()));
    }
    assert_eq!(env.green.count(), 2);
    env.assert_no_vm_died().await;
}

/// With HTTP/1.1 each copy takes a connection of its own.
#[tokio::test]
async fn uploads_do_not_wait_for_connections_of_copies() {
    let shipped = "max_requests: 1000, max_pending_requests: 100, max_connections: 1100";
    let less = "max_requests: 10, max_pending_requests: 10, max_connections: 20";
    let env =
        TestEnv::start_with(|envoy| envoy.edit_bootstrap(shipped, less).config(posts())).await;
    env.green.set(Behavior::ending(Ending::Hang));
    for _ in 0..10 {
        upload(&env.http1(), 1, SOON).await;
    }
    upload(&env.http1(), 10 * MIB, SOON).await;
}

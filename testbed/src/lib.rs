//! A real Envoy with the shipped `envoy/` files and `dist/bluegreen.wasm`, real upstreams and real
//! traffic, for the end-to-end tests.
//!
//! ```no_run
//! use serde_json::json;
//! use testbed::{TestEnv, Behavior, Load, PushOutcome, get};
//!
//! # #[tokio::main] async fn main() {
//! let config = |green: u32| json!({
//!     "rollouts": [{
//!         "name": "demo",
//!         "clusters": { "blue": "blue", "green": "green" },
//!         "weights": { "blue": 100 - green, "green": green },
//!         "sticky": [{ "header": "x-user-id" }]
//!     }]
//! });
//! let env = TestEnv::start(config(100)).await;
//!
//! let response = env.http1().send(get("/").header("x-user-id", "u1")).await;
//! assert_eq!((response.status, response.served_by()), (200, Some("green")));
//! assert_eq!(env.green.last().header("x-user-id"), Some(&b"u1"[..]));
//!
//! env.green.set_percent(50.0, Behavior::status(503));
//! let report = Load::to(env.envoy.addr()).count(100).run(|_| get("/")).await;
//! assert_eq!(report.by_status()[&503], 50);
//! env.envoy.wait_for_metric("bluegreen_requests_total", &[("color", "green")], |n| n == 101.0).await;
//!
//! assert_eq!(env.envoy.push(json!({ "rollouts": [] })).await, PushOutcome::Rejected);
//! env.envoy.wait_for_log("rollouts: ").await;
//! # }
//! ```
//!
//! - [`Envoy`] is the process: push configurations, read its log, its stats and its metrics.
//! - [`Upstream`] answers as a request's `x-test-…` headers or [`Upstream::set`] say ([`Behavior`]),
//!   and keeps what it received. It speaks HTTP/1.1, HTTP/2, WebSocket and gRPC.
//! - [`Client`], [`Upload`], [`GrpcClient`], [`WebSocket`] and [`raw`] send one thing at a time, [`Load`] many.
//! - [`Etcd`] is a real etcd of one or three members, and [`Link`] the network before it, both of which a test can
//!   break: see [`EnvoyBuilder::etcd`].
//! - [`eventually`] waits for a condition. A test never sleeps for a fixed time.
//!
//! Everything listens on ports that the kernel chooses, so tests run in parallel. All of it ends with
//! the values that stand for it; when a test panics, the end of Envoy's log is printed.

mod behavior;
mod builder;
mod client;
mod envoy;
mod etcd;
mod eventually;
mod fields;
mod files;
mod grpc;
mod link;
mod load;
mod metrics;
mod ports;
mod process;
mod raw;
mod received;
mod relabel;
mod report;
mod request;
mod server;
mod split;
mod test_env;
mod upload;
mod upstream;
mod version;
mod websocket;
mod workers;

pub use behavior::{Behavior, Ending};
pub use builder::{EnvoyBuilder, is_bare};
pub use client::Client;
pub use envoy::{Envoy, PushOutcome};
pub use etcd::{Certificates, Etcd, EtcdBuilder, EtcdClient};
pub use eventually::{PATIENCE, eventually};
pub use fields::{merge, with};
pub use files::fingerprint;
pub use grpc::{GrpcClient, GrpcReply};
pub use link::{Link, LinkState};
pub use load::{Load, RunningLoad};
pub use metrics::{Metrics, Sample};
pub use raw::{raw, send_raw};
pub use received::Received;
pub use report::{Outcome, Report};
pub use request::{Request, Response, get, post};
pub use split::{bucket, color};
pub use test_env::TestEnv;
pub use tonic::Code;
pub use upload::Upload;
pub use upstream::Upstream;
pub use version::Feature;
pub use websocket::WebSocket;

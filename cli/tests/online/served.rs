//! A dashboard of a real Envoy, and a client of it.

use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::Value;
use testbed::{Client, PATIENCE, Request, Response, TestEnv, eventually, get, post};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::admin;

/// The program, which ends with this value.
pub struct Dashboard {
    pub addr: SocketAddr,
    pub token: String,
    _child: Child,
}

// === impl Dashboard ===

impl Dashboard {
    /// Where Envoy's files are.
    pub async fn start(env: &TestEnv, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bluegreen"))
            .args([
                "dashboard",
                "--listen",
                "127.0.0.1:0",
                "--admin",
                &admin(env),
            ])
            .args(args)
            .current_dir(env.envoy.dir())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let url = lines.next_line().await.expect("UTF-8").expect("an address");
        let (root, token) = url.split_once("/#token=").expect("a token");
        let addr = root.strip_prefix("http://").expect("an address");
        Self {
            addr: addr.parse().expect("an address"),
            token: token.to_owned(),
            _child: child,
        }
    }

    pub async fn send(&self, request: Request) -> Response {
        Client::http1(self.addr).send(request).await
    }

    pub fn allowed(&self, request: Request) -> Request {
        request.header("authorization", format!("Bearer {}", self.token))
    }

    /// With the token and as JSON.
    pub async fn ask(&self, path: &str, body: Value) -> (u16, Value) {
        let request = post(path, body.to_string()).header("content-type", "application/json");
        let response = self.send(self.allowed(request)).await;
        let json = serde_json::from_slice(&response.body).expect("JSON");
        (response.status, json)
    }

    pub async fn live(&self) -> Value {
        let response = self.send(self.allowed(get("/api/live"))).await;
        assert_eq!(response.status, 200, "{}", response.text());
        serde_json::from_slice(&response.body).expect("JSON")
    }

    pub async fn wait_for(&self, what: &str, shows: impl Fn(&Value) -> bool) -> Value {
        let look = async || {
            let live = self.live().await;
            if shows(&live) {
                Ok(live)
            } else {
                Err(live.to_string())
            }
        };
        eventually(what, PATIENCE, look).await
    }

    /// Previews a move and makes it.
    pub async fn make(&self, mut wanted: Value) -> Value {
        let (status, preview) = self.ask("/api/preview", wanted.clone()).await;
        assert_eq!(status, 200, "{preview}");
        wanted["digest"] = preview["digest"].clone();
        let (status, made) = self.ask("/api/move", wanted).await;
        assert_eq!(status, 200, "{made}");
        made
    }
}

//! What most tests need: Envoy between clients and a blue and a green upstream.

use serde_json::Value;

use crate::builder::EnvoyBuilder;
use crate::client::Client;
use crate::envoy::{Envoy, PushOutcome};
use crate::grpc::GrpcClient;
use crate::request::Request;
use crate::upstream::Upstream;
use crate::websocket::WebSocket;

#[derive(Debug)]
pub struct TestEnv {
    pub envoy: Envoy,
    pub blue: Upstream,
    pub green: Upstream,
}

impl TestEnv {
    /// With this plugin configuration.
    pub async fn start(config: impl Into<Value>) -> Self {
        let config = config.into();
        Self::start_with(|envoy| envoy.config(config)).await
    }

    /// With an Envoy as the test wants it.
    pub async fn start_with(options: impl FnOnce(EnvoyBuilder) -> EnvoyBuilder) -> Self {
        let blue = Upstream::start("blue").await;
        let green = Upstream::start("green").await;
        let envoy = options(Envoy::builder(blue.addr(), green.addr()))
            .start()
            .await;
        Self { envoy, blue, green }
    }

    /// Puts a configuration in force.
    pub async fn push(&self, config: impl Into<Value>) {
        assert_eq!(self.envoy.push(config).await, PushOutcome::Accepted);
    }

    /// A client that keeps its HTTP/1.1 connections.
    pub fn http1(&self) -> Client {
        Client::http1(self.envoy.addr())
    }

    /// A client with one HTTP/2 connection.
    pub fn http2(&self) -> Client {
        Client::http2(self.envoy.addr())
    }

    pub fn grpc(&self) -> GrpcClient {
        GrpcClient::new(self.envoy.addr())
    }

    /// A WebSocket with the path and headers of `request`.
    pub async fn websocket(&self, request: Request) -> WebSocket {
        WebSocket::open(self.envoy.addr(), request).await
    }

    /// Bytes sent to Envoy as they are; see [`crate::raw`].
    pub async fn raw(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        crate::raw(self.envoy.addr(), bytes).await
    }
}

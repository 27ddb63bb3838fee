//! Load over HTTP/1.1.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::client::Connector;
use crate::report::{Outcome, Report};
use crate::request::{Request, Response};

/// How much load: over 4 connections, as fast as possible, until stopped.
#[derive(Clone, Debug)]
#[must_use]
pub struct Load {
    to: SocketAddr,
    connections: usize,
    per_second: Option<f64>,
    count: u64,
}

/// Load that is flowing. It ends when dropped.
#[derive(Debug)]
pub struct RunningLoad {
    shared: Arc<Shared>,
    connections: JoinSet<Vec<Outcome>>,
}

#[derive(Debug)]
struct Shared {
    load: Load,
    start: Instant,
    next: AtomicU64,
    stopped: AtomicBool,
}

// === impl Load ===

impl Load {
    pub fn to(addr: SocketAddr) -> Self {
        Self {
            to: addr,
            connections: 4,
            per_second: None,
            count: u64::MAX,
        }
    }

    pub fn connections(self, connections: usize) -> Self {
        Self {
            connections,
            ..self
        }
    }

    /// A fixed rate over all connections together.
    pub fn per_second(self, rate: f64) -> Self {
        Self {
            per_second: Some(rate),
            ..self
        }
    }

    /// Ends after so many requests.
    pub fn count(self, count: u64) -> Self {
        Self { count, ..self }
    }

    /// Runs to its end; `request` makes the i-th request.
    pub async fn run(self, request: impl Fn(u64) -> Request + Send + Sync + 'static) -> Report {
        assert!(
            self.count < u64::MAX,
            "this load has no end: give a count, or start and stop it"
        );
        self.start(request).finish().await
    }

    /// Starts in the background; `request` makes the i-th request.
    pub fn start(self, request: impl Fn(u64) -> Request + Send + Sync + 'static) -> RunningLoad {
        let request = Arc::new(request);
        let next = AtomicU64::new(0);
        let stopped = AtomicBool::new(false);
        let shared = Arc::new(Shared {
            load: self,
            start: Instant::now(),
            next,
            stopped,
        });
        let mut connections = JoinSet::new();
        for _ in 0..shared.load.connections {
            let (shared, request) = (shared.clone(), request.clone());
            connections.spawn(async move { shared.one_connection(&*request).await });
        }
        RunningLoad {
            shared,
            connections,
        }
    }
}

// === impl RunningLoad ===

impl RunningLoad {
    /// Begins no more requests, waits for those under way, and reports.
    pub async fn stop(self) -> Report {
        self.shared.stopped.store(true, Ordering::Relaxed);
        self.finish().await
    }

    /// Requests begun so far.
    pub fn sent(&self) -> u64 {
        self.shared
            .next
            .load(Ordering::Relaxed)
            .min(self.shared.load.count)
    }

    /// Waits until as many requests as it counts have ended, and reports.
    pub async fn finish(self) -> Report {
        let mut outcomes = self.connections.join_all().await.concat();
        outcomes.sort_unstable_by_key(|outcome| outcome.index);
        Report { outcomes }
    }
}

// === impl Shared ===

impl Shared {
    async fn one_connection(
        &self,
        request: &(impl Fn(u64) -> Request + Send + Sync),
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut connection = None;
        while let Some((index, due)) = self.next().await {
            let response = self.send(&mut connection, request(index)).await;
            let end = Instant::now();
            outcomes.push(Outcome {
                index,
                status: response.as_ref().map(|response| response.status),
                served_by: response
                    .as_ref()
                    .and_then(|response| response.served_by().map(str::to_owned)),
                cut: response.is_some_and(|response| response.cut),
                end,
                latency: end - due,
            });
        }
        outcomes
    }

    /// The next request's index and when it was due, at that time.
    async fn next(&self) -> Option<(u64, Instant)> {
        if self.stopped.load(Ordering::Relaxed) {
            return None;
        }
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        if index >= self.load.count {
            return None;
        }
        let Some(rate) = self.load.per_second else {
            return Some((index, Instant::now()));
        };
        let due = self.start + Duration::from_secs_f64(index as f64 / rate);
        sleep_until(due).await;
        Some((index, due))
    }

    /// Sends over the connection, or a new one where the last response closed it.
    async fn send(
        &self,
        connection: &mut Option<SendRequest<Full<Bytes>>>,
        request: Request,
    ) -> Option<Response> {
        let mut sender = match connection.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => self.connect().await?,
        };
        let Request {
            method,
            path,
            headers,
            body,
        } = request;
        let mut wire = http::Request::new(Full::new(body));
        *wire.method_mut() = method;
        *wire.uri_mut() = path.parse().expect("a path");
        *wire.headers_mut() = headers;
        wire.headers_mut()
            .entry(http::header::HOST)
            .or_insert(http::HeaderValue::from_static("testbed"));
        sender.ready().await.ok()?;
        let response = sender.send_request(wire).await.ok()?;
        let response = Response::read(response).await;
        *connection = Some(sender);
        Some(response)
    }

    async fn connect(&self) -> Option<SendRequest<Full<Bytes>>> {
        let stream = Connector::new(self.load.to).connect().await.ok()?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        Some(sender)
    }
}

//! A real HTTP server that stands behind one color's cluster.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;

use crate::behavior::{Behavior, Body, Ending, Error};
use crate::eventually::{PATIENCE, eventually};
use crate::received::Received;
use crate::server::Server;
use crate::{grpc, websocket};

/// How many requests an upstream keeps.
const KEPT_REQUESTS: usize = 1_000;

/// A server for HTTP/1.1, HTTP/2 (prior knowledge), WebSocket and gRPC (`grpc.health.v1.Health`).
///
/// Answers carry `x-served-by: <name>`, and the name as the body.
#[derive(Debug)]
pub struct Upstream {
    server: Server,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    name: String,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    behavior: Behavior,
    percent: f64,
    total: u64,
    by_path: HashMap<String, u64>,
    kept: VecDeque<Received>,
}

// === impl Upstream ===

impl Upstream {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start(name: &str) -> Self {
        let state = Arc::new(State {
            name: name.to_owned(),
            inner: Mutex::default(),
        });
        let served = state.clone();
        let server = Server::start(move |stream| serve(stream, served.clone())).await;
        Self { server, state }
    }

    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// From now on every request gets this answer, unless it asks for another.
    pub fn set(&self, behavior: Behavior) {
        self.set_percent(100.0, behavior);
    }

    /// From now on this share of the requests, evenly spread, gets this answer, the others a good one.
    pub fn set_percent(&self, percent: f64, behavior: Behavior) {
        let mut inner = self.state.lock();
        inner.behavior = behavior;
        inner.percent = percent;
    }

    /// Requests received.
    pub fn count(&self) -> u64 {
        self.state.lock().total
    }

    /// Requests received for a path, given without query.
    pub fn count_path(&self, path: &str) -> u64 {
        self.state.lock().by_path.get(path).copied().unwrap_or(0)
    }

    /// Waits for that many requests.
    pub async fn wait_for_count(&self, count: u64) {
        let seen = || async {
            Some(self.count())
                .filter(|seen| *seen >= count)
                .ok_or(self.count().to_string())
        };
        eventually(
            &format!("{count} requests on {}", self.state.name),
            PATIENCE,
            seen,
        )
        .await;
    }

    /// The last 1,000 requests, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.state.lock().kept.iter().cloned().collect()
    }

    /// The last request.
    pub fn last(&self) -> Received {
        let last = self.state.lock().kept.back().cloned();
        last.unwrap_or_else(|| panic!("{} received no request", self.state.name))
    }

    /// Forgets what was received.
    pub fn clear(&self) {
        let mut inner = self.state.lock();
        inner.total = 0;
        inner.by_path.clear();
        inner.kept.clear();
    }
}

// === impl State ===

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Records the request and says how to answer.
    fn receive<B>(&self, request: &Request<B>) -> Behavior {
        let received = Received::new(request);
        let mut inner = self.lock();
        let behavior = if inner.is_next_affected() {
            inner.behavior.clone()
        } else {
            Behavior::default()
        };
        inner.total += 1;
        *inner
            .by_path
            .entry(request.uri().path().to_owned())
            .or_default() += 1;
        if inner.kept.len() == KEPT_REQUESTS {
            inner.kept.pop_front();
        }
        inner.kept.push_back(received);
        drop(inner);
        behavior.or_as_asked(request.headers())
    }
}

impl Inner {
    /// Spreads the affected requests evenly: at 50 %, every second one.
    fn is_next_affected(&self) -> bool {
        let affected_of = |requests: u64| (requests as f64 * self.percent / 100.0 + 1e-9).floor();
        affected_of(self.total + 1) > affected_of(self.total)
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(state.clone(), request));
    // An error is a client that left, or the end a test asked for.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    state: Arc<State>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Error> {
    let behavior = state.receive(&request);
    if !behavior.delay.is_zero() {
        tokio::time::sleep(behavior.delay).await;
    }
    let mut response = match behavior.ending {
        Ending::Hang => std::future::pending().await,
        Ending::CloseBefore => return Err("closed as the test asked".into()),
        Ending::Complete
            if websocket::is_upgrade(&request) && behavior.status == StatusCode::OK =>
        {
            websocket::accept(&mut request).map(|_: ()| empty())
        }
        Ending::Complete
            if grpc::is_call(&request)
                && behavior.status == StatusCode::OK
                && !request.headers().contains_key("x-test-plain") =>
        {
            grpc::answer(request, behavior.clone()).await
        }
        _ => {
            request.into_body().collect().await?;
            let mut response = Response::new(behavior.body(&format!("{}\n", state.name)));
            *response.status_mut() = behavior.status;
            response
        }
    };
    response.headers_mut().extend(behavior.headers);
    response
        .headers_mut()
        .insert("x-served-by", HeaderValue::from_str(&state.name)?);
    Ok(response)
}

fn empty() -> Body {
    UnsyncBoxBody::new(Empty::<Bytes>::new().map_err(|never: Infallible| match never {}))
}

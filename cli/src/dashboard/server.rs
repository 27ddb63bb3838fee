//! The dashboard over HTTP.

use crate::dashboard::actions::{Refused, Wanted};
use crate::dashboard::answers::{Answer, Question};
use crate::dashboard::board::Board;
use crate::dashboard::origin::Hosts;
use crate::dashboard::page::{ASSETS, HEADERS};
use crate::dashboard::token::Token;
use crate::envoy::admin::Admin;
use crate::failure::{Exit, Failure};
use crate::file::config_file::name_of;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, RawQuery, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Serialize;
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// All that requests need.
#[derive(Debug)]
pub struct Dashboard {
    /// What every request but those for the page itself must bring.
    pub token: Token,
    /// Whom it answers to.
    pub hosts: Hosts,
    /// What is shown.
    pub board: Arc<Board>,
    /// The file that moves change; without it there are none.
    pub file: Option<PathBuf>,
    /// One move at a time.
    pub moving: Mutex<()>,
}

/// More wait for one of them to end.
const MOST_CONNECTIONS: usize = 256;
/// A client has to send its next request's headers in this time.
const HEADERS_WITHIN: Duration = Duration::from_secs(60);
const MOST_BYTES: usize = 16 * 1024;
/// After an error such as too many open files.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Serves until the program is ended.
pub async fn serve(listener: TcpListener, dashboard: Arc<Dashboard>) {
    let service = TowerToHyperService::new(router(dashboard));
    let free = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    while let Ok(permit) = Arc::clone(&free).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
            continue;
        };
        let service = service.clone();
        tokio::spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new())
                .header_read_timeout(HEADERS_WITHIN);
            // A connection that breaks concerns its client alone.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
            drop(permit);
        });
    }
}

fn router(dashboard: Arc<Dashboard>) -> Router {
    let api = Router::new()
        .route("/api/live", get(live))
        .route("/api/preview", post(preview))
        .route("/api/move", post(make_move))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&dashboard),
            token,
        ));
    let page = ASSETS.iter().fold(Router::new(), |page, asset| {
        page.route(
            asset.path,
            get(move || async move { asset.into_response() }),
        )
    });
    page.merge(api)
        .fallback(|| async { refuse(StatusCode::NOT_FOUND, "there is nothing here") })
        .layer(middleware::from_fn_with_state(
            Arc::clone(&dashboard),
            origin,
        ))
        .with_state(dashboard)
}

/// Refuses what another page or name leads here, before anything else, and sets the headers of all responses.
async fn origin(State(dashboard): State<Arc<Dashboard>>, request: Request, next: Next) -> Response {
    let mut response = match dashboard.hosts.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refuse(StatusCode::FORBIDDEN, refusal.message()),
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Wants the token.
async fn token(State(dashboard): State<Arc<Dashboard>>, request: Request, next: Next) -> Response {
    let presented = request.headers().get(header::AUTHORIZATION);
    if presented.is_some_and(|it| dashboard.token.is_in(it.as_bytes())) {
        return next.run(request).await;
    }
    let message = "the token that the dashboard has printed is missing, or it is another one's";
    let mut response = refuse(StatusCode::UNAUTHORIZED, message);
    let scheme = HeaderValue::from_static("Bearer");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, scheme);
    response
}

async fn live(State(dashboard): State<Arc<Dashboard>>, RawQuery(query): RawQuery) -> Response {
    let question = Question::parse(&query.unwrap_or_default());
    let file = dashboard.file.as_deref().map(name_of);
    answer(
        StatusCode::OK,
        &Answer::of(&dashboard.board, file, &question),
    )
}

async fn preview(
    State(dashboard): State<Arc<Dashboard>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    act(dashboard, &headers, body, |wanted, file, admins| {
        wanted.preview(file, admins).map_err(Refused::from)
    })
    .await
}

async fn make_move(
    State(dashboard): State<Arc<Dashboard>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    act(dashboard, &headers, body, Wanted::make).await
}

/// Does what files and Envoys may take their time for on a thread of its own.
async fn act(
    dashboard: Arc<Dashboard>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    with: fn(&Wanted, &Path, &[Admin]) -> Result<Value, Refused>,
) -> Response {
    let kind = headers.get(header::CONTENT_TYPE);
    if kind.is_none_or(|kind| kind.as_bytes() != b"application/json") {
        let message = "the content type must be application/json";
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return refuse(rejection.status(), &rejection.body_text()),
    };
    let acting = move || {
        let Some(file) = &dashboard.file else {
            let message = "this dashboard only shows: --file FILE lets it make moves";
            return refuse(StatusCode::FORBIDDEN, message);
        };
        let wanted = match Wanted::parse(&body) {
            Ok(wanted) => wanted,
            Err(failure) => return failed(&failure),
        };
        let _alone = dashboard
            .moving
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match with(&wanted, file, &dashboard.board.answering()) {
            Ok(json) => answer(StatusCode::OK, &json),
            Err(Refused::Failed(failure)) => failed(&failure),
            Err(Refused::Stale) => answer(
                StatusCode::CONFLICT,
                &json!({
                    "error": "something has changed meanwhile, and nothing is written: this is what would change now",
                    "stale": true,
                }),
            ),
        }
    };
    tokio::task::spawn_blocking(acting)
        .await
        .unwrap_or_else(|error| refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()))
}

fn failed(failure: &Failure) -> Response {
    let status = match failure.exit {
        Exit::Usage => StatusCode::BAD_REQUEST,
        Exit::Unreachable => StatusCode::BAD_GATEWAY,
        Exit::Fine | Exit::Finding => StatusCode::CONFLICT,
    };
    refuse(status, &failure.message)
}

fn refuse(status: StatusCode, message: &str) -> Response {
    answer(status, &json!({ "error": message }))
}

fn answer(status: StatusCode, json: &impl Serialize) -> Response {
    let text = serde_json::to_vec(json);
    let text = text.map_err(io::Error::from).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

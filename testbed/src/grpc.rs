//! Both ends of a gRPC service: `grpc.health.v1.Health`, with answers of the test's choice.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, Uri, header};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tonic::codegen::Service;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::behavior::{Behavior, Body, Error};
use crate::client::{Connector, Transport, transport};

/// Calls Health through Envoy. The `service` of a call chooses the answer:
///
/// | service | `check` | `watch` |
/// |---|---|---|
/// | `status-14` | fails with code 14, trailers only | the same |
/// | `stream-ok-then-13` | | two messages, then code 13 in trailers |
/// | `hang` | never answers | two messages, then silence |
/// | `tokens` | one message | as many messages as the upstream sends chunks, at their times, then OK |
/// | any other | one message | two messages, then OK |
#[derive(Clone, Debug)]
pub struct GrpcClient {
    addr: SocketAddr,
    transport: Transport<tonic::body::Body>,
}

/// How a call went.
#[derive(Clone, Debug)]
pub struct GrpcReply {
    pub code: Code,
    pub message: String,
    /// Messages received before the end.
    pub messages: usize,
    pub metadata: MetadataMap,
}

// === impl GrpcClient ===

impl GrpcClient {
    pub fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            transport: transport(Connector::new(addr), true, true),
        }
    }

    /// A unary call, with request metadata such as `("x-user-id", "u1")`.
    pub async fn check(&self, service: &str, metadata: &[(&str, &str)]) -> GrpcReply {
        match self.health().check(request(service, metadata)).await {
            Ok(response) => GrpcReply::new(Status::ok(""), 1, response.metadata().clone()),
            Err(status) => GrpcReply::failed(status),
        }
    }

    /// A server-streaming call, read to its end.
    pub async fn watch(&self, service: &str, metadata: &[(&str, &str)]) -> GrpcReply {
        let response = match self.health().watch(request(service, metadata)).await {
            Ok(response) => response,
            Err(status) => return GrpcReply::failed(status),
        };
        let metadata = response.metadata().clone();
        let mut stream = response.into_inner();
        let mut messages = 0;
        loop {
            match stream.message().await {
                Ok(Some(_)) => messages += 1,
                Ok(None) => return GrpcReply::new(Status::ok(""), messages, metadata),
                Err(status) => return GrpcReply::new(status, messages, metadata),
            }
        }
    }

    fn health(&self) -> HealthClient<Transport<tonic::body::Body>> {
        let origin = Uri::try_from(format!("http://{}", self.addr)).expect("an origin");
        HealthClient::with_origin(self.transport.clone(), origin)
    }
}

// === impl GrpcReply ===

impl GrpcReply {
    fn new(status: Status, messages: usize, metadata: MetadataMap) -> Self {
        Self {
            code: status.code(),
            message: status.message().to_owned(),
            messages,
            metadata,
        }
    }

    fn failed(status: Status) -> Self {
        let metadata = status.metadata().clone();
        Self::new(status, 0, metadata)
    }

    /// The upstream that answered.
    pub fn served_by(&self) -> Option<&str> {
        self.metadata.get("x-served-by")?.to_str().ok()
    }
}

fn request(service: &str, metadata: &[(&str, &str)]) -> Request<HealthCheckRequest> {
    let mut headers = HeaderMap::new();
    for (name, value) in metadata {
        let name = http::HeaderName::try_from(*name).expect("a metadata name");
        headers.append(name, value.parse().expect("a metadata value"));
    }
    let message = HealthCheckRequest {
        service: service.to_owned(),
    };
    Request::from_parts(
        MetadataMap::from_headers(headers),
        http::Extensions::new(),
        message,
    )
}

pub(crate) fn is_call<B>(request: &http::Request<B>) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// Serves one call.
pub(crate) async fn answer(
    mut request: http::Request<Incoming>,
    behavior: Behavior,
) -> http::Response<Body> {
    request.extensions_mut().insert(behavior);
    let Ok(response): Result<_, Infallible> = HealthServer::new(Answers).call(request).await;
    response.map(|body| {
        UnsyncBoxBody::new(
            body.map_frame(|frame| frame.map_data(Bytes::from))
                .map_err(Error::from),
        )
    })
}

struct Answers;

type Messages = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

#[tonic::async_trait]
impl Health for Answers {
    type WatchStream = Messages;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        may_fail(&request)?;
        match request.get_ref().service.as_str() {
            "hang" => std::future::pending().await,
            _ => Ok(Response::new(serving())),
        }
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Messages>, Status> {
        may_fail(&request)?;
        let messages = stream::iter([Ok(serving()), Ok(serving())]);
        Ok(Response::new(match request.get_ref().service.as_str() {
            "stream-ok-then-13" => messages
                .chain(stream::once(async { Err(asked(13)) }))
                .boxed(),
            "hang" => messages.chain(stream::pending()).boxed(),
            "tokens" => tokens(request.extensions().get().cloned().unwrap_or_default()),
            _ => messages.boxed(),
        }))
    }
}

/// A message for each chunk.
fn tokens(behavior: Behavior) -> Messages {
    stream::iter(0..behavior.chunks)
        .then(move |sent| async move {
            tokio::time::sleep(if sent == 0 {
                behavior.first_chunk_delay
            } else {
                behavior.chunk_delay
            })
            .await;
            Ok(serving())
        })
        .boxed()
}

/// Fails where the call or the upstream's behavior asks for it.
fn may_fail(request: &Request<HealthCheckRequest>) -> Result<(), Status> {
    if let Some(code) = request.get_ref().service.strip_prefix("status-") {
        return Err(asked(code.parse().expect("status-N")));
    }
    match request
        .extensions()
        .get::<Behavior>()
        .map(|behavior| behavior.grpc_status)
    {
        None | Some(Code::Ok) => Ok(()),
        Some(code) => Err(asked(code.into())),
    }
}

fn asked(code: i32) -> Status {
    Status::new(Code::from_i32(code), "as the test asked")
}

fn serving() -> HealthCheckResponse {
    HealthCheckResponse {
        status: ServingStatus::Serving.into(),
    }
}

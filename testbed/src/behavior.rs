//! How an upstream answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::StreamBody;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Frame;
use tonic::Code;

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Body = UnsyncBoxBody<Bytes, Error>;

/// One answer. [`Upstream::set`](crate::Upstream::set) chooses it for all requests; one request can ask
/// for another with its headers:
///
/// | header | effect |
/// |---|---|
/// | `x-test-status: 503` | the status |
/// | `x-test-delay-ms: 300` | time before the response headers |
/// | `x-test-chunks: 1000`, `x-test-chunk-delay-ms: 5` | pieces of the body, and time between them |
/// | `x-test-chunk-bytes: 65536` | the size of a piece; else it is the upstream's name |
/// | `x-test-piece: data: a\n\n` | a piece of the body, with `\n` and `\r` for the ends of lines; may be given several times |
/// | `x-test-first-chunk-delay-ms: 300` | time between the response headers and the first piece |
/// | `x-test-response-header: name: value` | a response header; may be given several times |
/// | `x-test-plain: 1` | plain HTTP, though the request calls itself gRPC |
/// | `x-test-hang: 1` | [`Ending::Hang`] |
/// | `x-test-close: before`, `x-test-close: middle` | [`Ending::CloseBefore`], [`Ending::CloseMiddle`] |
/// | `x-test-stall: body` | [`Ending::StallBody`] |
#[derive(Clone, Debug)]
pub struct Behavior {
    pub status: StatusCode,
    /// A gRPC call that the test wants to go well ends with this status instead.
    pub grpc_status: Code,
    /// Waited before the response headers.
    pub delay: Duration,
    /// How many pieces the body comes in.
    pub chunks: u64,
    /// The size of each piece, where it is not the upstream's name.
    pub chunk_bytes: Option<usize>,
    /// The pieces of the body, where they are not all alike.
    pub pieces: Option<Arc<[Bytes]>>,
    /// Waited between the response headers and the first piece.
    pub first_chunk_delay: Duration,
    /// Waited before each piece but the first.
    pub chunk_delay: Duration,
    pub ending: Ending,
    pub headers: HeaderMap,
}

/// Whether an answer comes to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ending {
    Complete,
    /// No response, and the connection stays open.
    Hang,
    /// No response: the connection (in HTTP/2 the stream) is closed.
    CloseBefore,
    /// Response headers and the body, but for its end: the connection (the stream) is closed.
    CloseMiddle,
    /// Response headers and the body, but for its end: then silence.
    StallBody,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            status: StatusCode::OK,
            grpc_status: Code::Ok,
            delay: Duration::ZERO,
            chunks: 1,
            chunk_bytes: None,
            pieces: None,
            first_chunk_delay: Duration::ZERO,
            chunk_delay: Duration::ZERO,
            ending: Ending::Complete,
            headers: HeaderMap::new(),
        }
    }
}

// === impl Behavior ===

impl Behavior {
    pub fn status(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).expect("a status code"),
            ..Self::default()
        }
    }

    pub fn grpc_status(code: Code) -> Self {
        Self {
            grpc_status: code,
            ..Self::default()
        }
    }

    pub fn slow(delay: Duration) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }

    /// A body of these pieces.
    pub fn pieces(pieces: impl IntoIterator<Item = impl Into<Bytes>>) -> Self {
        Self {
            pieces: Some(pieces.into_iter().map(Into::into).collect()),
            ..Self::default()
        }
    }

    pub fn ending(ending: Ending) -> Self {
        Self {
            ending,
            ..Self::default()
        }
    }

    /// This behavior, changed by what the request asks for.
    pub(crate) fn or_as_asked(mut self, request: &HeaderMap) -> Self {
        if let Some(status) = number(request, "x-test-status") {
            self.status =
                StatusCode::from_u16(status as u16).expect("x-test-status: a status code");
        }
        if let Some(ms) = number(request, "x-test-delay-ms") {
            self.delay = Duration::from_millis(ms);
        }
        if let Some(chunks) = number(request, "x-test-chunks") {
            self.chunks = chunks;
        }
        if let Some(bytes) = number(request, "x-test-chunk-bytes") {
            self.chunk_bytes = Some(bytes as usize);
        }
        if let Some(ms) = number(request, "x-test-chunk-delay-ms") {
            self.chunk_delay = Duration::from_millis(ms);
        }
        if let Some(ms) = number(request, "x-test-first-chunk-delay-ms") {
            self.first_chunk_delay = Duration::from_millis(ms);
        }
        let pieces = request.get_all("x-test-piece");
        if pieces.iter().next().is_some() {
            self.pieces = Some(pieces.iter().map(piece).collect());
        }
        for header in request.get_all("x-test-response-header") {
            let (name, value) = response_header(header.as_bytes());
            self.headers.append(name, value);
        }
        if let Some(ending) = asked_ending(request) {
            self.ending = ending;
        }
        self
    }

    /// The body: every piece is `text`, unless it shall have another size.
    pub(crate) fn body(&self, text: &str) -> Body {
        let piece = match self.chunk_bytes {
            Some(bytes) => Bytes::from(vec![b'x'; bytes]),
            None => Bytes::from(text.to_owned()),
        };
        let all: Arc<[Bytes]> = match &self.pieces {
            Some(pieces) => pieces.clone(),
            None => vec![piece; self.chunks as usize].into(),
        };
        let pieces = pieces(all, self.first_chunk_delay, self.chunk_delay);
        match self.ending {
            Ending::CloseMiddle => {
                UnsyncBoxBody::new(StreamBody::new(pieces.chain(stream::once(cut()))))
            }
            Ending::StallBody => {
                UnsyncBoxBody::new(StreamBody::new(pieces.chain(stream::pending())))
            }
            _ => UnsyncBoxBody::new(StreamBody::new(pieces)),
        }
    }
}

fn pieces(
    all: Arc<[Bytes]>,
    first_delay: Duration,
    delay: Duration,
) -> impl Stream<Item = Result<Frame<Bytes>, Error>> + Send {
    stream::unfold(0, move |sent| {
        let piece = all.get(sent).cloned();
        let delay = if sent == 0 { first_delay } else { delay };
        async move {
            let piece = piece?;
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            Some((Ok(Frame::data(piece)), sent + 1))
        }
    })
}

/// A piece as a header has it.
fn piece(header: &HeaderValue) -> Bytes {
    let text = header.to_str().expect("x-test-piece: ASCII");
    text.replace("\\n", "\n").replace("\\r", "\r").into()
}

async fn cut() -> Result<Frame<Bytes>, Error> {
    // Lets hyper flush what came before.
    tokio::task::yield_now().await;
    Err("closed as the test asked".into())
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}: {value} is no number")),
    )
}

fn asked_ending(headers: &HeaderMap) -> Option<Ending> {
    let value = |name| headers.get(name).map(HeaderValue::as_bytes);
    match (
        value("x-test-close"),
        value("x-test-stall"),
        value("x-test-hang"),
    ) {
        (None, None, None) => None,
        (Some(b"before"), None, None) => Some(Ending::CloseBefore),
        (Some(b"middle"), None, None) => Some(Ending::CloseMiddle),
        (None, Some(b"body"), None) => Some(Ending::StallBody),
        (None, None, Some(_)) => Some(Ending::Hang),
        other => panic!("x-test-close, x-test-stall, x-test-hang: {other:?} is no ending"),
    }
}

fn response_header(header: &[u8]) -> (HeaderName, HeaderValue) {
    let colon = header
        .iter()
        .position(|byte| *byte == b':')
        .expect("x-test-response-header: name: value");
    let name = HeaderName::from_bytes(&header[..colon]).expect("x-test-response-header: a name");
    let value = HeaderValue::from_bytes(header[colon + 1..].trim_ascii())
        .expect("x-test-response-header: a value");
    (name, value)
}

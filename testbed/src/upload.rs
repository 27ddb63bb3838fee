//! A request whose body comes piece by piece, or never ends.

use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Frame;
use hyper_util::client::legacy;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::JoinHandle;

use crate::behavior::Body;
use crate::client::Client;
use crate::request::{Request, Response};

/// A request under way. Dropped before its end, the client leaves: the connection is closed, in HTTP/2 the
/// stream is reset.
#[derive(Debug)]
pub struct Upload {
    pieces: Option<UnboundedSender<Bytes>>,
    answer: JoinHandle<Result<Response, legacy::Error>>,
}

// === impl Client ===

impl Client {
    /// Sends a request's headers, and the body as a first piece.
    pub fn upload(&self, request: Request) -> Upload {
        let (pieces, receiver) = mpsc::unbounded_channel();
        if !request.body.is_empty() {
            let _ = pieces.send(request.body.clone());
        }
        let body = StreamBody::new(stream::unfold(receiver, async |mut pieces| {
            Some((Ok(Frame::data(pieces.recv().await?)), pieces))
        }));
        let transport = self.transport_of::<Body>();
        let wire = self.wire(request).map(|_| UnsyncBoxBody::new(body));
        let answer = async move { Ok(Response::read(transport.request(wire).await?).await) };
        Upload {
            pieces: Some(pieces),
            answer: tokio::spawn(answer),
        }
    }

    /// Sends a request as it is, and waits for nothing.
    pub fn complete(&self, request: Request) -> Upload {
        let client = self.clone();
        Upload {
            pieces: None,
            answer: tokio::spawn(async move { client.try_send(request).await }),
        }
    }
}

// === impl Upload ===

impl Upload {
    /// Sends one more piece of the body.
    pub fn send(&self, piece: impl Into<Bytes>) {
        if let Some(pieces) = &self.pieces {
            // Where nobody takes it any more, the answer says why.
            let _ = pieces.send(piece.into());
        }
    }

    /// Ends the body.
    pub fn end(&mut self) {
        self.pieces = None;
    }

    /// Ends the body, and gives back the answer.
    pub async fn finish(mut self) -> Response {
        self.end();
        self.answer().await
    }

    /// The answer to a body that does not end.
    pub async fn answer(mut self) -> Response {
        let answer = (&mut self.answer).await.expect("an upload");
        answer.unwrap_or_else(|error| panic!("an upload: {error:?}"))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

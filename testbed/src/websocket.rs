//! Both ends of a WebSocket that echoes.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

use crate::request;

/// A client's WebSocket.
#[derive(Debug)]
pub struct WebSocket {
    stream: WebSocketStream<TcpStream>,
    /// Of the 101 response.
    pub headers: HeaderMap,
}

impl WebSocket {
    /// Opens it with the path and headers of `request`.
    pub async fn open(addr: SocketAddr, request: request::Request) -> Self {
        let uri = format!("ws://{addr}{}", request.path);
        let mut upgrade = uri.into_client_request().expect("a WebSocket request");
        upgrade.headers_mut().extend(request.headers);
        let tcp = TcpStream::connect(addr)
            .await
            .expect("a connection for a WebSocket");
        let (stream, response) = tokio_tungstenite::client_async(upgrade, tcp)
            .await
            .expect("a WebSocket");
        Self {
            stream,
            headers: response.headers().clone(),
        }
    }

    /// Sends a text and gives back what comes.
    pub async fn echo(&mut self, text: &str) -> String {
        self.stream
            .send(Message::text(text))
            .await
            .expect("a message sent");
        let message = self
            .stream
            .next()
            .await
            .expect("a message")
            .expect("a message");
        message.into_text().expect("a text message").to_string()
    }

    /// Closes it with the closing handshake.
    pub async fn close(mut self) {
        self.stream.close(None).await.expect("a closing handshake");
        while let Some(Ok(_)) = self.stream.next().await {}
    }
}

pub(crate) fn is_upgrade<B>(request: &Request<B>) -> bool {
    request
        .headers()
        .get(header::UPGRADE)
        .is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// The 101 response; from then on all messages are echoed.
pub(crate) fn accept<B>(request: &mut Request<B>) -> Response<()> {
    let key = request
        .headers()
        .get(header::SEC_WEBSOCKET_KEY)
        .map_or(&b""[..], HeaderValue::as_bytes);
    let accept = derive_accept_key(key);
    tokio::spawn(echo_all(hyper::upgrade::on(request)));
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .body(())
        .expect("a 101 response")
}

async fn echo_all(upgrade: hyper::upgrade::OnUpgrade) {
    let Ok(upgraded) = upgrade.await else { return };
    let mut stream =
        WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    while let Some(Ok(message)) = stream.next().await {
        if (message.is_text() || message.is_binary()) && stream.send(message).await.is_err() {
            return;
        }
    }
}

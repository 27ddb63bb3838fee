//! A client for HTTP/1.1 and HTTP/2.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpSocket, TcpStream};
use tonic::codegen::Service;

use crate::request::{Request, Response, get};
use crate::version::Feature;

/// A client with a pool of connections to one address.
#[derive(Clone, Debug)]
pub struct Client {
    connector: Connector,
    http2: bool,
    keep_alive: bool,
    transport: Transport<Full<Bytes>>,
}

pub(crate) type Transport<B> = legacy::Client<Connector, B>;

/// Connects to one address, whatever host a request names.
#[derive(Clone, Debug)]
pub struct Connector {
    to: SocketAddr,
    from: IpAddr,
}

// === impl Client ===

impl Client {
    /// HTTP/1.1 with keep-alive.
    pub fn http1(addr: SocketAddr) -> Self {
        Self::new(Connector::new(addr), false, true)
    }

    /// HTTP/2 with prior knowledge: all requests over one connection.
    pub fn http2(addr: SocketAddr) -> Self {
        Self::new(Connector::new(addr), true, true)
    }

    /// A new connection for each request, so that all of Envoy's workers get some.
    pub fn connection_per_request(self) -> Self {
        Self::new(self.connector, self.http2, false)
    }

    /// Connects from this local address, such as 127.0.0.2.
    pub fn from_ip(self, from: impl Into<IpAddr>) -> Self {
        let connector = Connector {
            from: from.into(),
            ..self.connector
        };
        Self::new(connector, self.http2, self.keep_alive)
    }

    fn new(connector: Connector, http2: bool, keep_alive: bool) -> Self {
        let transport = transport(connector.clone(), http2, keep_alive);
        Self {
            connector,
            http2,
            keep_alive,
            transport,
        }
    }

    /// Whether it sees that a response was cut off: [`Response::cut`]. Envoy ends a stream of HTTP/2 without an error
    /// then where it does not have [`Feature::ResetWithError`].
    pub fn sees_cuts(&self) -> bool {
        !self.http2 || Feature::ResetWithError.is_there()
    }

    pub async fn get(&self, path: &str) -> Response {
        self.send(get(path)).await
    }

    /// Sends a request and fails the test where no response comes.
    pub async fn send(&self, request: Request) -> Response {
        let sent = format!("{} {}", request.method, request.path);
        self.try_send(request)
            .await
            .unwrap_or_else(|error| panic!("{sent}: {error:?}"))
    }

    /// Sends a request; an error is a connection that broke before the response.
    pub async fn try_send(&self, request: Request) -> Result<Response, legacy::Error> {
        let response = self.transport.request(self.wire(request)).await?;
        Ok(Response::read(response).await)
    }

    /// Sends a request and leaves (closes the connection, or resets the HTTP/2 stream) without having
    /// got an answer, once `when` is there: such as `upstream.wait_for_count(1)`.
    pub async fn leave_before_response(&self, request: Request, when: impl Future<Output = ()>) {
        tokio::select! {
            response = self.transport.request(self.wire(request)) => panic!("answered too soon: {response:?}"),
            () = when => {}
        }
    }

    /// Sends a request and leaves after the first piece of the body.
    pub async fn leave_in_body(&self, request: Request) {
        let mut response = self
            .transport
            .request(self.wire(request))
            .await
            .expect("a response");
        response
            .body_mut()
            .frame()
            .await
            .expect("a body")
            .expect("a piece of the body");
    }

    /// The same client for bodies of another kind, with connections of its own.
    pub(crate) fn transport_of<B>(&self) -> Transport<B>
    where
        B: hyper::body::Body + Send + 'static + Unpin,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        transport(self.connector.clone(), self.http2, self.keep_alive)
    }

    pub(crate) fn wire(&self, request: Request) -> http::Request<Full<Bytes>> {
        let Request {
            method,
            path,
            mut headers,
            body,
        } = request;
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let authority = host.map_or_else(|| self.connector.to.to_string(), str::to_owned);
        let uri = Uri::try_from(format!("http://{authority}{path}"))
            .or_else(|_| Uri::try_from(format!("http://{}{path}", self.connector.to)))
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        if self.http2
            && uri
                .authority()
                .is_some_and(|sent| sent.as_str() == authority)
        {
            headers.remove(header::HOST);
        }
        let mut request = http::Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        request
    }
}

pub(crate) fn transport<B>(connector: Connector, http2: bool, keep_alive: bool) -> Transport<B>
where
    B: hyper::body::Body + Send + 'static + Unpin,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    legacy::Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .pool_max_idle_per_host(if keep_alive { usize::MAX } else { 0 })
        .build(connector)
}

impl Response {
    pub(crate) async fn read(response: http::Response<Incoming>) -> Self {
        let (head, mut incoming) = response.into_parts();
        let mut body = Vec::new();
        let cut = loop {
            match incoming.frame().await {
                None => break false,
                Some(Err(_)) => break true,
                Some(Ok(frame)) => body.extend(frame.into_data().unwrap_or_default()),
            }
        };
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.into(),
            cut,
        }
    }
}

// === impl Connector ===

impl Connector {
    pub(crate) fn new(to: SocketAddr) -> Self {
        Self {
            to,
            from: Ipv4Addr::UNSPECIFIED.into(),
        }
    }

    pub(crate) async fn connect(self) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        if !self.from.is_unspecified() {
            socket.bind((self.from, 0).into())?;
        }
        let stream = socket.connect(self.to).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect().await.map(TokioIo::new) })
    }
}

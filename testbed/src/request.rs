//! A request as a test writes it, and the response it gets.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

/// A request. The path is sent as it stands.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A response, its body read to the end.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The body broke off.
    pub cut: bool,
}

/// A GET request.
pub fn get(path: &str) -> Request {
    Request::new(Method::GET, path)
}

/// A POST request.
pub fn post(path: &str, body: impl Into<Bytes>) -> Request {
    Request {
        body: body.into(),
        ..Request::new(Method::POST, path)
    }
}

// === impl Request ===

impl Request {
    pub fn new(method: Method, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// Adds a header; its value may be any bytes but NUL, CR and LF.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::try_from(name).expect("a header name");
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a header value");
        self.headers.append(name, value);
        self
    }

    /// The `host` header, or `:authority` in HTTP/2.
    pub fn host(self, host: impl AsRef<[u8]>) -> Self {
        self.header(header::HOST.as_str(), host)
    }
}

// === impl Response ===

impl Response {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("an ASCII response header"))
    }

    /// The upstream that answered; `None` for Envoy's own answers.
    pub fn served_by(&self) -> Option<&str> {
        self.header("x-served-by")
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

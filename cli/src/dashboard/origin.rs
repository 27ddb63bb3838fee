//! Which addresses a browser may have the dashboard by, and which pages may ask it.

use http::{HeaderMap, Uri, header, uri::Authority};
use std::net::{IpAddr, SocketAddr};

/// Why a request is refused before anything else is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not say whom it is for, or says it twice.
    NoHost,
    /// It is for a name that may belong to anyone (DNS rebinding), or for another address.
    Host,
    /// A page of another origin sends it (request forgery).
    Origin,
}

/// The hosts that a dashboard answers to.
#[derive(Clone, Copy, Debug)]
pub struct Hosts {
    is_loopback: bool,
}

// === impl Hosts ===

impl Hosts {
    /// Of a dashboard that listens there.
    pub const fn of(listen: SocketAddr) -> Self {
        Self {
            is_loopback: listen.ip().is_loopback(),
        }
    }

    /// Looks at `host` and `origin`. Names other than `localhost` may be made to lead here by whoever owns them, so an
    /// address is wanted: a loopback one where nothing else can lead here. The port is that of a tunnel where there is one.
    ///
    /// # Errors
    /// Where the request must not be answered.
    pub fn check(self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = only(headers, header::HOST).ok_or(Refusal::NoHost)?;
        let host: Authority = host.parse().map_err(|_| Refusal::Host)?;
        if !self.is_ours(host.host()) || host.as_str().contains('@') {
            return Err(Refusal::Host);
        }
        if !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        let origin = only(headers, header::ORIGIN);
        let origin = origin.and_then(|it| it.parse::<Uri>().ok());
        let is_same = origin.is_some_and(|it| {
            it.scheme_str() == Some("http") && it.authority().is_some_and(|it| *it == host)
        });
        is_same.then_some(()).ok_or(Refusal::Origin)
    }

    fn is_ours(self, host: &str) -> bool {
        let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        match bare.unwrap_or(host).parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || !self.is_loopback,
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        }
    }
}

/// The value of a header that stands there once.
fn only(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

// === impl Refusal ===

impl Refusal {
    /// What the client is told.
    pub const fn message(self) -> &'static str {
        match self {
            Self::NoHost => "one Host header is needed",
            Self::Host => {
                "the dashboard answers only to the address that it printed, or to localhost: names are refused, for they \
                 may lead here from anywhere"
            }
            Self::Origin => "a page of another origin must not ask the dashboard",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listen: &str, host: &str, origin: Option<&str>) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert("host", host.parse().expect("a value"));
        if let Some(origin) = origin {
            headers.insert("origin", origin.parse().expect("a value"));
        }
        Hosts::of(listen.parse().expect("an address")).check(&headers)
    }

    const LOOPBACK: &str = "127.0.0.1:9902";
    const EVERYWHERE: &str = "0.0.0.0:9902";

    #[test]
    fn names_are_refused_but_localhost() {
        for host in [
            "127.0.0.1:9902",
            "localhost:9902",
            "LOCALHOST",
            "[::1]:9902",
            "127.0.0.1:8080",
        ] {
            assert_eq!(check(LOOPBACK, host, None), Ok(()), "{host}");
            assert_eq!(check(EVERYWHERE, host, None), Ok(()), "{host}");
        }
        for host in [
            "evil.example:9902",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil@127.0.0.1:9902",
            "127.0.0.1:9902/",
            "localhost.",
            "",
        ] {
            assert_eq!(check(LOOPBACK, host, None), Err(Refusal::Host), "{host}");
            assert_eq!(check(EVERYWHERE, host, None), Err(Refusal::Host), "{host}");
        }
        assert_eq!(check(LOOPBACK, "192.0.2.1:9902", None), Err(Refusal::Host));
        assert_eq!(check(EVERYWHERE, "192.0.2.1:9902", None), Ok(()));
    }

    #[test]
    fn another_origin_is_refused() {
        for (host, origin) in [
            ("127.0.0.1:9902", "http://127.0.0.1:9902"),
            ("localhost:8080", "http://localhost:8080"),
        ] {
            assert_eq!(check(LOOPBACK, host, Some(origin)), Ok(()), "{origin}");
        }
        for origin in [
            "http://evil.example",
            "http://127.0.0.1:3000",
            "http://localhost:9902",
            "https://127.0.0.1:9902",
            "http://127.0.0.1",
            "null",
            "",
        ] {
            let refused = check(LOOPBACK, "127.0.0.1:9902", Some(origin));
            assert_eq!(refused, Err(Refusal::Origin), "{origin}");
        }
    }

    #[test]
    fn a_host_or_an_origin_stands_once() {
        let hosts = Hosts::of(LOOPBACK.parse().expect("an address"));
        let mut headers = HeaderMap::new();
        assert_eq!(hosts.check(&headers), Err(Refusal::NoHost));
        headers.append("host", "127.0.0.1:9902".parse().expect("a value"));
        headers.append("origin", "http://127.0.0.1:9902".parse().expect("a value"));
        headers.append("origin", "http://127.0.0.1:9902".parse().expect("a value"));
        assert_eq!(hosts.check(&headers), Err(Refusal::Origin));
        headers.append("host", "127.0.0.1:9902".parse().expect("a value"));
        assert_eq!(hosts.check(&headers), Err(Refusal::NoHost));
    }
}

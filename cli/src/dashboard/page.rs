//! The page, which is part of the program.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, header};

/// A file of the page.
#[derive(Debug)]
pub struct Asset {
    /// Where a browser asks for it.
    pub path: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! asset {
    ($path:literal, $file:literal, $kind:literal) => {
        Asset {
            path: $path,
            kind: $kind,
            text: include_str!(concat!("assets/", $file)),
        }
    };
}

/// All of them. None tells anything of an Envoy or a file.
pub const ASSETS: [Asset; 12] = [
    asset!("/", "index.html", "text/html; charset=utf-8"),
    asset!("/style.css", "style.css", "text/css; charset=utf-8"),
    asset!("/icon.svg", "icon.svg", "image/svg+xml"),
    asset!("/app.js", "app.js", "text/javascript; charset=utf-8"),
    asset!("/api.js", "api.js", "text/javascript; charset=utf-8"),
    asset!("/chart.js", "chart.js", "text/javascript; charset=utf-8"),
    asset!("/charts.js", "charts.js", "text/javascript; charset=utf-8"),
    asset!("/dom.js", "dom.js", "text/javascript; charset=utf-8"),
    asset!("/format.js", "format.js", "text/javascript; charset=utf-8"),
    asset!("/lists.js", "lists.js", "text/javascript; charset=utf-8"),
    asset!("/moves.js", "moves.js", "text/javascript; charset=utf-8"),
    asset!(
        "/rollout.js",
        "rollout.js",
        "text/javascript; charset=utf-8"
    ),
];

/// With every response. Nothing but what is served here is loaded or run, no other page may show or read it, and nothing
/// of it is kept.
pub const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
];

impl IntoResponse for &Asset {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, self.kind)], self.text).into_response()
    }
}

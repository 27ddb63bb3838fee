//! The status of a gRPC call.

/// A status as it stands in a response's headers or trailers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrpcStatus(u64);

// === impl GrpcStatus ===

impl GrpcStatus {
    /// The header or trailer that holds it.
    pub const HEADER: &str = "grpc-status";

    /// The status of a gRPC response without one: unknown.
    pub const NONE: Self = Self(2);

    const INVALID: Self = Self(u64::MAX);

    /// Reads a header or trailer. What is no number is no valid status.
    pub fn parse(value: &[u8]) -> Self {
        let text = std::str::from_utf8(value).ok();
        let number = text.and_then(|text| text.parse().ok());
        number.map_or(Self::INVALID, Self)
    }

    /// Whether Envoy maps it to a 5xx: unknown, deadline exceeded, unimplemented, internal, unavailable,
    /// data loss, and all that is no status (`Grpc::Utility::grpcToHttpStatus`, as above).
    pub const fn is_server_error(self) -> bool {
        matches!(self.0, 2 | 4 | 12..=15 | 17..)
    }
}

/// Whether a `content-type` is that of gRPC: `application/grpc`, with or without a format behind it. gRPC-Web
/// is not: its status is in the body.
pub fn is_grpc(content_type: &[u8]) -> bool {
    let rest = content_type.strip_prefix(b"application/grpc");
    matches!(rest, Some([] | [b'+' | b';' | b' ', ..]))
}

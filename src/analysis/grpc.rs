//! The status of a gRPC call.

/// A status as it stands in a response's headers or trailers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrpcStatus(u64);

// === impl GrpcStatus ===

impl GrpcStatus {
    /// The header or trailer that holds it.
    pub const HEADER: &str = "grpc-status";

    const NO_STATUS: Self = Self(u64::MAX);

    /// Reads a header or trailer. What is no number is no status.
    pub fn parse(value: &[u8]) -> Self {
        let text = std::str::from_utf8(value).ok();
        let number = text.and_then(|text| text.parse().ok());
        number.map_or(Self::NO_STATUS, Self)
    }

    /// What Envoy gives for the code of a response without a status
    /// (`Grpc::Utility::httpToGrpcStatus` in `source/common/grpc/status.cc`).
    pub const fn of_code(code: u64) -> Self {
        Self(match code {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502..=504 => 14,
            _ => 2,
        })
    }

    /// Whether Envoy maps it to a 5xx: unknown, deadline exceeded, unimplemented, internal, unavailable,
    /// data loss, and all that is no status (`Grpc::Utility::grpcToHttpStatus`, as above).
    pub const fn is_server_error(self) -> bool {
        matches!(self.0, 2 | 4 | 12..=15 | 17..)
    }
}

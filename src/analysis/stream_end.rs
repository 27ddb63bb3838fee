//! How a stream ended, from what Envoy says of it.

use crate::analysis::grpc::GrpcStatus;

/// What Envoy knows of a stream when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamEnd {
    /// `response.code`; 0 where no response was sent.
    pub code: u64,
    /// `response.flags`.
    pub flags: u64,
    /// The status of a gRPC call.
    pub grpc_status: Option<GrpcStatus>,
}

/// The class of a response's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its name says")]
pub enum CodeClass {
    Informational,
    Success,
    Redirection,
    ClientError,
    ServerError,
    /// There was no response: the client left before.
    None,
}

/// What a stream says about the cluster that served it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamClass {
    /// It was served.
    Served,
    /// A 5xx, a reset, a timeout, or a gRPC status that stands for a 5xx.
    Failed,
    /// Nothing: the client left.
    ClientLeft,
}

/// Bits of `response.flags`: `CoreResponseFlag` in Envoy's `envoy/stream_info/stream_info.h`.
mod flag {
    pub const UPSTREAM_REQUEST_TIMEOUT: u64 = 1 << 2;
    pub const LOCAL_RESET: u64 = 1 << 3;
    pub const UPSTREAM_REMOTE_RESET: u64 = 1 << 4;
    pub const UPSTREAM_CONNECTION_FAILURE: u64 = 1 << 5;
    pub const UPSTREAM_CONNECTION_TERMINATION: u64 = 1 << 6;
    pub const DOWNSTREAM_CONNECTION_TERMINATION: u64 = 1 << 14;
    pub const STREAM_IDLE_TIMEOUT: u64 = 1 << 16;
    pub const DOWNSTREAM_PROTOCOL_ERROR: u64 = 1 << 18;
    pub const UPSTREAM_MAX_STREAM_DURATION: u64 = 1 << 19;
    pub const DURATION_TIMEOUT: u64 = 1 << 22;
    pub const UPSTREAM_PROTOCOL_ERROR: u64 = 1 << 23;
    pub const DOWNSTREAM_REMOTE_RESET: u64 = 1 << 28;

    pub const CLIENT_LEFT: u64 =
        DOWNSTREAM_CONNECTION_TERMINATION | DOWNSTREAM_PROTOCOL_ERROR | DOWNSTREAM_REMOTE_RESET;
    /// What cuts a response off, also after a good code has been sent.
    pub const CUT_OFF: u64 = UPSTREAM_REQUEST_TIMEOUT
        | LOCAL_RESET
        | UPSTREAM_REMOTE_RESET
        | UPSTREAM_CONNECTION_FAILURE
        | UPSTREAM_CONNECTION_TERMINATION
        | STREAM_IDLE_TIMEOUT
        | UPSTREAM_MAX_STREAM_DURATION
        | DURATION_TIMEOUT
        | UPSTREAM_PROTOCOL_ERROR;
}

// === impl StreamEnd ===

impl StreamEnd {
    /// The usual end: a success, and nothing to add.
    pub const PLAIN: Self = Self {
        code: 200,
        flags: 0,
        grpc_status: None,
    };

    /// A CEL expression over Envoy's attributes whose result is as long as the class of the response's
    /// code is high, and empty where there is more to say: flags, no code, an upgrade. Success comes
    /// first, since each look at an attribute has its price.
    pub const EXPRESSION: &str = r#"response.flags != 0 ? ""
        : response.code / 100 == 2 ? "22"
        : response.code / 100 == 4 ? "4444"
        : response.code / 100 == 3 ? "333"
        : response.code / 100 == 5 ? "55555" : """#;

    /// What a result of this length tells; nothing where it is empty.
    pub fn from_expression_length(length: usize) -> Option<Self> {
        let class = u64::try_from(length).ok().filter(|class| *class != 0)?;
        Some(Self {
            code: class.saturating_mul(100),
            ..Self::PLAIN
        })
    }

    /// Whether Envoy has nothing to say but that it was a success.
    pub fn is_plain(self) -> bool {
        self.code_class() == CodeClass::Success && self.flags == 0
    }

    /// The class of the response's code.
    pub const fn code_class(self) -> CodeClass {
        match self.code {
            100..200 => CodeClass::Informational,
            200..300 => CodeClass::Success,
            300..400 => CodeClass::Redirection,
            400..500 => CodeClass::ClientError,
            500..600 => CodeClass::ServerError,
            _ => CodeClass::None,
        }
    }

    /// Whether the cluster failed. A client that leaves says nothing about the cluster, whatever else
    /// came of it. Nor does the end of an upgraded connection (101, as with a WebSocket): there Envoy tells
    /// a server that closes as it should from one that breaks off by nothing.
    pub fn verdict(self) -> StreamClass {
        let class = self.code_class();
        if class == CodeClass::None || self.flags & flag::CLIENT_LEFT != 0 {
            StreamClass::ClientLeft
        } else if class == CodeClass::ServerError
            || (self.flags & flag::CUT_OFF != 0 && class != CodeClass::Informational)
            || self.grpc_status.is_some_and(GrpcStatus::is_server_error)
        {
            StreamClass::Failed
        } else {
            StreamClass::Served
        }
    }
}

// === impl CodeClass ===

impl CodeClass {
    /// All classes.
    pub const ALL: [CodeClass; 6] = [
        CodeClass::Informational,
        CodeClass::Success,
        CodeClass::Redirection,
        CodeClass::ClientError,
        CodeClass::ServerError,
        CodeClass::None,
    ];

    /// The value of the stats' label.
    pub const fn as_str(self) -> &'static str {
        match self {
            CodeClass::Informational => "1xx",
            CodeClass::Success => "2xx",
            CodeClass::Redirection => "3xx",
            CodeClass::ClientError => "4xx",
            CodeClass::ServerError => "5xx",
            CodeClass::None => "none",
        }
    }
}

//! How a stream ended, from what Envoy says of it.

use crate::analysis::grpc::GrpcStatus;

/// What Envoy knows of a stream when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamEnd {
    /// `response.code`; 0 where no response was sent.
    pub code: u64,
    /// `response.flags`.
    pub flags: u64,
    /// The status of a gRPC response. A response is gRPC by its own content type, whatever the request says.
    pub grpc_status: Option<GrpcStatus>,
    /// How often the request was sent upstream.
    pub attempts: u64,
    /// Whether the client had sent its whole request.
    pub request_is_complete: bool,
    /// Bytes of the response's body that were passed on; known where [`StreamEnd::needs_response_bytes`].
    pub response_bytes: u64,
    /// Whether an upstream sent the response; known where [`StreamEnd::needs_origin`].
    pub is_from_upstream: bool,
    /// Whether the body says itself that it has failed: see [`EventStream`](crate::EventStream).
    pub has_failed_body: bool,
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
    /// A 5xx, a reset, a timeout, a gRPC status that stands for a 5xx, or a body that says so.
    Failed,
    /// Nothing: the client left, did not send its whole request, or did not read the response.
    ClientFault,
}

/// Bits of `response.flags`: `CoreResponseFlag` in Envoy's `envoy/stream_info/stream_info.h`.
mod flag {
    pub const NO_HEALTHY_UPSTREAM: u64 = 1 << 1;
    pub const UPSTREAM_REQUEST_TIMEOUT: u64 = 1 << 2;
    pub const LOCAL_RESET: u64 = 1 << 3;
    pub const UPSTREAM_REMOTE_RESET: u64 = 1 << 4;
    pub const UPSTREAM_CONNECTION_FAILURE: u64 = 1 << 5;
    pub const UPSTREAM_CONNECTION_TERMINATION: u64 = 1 << 6;
    pub const UPSTREAM_OVERFLOW: u64 = 1 << 7;
    pub const DOWNSTREAM_CONNECTION_TERMINATION: u64 = 1 << 14;
    pub const UPSTREAM_RETRY_LIMIT_EXCEEDED: u64 = 1 << 15;
    pub const STREAM_IDLE_TIMEOUT: u64 = 1 << 16;
    pub const DOWNSTREAM_PROTOCOL_ERROR: u64 = 1 << 18;
    pub const UPSTREAM_MAX_STREAM_DURATION: u64 = 1 << 19;
    pub const DURATION_TIMEOUT: u64 = 1 << 22;
    pub const UPSTREAM_PROTOCOL_ERROR: u64 = 1 << 23;
    pub const NO_CLUSTER_FOUND: u64 = 1 << 24;
    pub const DNS_RESOLUTION_FAILED: u64 = 1 << 26;
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
    /// Time-outs. They are the client's where it did not send all or does not read.
    pub const TIMED_OUT: u64 = UPSTREAM_REQUEST_TIMEOUT
        | STREAM_IDLE_TIMEOUT
        | UPSTREAM_MAX_STREAM_DURATION
        | DURATION_TIMEOUT;
    /// Why Envoy answers in place of an upstream.
    pub const UPSTREAM_FAULT: u64 = CUT_OFF
        | NO_HEALTHY_UPSTREAM
        | UPSTREAM_OVERFLOW
        | UPSTREAM_RETRY_LIMIT_EXCEEDED
        | NO_CLUSTER_FOUND
        | DNS_RESOLUTION_FAILED;
}

/// A client that does not read holds a response up only when the buffers of Envoy and of the kernel are full,
/// which takes more than this also with the smallest buffers that Envoy's documentation recommends (32 KiB a
/// connection). A response that stalls with less was stalled by its upstream.
const MAX_BUFFERED_BYTES: u64 = 65_536;

/// What Envoy answers where a time-out finds the request incomplete.
const REQUEST_TIMEOUT: u64 = 408;

// === impl StreamEnd ===

impl StreamEnd {
    /// The usual end: a success, and nothing to add.
    pub const PLAIN: Self = Self {
        code: 200,
        flags: 0,
        grpc_status: None,
        attempts: 1,
        request_is_complete: true,
        response_bytes: 0,
        is_from_upstream: true,
        has_failed_body: false,
    };

    /// A CEL expression over Envoy's attributes whose result is as long as the class of the response's
    /// code is high, and empty where there is more to say: flags, retries, no code, an upgrade. The usual success comes
    /// first, since each step has its price.
    pub const EXPRESSION: &str = r#"response.flags != 0 || upstream.request_attempt_count > 1 ? ""
        : response.code == 200 ? "22"
        : response.code / 100 == 2 ? "22"
        : response.code / 100 == 4 ? "4444"
        : response.code / 100 == 3 ? "333"
        : response.code / 100 == 5 ? "55555" : """#;

    /// What a result of this length means; nothing where it is empty.
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

    /// Whether the request was sent upstream more than once.
    pub const fn is_retried(&self) -> bool {
        self.attempts > 1
    }

    /// Whether the stream counts as failed: also where a retry hid that, if retries count.
    pub fn has_failed(&self, retries_count: bool) -> bool {
        match self.class() {
            StreamClass::Failed => true,
            StreamClass::Served => retries_count && self.is_retried(),
            StreamClass::ClientFault => false,
        }
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

    /// Whether [`StreamEnd::class`] depends on how much of the response was passed on.
    pub const fn needs_response_bytes(&self) -> bool {
        self.flags & flag::TIMED_OUT != 0 && self.code < 500
    }

    /// Whether [`StreamEnd::class`] depends on who sent the response.
    pub fn needs_origin(&self) -> bool {
        self.grpc_status.is_some_and(GrpcStatus::is_server_error)
    }

    /// What the stream says about the cluster. A client that leaves says nothing, whatever else came of it.
    /// Nor does the end of an upgraded connection (101, as with a WebSocket): Envoy reports a server that
    /// closes it properly and one that breaks it off alike.
    pub fn class(&self) -> StreamClass {
        let class = self.code_class();
        if class == CodeClass::None || self.flags & flag::CLIENT_LEFT != 0 || self.is_held_up() {
            StreamClass::ClientFault
        } else if class == CodeClass::ServerError
            || (self.flags & flag::CUT_OFF != 0 && class != CodeClass::Informational)
            || self.is_failed_call()
            || self.has_failed_body
        {
            StreamClass::Failed
        } else {
            StreamClass::Served
        }
    }

    /// Whether it timed out by the client's fault.
    const fn is_held_up(&self) -> bool {
        let is_incomplete = !self.request_is_complete || self.code == REQUEST_TIMEOUT;
        let is_unread = self.code < 500 && self.response_bytes > MAX_BUFFERED_BYTES;
        self.flags & flag::TIMED_OUT != 0 && (is_incomplete || is_unread)
    }

    /// Whether a gRPC response has a status that stands for a 5xx. Where Envoy itself answers a call, by a
    /// route, a rate limit or an authorization, that is no word of the upstream.
    fn is_failed_call(&self) -> bool {
        let is_error = self.grpc_status.is_some_and(GrpcStatus::is_server_error);
        is_error && (self.is_from_upstream || self.flags & flag::UPSTREAM_FAULT != 0)
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

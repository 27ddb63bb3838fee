//! What a request that calls itself gRPC gets for a status.

use super::proxy_wasm::calls;
use super::serving::Serving;
use crate::analysis::grpc::{GrpcStatus, is_grpc};
use crate::analysis::stream_end::StreamEnd;
use log::error;

/// A response is gRPC by its own content type, whatever the request says.
#[derive(Default)]
pub struct GrpcCall {
    is_grpc_response: bool,
    status: Option<GrpcStatus>,
}

// === impl GrpcCall ===

impl GrpcCall {
    /// A response without a body has its status in the headers, another tells by its content type whether one
    /// will come in the trailers.
    pub fn response_started(&mut self, is_whole: bool) {
        if is_whole {
            let status = calls::response_header(GrpcStatus::HEADER);
            self.status = status.map(|it| GrpcStatus::parse(&it));
        } else {
            let content_type = calls::response_header("content-type");
            self.is_grpc_response = content_type.is_some_and(|it| is_grpc(&it));
        }
    }

    pub fn response_trailed(&mut self, serving: &Serving) {
        // Where the headers do not reach the filter, a status in trailers is all that tells gRPC.
        self.is_grpc_response |= !serving.responses.has_come();
        if self.is_grpc_response
            && let Some(status) = calls::response_trailer(GrpcStatus::HEADER)
        {
            self.status = Some(GrpcStatus::parse(&status));
        }
    }

    /// The status of a gRPC response. One without a status is an error, if statuses would be seen.
    pub fn status(&self, end: &StreamEnd, serving: &Serving) -> Option<GrpcStatus> {
        if self.status.is_some() {
            return self.status;
        }
        if end.is_plain() {
            let missing = if self.is_grpc_response {
                &serving.response_trailers
            } else {
                &serving.responses
            };
            missing.miss(|| {
                error!(
                    "gRPC statuses do not reach the filter, so calls are judged by HTTP alone: allow \
                     proxy_on_response_headers and proxy_on_response_trailers"
                );
            });
        }
        let would_be_seen = self.is_grpc_response && serving.response_trailers.has_come();
        would_be_seen.then_some(GrpcStatus::NONE)
    }
}

//! How a stream ended, from `response.code`, `response.flags` and a gRPC status.

use bluegreen::analysis::grpc::is_grpc;
use bluegreen::{CodeClass, GrpcStatus, StreamClass, StreamEnd};

const NO_FLAGS: u64 = 0;

#[track_caller]
fn assert_end(code: u64, flags: u64, class: &str, expected: StreamClass) {
    let end = StreamEnd {
        code,
        flags,
        ..StreamEnd::PLAIN
    };
    assert_eq!(end.code_class().as_str(), class);
    assert_eq!(end.class(), expected);
}

fn grpc(status: &str) -> StreamClass {
    let end = StreamEnd {
        grpc_status: Some(GrpcStatus::parse(status.as_bytes())),
        ..StreamEnd::PLAIN
    };
    end.class()
}

#[test]
fn code_decides_where_envoy_has_no_flag() {
    for (code, class, verdict) in [
        (100, "1xx", StreamClass::Served),
        (101, "1xx", StreamClass::Served),
        (199, "1xx", StreamClass::Served),
        (200, "2xx", StreamClass::Served),
        (299, "2xx", StreamClass::Served),
        (300, "3xx", StreamClass::Served),
        (399, "3xx", StreamClass::Served),
        (400, "4xx", StreamClass::Served),
        (404, "4xx", StreamClass::Served),
        (429, "4xx", StreamClass::Served),
        (499, "4xx", StreamClass::Served),
        (500, "5xx", StreamClass::Failed),
        (503, "5xx", StreamClass::Failed),
        (599, "5xx", StreamClass::Failed),
    ] {
        assert_end(code, NO_FLAGS, class, verdict);
    }
}

#[test]
fn no_response_or_none_that_is_known_says_nothing() {
    for code in [0, 1, 99, 600, 999, u64::MAX] {
        assert_end(code, NO_FLAGS, "none", StreamClass::ClientFault);
    }
}

#[test]
fn ends_seen_on_a_real_envoy_are_told_apart() {
    assert_end(200, 8_388_608, "2xx", StreamClass::Failed); // upstream closed in the middle of its body
    assert_end(503, 64, "5xx", StreamClass::Failed); // upstream closed without a word
    assert_end(200, 4, "2xx", StreamClass::Failed); // route timeout in the middle of a body
    assert_end(504, 4, "5xx", StreamClass::Failed); // route timeout before the response
    assert_end(200, 16_384, "2xx", StreamClass::ClientFault); // client left in the middle of a body
    assert_end(0, 16_384, "none", StreamClass::ClientFault); // client left before the response
}

/// The bits of `CoreResponseFlag` in Envoy's `envoy/stream_info/stream_info.h`, one by one behind a 200.
#[test]
fn each_flag_behind_a_good_code_has_its_verdict() {
    let cut_off = [2, 3, 4, 5, 6, 16, 19, 22, 23];
    let client_left = [14, 18, 28];
    for bit in 0..30 {
        let verdict = match bit {
            bit if cut_off.contains(&bit) => StreamClass::Failed,
            bit if client_left.contains(&bit) => StreamClass::ClientFault,
            _ => StreamClass::Served,
        };
        assert_end(200, 1 << bit, "2xx", verdict);
    }
}

#[test]
fn client_that_left_outweighs_all_else() {
    assert_end(503, 16_384, "5xx", StreamClass::ClientFault);
    assert_end(200, 16_384 | 8_388_608, "2xx", StreamClass::ClientFault);
    assert_end(504, 4 | 1 << 28, "5xx", StreamClass::ClientFault);
    let grpc = StreamEnd {
        code: 200,
        flags: 16_384,
        grpc_status: Some(GrpcStatus::parse(b"13")),
        ..StreamEnd::PLAIN
    };
    assert_eq!(grpc.class(), StreamClass::ClientFault);
}

/// Envoy's `Grpc::Utility::grpcToHttpStatus`: these statuses become 5xx, the others below 17 do not.
#[test]
fn grpc_statuses_that_stand_for_5xx_fail() {
    let failed: Vec<u64> = (0..20)
        .filter(|status| grpc(&status.to_string()) == StreamClass::Failed)
        .collect();
    assert_eq!(failed, [2, 4, 12, 13, 14, 15, 17, 18, 19]);
    assert_eq!(grpc(&u64::MAX.to_string()), StreamClass::Failed);
    assert_eq!(StreamEnd::PLAIN.class(), StreamClass::Served);
}

#[test]
fn grpc_status_that_is_no_number_is_a_failure() {
    for value in ["", "ok", "-1", "1.0", "\u{ff}", "99999999999999999999"] {
        assert_eq!(grpc(value), StreamClass::Failed, "{value:?}");
    }
    assert_eq!(GrpcStatus::parse(b"\xff"), GrpcStatus::parse(b"none"));
    assert_eq!(GrpcStatus::parse(b"007"), GrpcStatus::parse(b"7"));
}

/// A gRPC-labeled request to a path that answers by HTTP, or that Envoy itself answers, is no word of the canary.
#[test]
fn errors_of_envoys_own_answers_are_not_the_upstreams() {
    let unavailable = |flags, is_from_upstream| StreamEnd {
        flags,
        grpc_status: Some(GrpcStatus::parse(b"14")),
        is_from_upstream,
        ..StreamEnd::PLAIN
    };
    let (none, rate_limited, no_cluster_found) = (0, 1 << 11, 1 << 24);
    let (no_healthy_upstream, connection_failure) = (1 << 1, 1 << 5);
    for (flags, is_from_upstream, class) in [
        (none, true, StreamClass::Failed),
        (none, false, StreamClass::Served),
        (rate_limited, false, StreamClass::Served),
        (no_healthy_upstream, false, StreamClass::Failed),
        (connection_failure, false, StreamClass::Failed),
        (no_cluster_found, false, StreamClass::Failed),
    ] {
        let end = unavailable(flags, is_from_upstream);
        assert!(end.needs_origin());
        assert_eq!(end.class(), class, "{flags} {is_from_upstream}");
    }
    assert!(!StreamEnd::PLAIN.needs_origin());
}

const TIME_OUTS: [u64; 4] = [1 << 2, 1 << 16, 1 << 19, 1 << 22];

#[test]
fn time_outs_while_the_client_owes_data_are_its_own() {
    for flags in TIME_OUTS {
        for code in [200, 408, 504] {
            let end = StreamEnd {
                code,
                flags,
                request_is_complete: false,
                ..StreamEnd::PLAIN
            };
            assert_eq!(end.class(), StreamClass::ClientFault, "{code} {flags}");
        }
        // By 408 Envoy says so itself, where the filter does not see bodies.
        assert_end(408, flags, "4xx", StreamClass::ClientFault);
        assert_end(504, flags, "5xx", StreamClass::Failed);
    }
    // What the upstream did counts whatever the client still owes.
    let reset = StreamEnd {
        code: 503,
        flags: 1 << 6,
        request_is_complete: false,
        ..StreamEnd::PLAIN
    };
    assert_eq!(reset.class(), StreamClass::Failed);
}

#[test]
fn time_outs_of_a_response_that_is_held_up_are_the_clients() {
    for flags in TIME_OUTS {
        let after = |response_bytes| StreamEnd {
            flags,
            response_bytes,
            ..StreamEnd::PLAIN
        };
        assert!(after(0).needs_response_bytes());
        for stalled in [0, 1, 65_536] {
            assert_eq!(after(stalled).class(), StreamClass::Failed, "{stalled}");
        }
        for unread in [65_537, 1 << 30, u64::MAX] {
            assert_eq!(after(unread).class(), StreamClass::ClientFault, "{unread}");
        }
    }
    assert!(!StreamEnd::PLAIN.needs_response_bytes());
}

#[test]
fn grpc_is_known_by_its_content_type() {
    for (content_type, grpc) in [
        ("application/grpc", true),
        ("application/grpc+proto", true),
        ("application/grpc+json", true),
        ("application/grpc;charset=utf-8", true),
        ("application/grpc ; charset=utf-8", true),
        ("application/grpc-web", false),
        ("application/grpc-web+proto", false),
        ("application/grpc-web-text", false),
        ("application/grpcx", false),
        ("application/json", false),
        ("text/application/grpc", false),
        ("", false),
    ] {
        assert_eq!(is_grpc(content_type.as_bytes()), grpc, "{content_type:?}");
    }
}

#[test]
fn plain_end_is_a_success_without_flags() {
    let end = |code, flags| StreamEnd {
        code,
        flags,
        ..StreamEnd::PLAIN
    };
    assert!(
        [200, 204, 299]
            .map(|code| end(code, 0))
            .iter()
            .all(|end| end.is_plain())
    );
    for (code, flags) in [
        (0, 0),
        (101, 0),
        (199, 0),
        (300, 0),
        (404, 0),
        (500, 0),
        (200, 4),
    ] {
        assert!(!end(code, flags).is_plain(), "{code} {flags}");
    }
}

#[test]
fn good_grpc_status_does_not_make_up_for_a_bad_code() {
    let end = StreamEnd {
        code: 503,
        flags: NO_FLAGS,
        grpc_status: Some(GrpcStatus::parse(b"0")),
        ..StreamEnd::PLAIN
    };
    assert_eq!(end.class(), StreamClass::Failed);
}

#[test]
fn code_classes_are_named_as_in_the_stats() {
    let names = CodeClass::ALL.map(CodeClass::as_str);
    assert_eq!(names, ["1xx", "2xx", "3xx", "4xx", "5xx", "none"]);
}

#[test]
fn body_that_says_that_it_failed_is_a_failure_unless_the_client_left() {
    let said = |flags| StreamEnd {
        flags,
        has_failed_body: true,
        ..StreamEnd::PLAIN
    };
    assert_eq!(said(NO_FLAGS).class(), StreamClass::Failed);
    assert_eq!(said(16_384).class(), StreamClass::ClientFault);
}

//! How a stream ended, from `response.code`, `response.flags` and a gRPC status.

use bluegreen::{CodeClass, GrpcStatus, StreamClass, StreamEnd};

const NO_FLAGS: u64 = 0;

#[track_caller]
fn assert_end(code: u64, flags: u64, class: &str, verdict: StreamClass) {
    let end = StreamEnd {
        code,
        flags,
        grpc_status: None,
    };
    assert_eq!(end.code_class().as_str(), class);
    assert_eq!(end.verdict(), verdict);
}

fn grpc(status: &str) -> StreamClass {
    let end = StreamEnd {
        grpc_status: Some(GrpcStatus::parse(status.as_bytes())),
        ..StreamEnd::PLAIN
    };
    end.verdict()
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
        assert_end(code, NO_FLAGS, "none", StreamClass::ClientLeft);
    }
}

#[test]
fn ends_seen_on_a_real_envoy_are_told_apart() {
    assert_end(200, 8_388_608, "2xx", StreamClass::Failed); // upstream closed in the middle of its body
    assert_end(503, 64, "5xx", StreamClass::Failed); // upstream closed without a word
    assert_end(200, 4, "2xx", StreamClass::Failed); // route timeout in the middle of a body
    assert_end(504, 4, "5xx", StreamClass::Failed); // route timeout before the response
    assert_end(200, 16_384, "2xx", StreamClass::ClientLeft); // client left in the middle of a body
    assert_end(0, 16_384, "none", StreamClass::ClientLeft); // client left before the response
}

/// The bits of `CoreResponseFlag` in Envoy's `envoy/stream_info/stream_info.h`, one by one behind a 200.
#[test]
fn each_flag_behind_a_good_code_has_its_verdict() {
    let cut_off = [2, 3, 4, 5, 6, 16, 19, 22, 23];
    let client_left = [14, 18, 28];
    for bit in 0..30 {
        let verdict = match bit {
            bit if cut_off.contains(&bit) => StreamClass::Failed,
            bit if client_left.contains(&bit) => StreamClass::ClientLeft,
            _ => StreamClass::Served,
        };
        assert_end(200, 1 << bit, "2xx", verdict);
    }
}

#[test]
fn client_that_left_outweighs_all_else() {
    assert_end(503, 16_384, "5xx", StreamClass::ClientLeft);
    assert_end(200, 16_384 | 8_388_608, "2xx", StreamClass::ClientLeft);
    assert_end(504, 4 | 1 << 28, "5xx", StreamClass::ClientLeft);
    let grpc = StreamEnd {
        code: 200,
        flags: 16_384,
        grpc_status: Some(GrpcStatus::parse(b"13")),
    };
    assert_eq!(grpc.verdict(), StreamClass::ClientLeft);
}

/// Envoy's `Grpc::Utility::grpcToHttpStatus`: these statuses become 5xx, the others below 17 do not.
#[test]
fn grpc_statuses_that_stand_for_5xx_fail() {
    let failed: Vec<u64> = (0..20)
        .filter(|status| grpc(&status.to_string()) == StreamClass::Failed)
        .collect();
    assert_eq!(failed, [2, 4, 12, 13, 14, 15, 17, 18, 19]);
    assert_eq!(grpc(&u64::MAX.to_string()), StreamClass::Failed);
    assert_eq!(StreamEnd::PLAIN.verdict(), StreamClass::Served);
}

#[test]
fn grpc_status_that_is_no_number_is_a_failure() {
    for value in ["", "ok", "-1", "1.0", "\u{ff}", "99999999999999999999"] {
        assert_eq!(grpc(value), StreamClass::Failed, "{value:?}");
    }
    assert_eq!(GrpcStatus::parse(b"\xff"), GrpcStatus::parse(b"none"));
    assert_eq!(GrpcStatus::parse(b"007"), GrpcStatus::parse(b"7"));
}

/// Envoy's `Grpc::Utility::httpToGrpcStatus`.
#[test]
fn codes_stand_for_the_grpc_statuses_that_envoy_gives_them() {
    for (code, status) in [
        (200, "2"),
        (400, "13"),
        (401, "16"),
        (403, "7"),
        (404, "12"),
        (418, "2"),
        (429, "14"),
        (500, "2"),
        (501, "2"),
        (502, "14"),
        (503, "14"),
        (504, "14"),
        (505, "2"),
    ] {
        let expected = GrpcStatus::parse(status.as_bytes());
        assert_eq!(GrpcStatus::of_code(code), expected, "{code}");
    }
}

#[test]
fn plain_end_is_a_success_without_flags() {
    let end = |code, flags| StreamEnd {
        code,
        flags,
        grpc_status: None,
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
    };
    assert_eq!(end.verdict(), StreamClass::Failed);
}

#[test]
fn code_classes_are_named_as_in_the_stats() {
    let names = CodeClass::ALL.map(CodeClass::as_str);
    assert_eq!(names, ["1xx", "2xx", "3xx", "4xx", "5xx", "none"]);
}

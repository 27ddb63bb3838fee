//! Digests that are the same in every version: a rollback lasts as long as that of its rollout.

use crate::support::rollout;
use serde_json::{Value, json};

/// Rollouts and their `digest`, `gate_digest` and `generation_digest`, kept from version 0.1.0 on. These
/// figures never change: where a test fails here, an upgrade of the filter would end rollbacks.
fn kept() -> Vec<(Value, [u64; 3])> {
    let ramp = json!({ "start": "2026-11-23T10:00:00Z", "steps": [
        { "weight": 5, "hold": "10m" }, { "weight": 25.125, "hold": "1h 30m" }, { "weight": 100 },
    ]});
    let guard = json!({
        "window": "30s", "min_requests": 100, "max_error_rate": 5, "max_error_rate_over_stable": 2,
        "slow_after": "800ms", "max_slow_rate": 20, "max_slow_rate_over_stable": 10,
    });
    let quality = json!({
        "min_samples": 500, "max_f1_drop": 1, "min_f1": 80, "min_precision": 75, "min_recall": 74, "hold_at": 10,
    });
    let token = json!({ "token": { "header": "x-token", "sha256": "0a".repeat(32) } });
    let all = json!({
        "match": { "hosts": ["a.example", "*.b.example", "[::1]"], "path_prefix": "/v1/" },
        "clusters": { "blue": "rec-v1", "green": "rec-v2" },
        "weights": { "blue": 99.875, "green": 0.125 },
        "stable": "green",
        "salt": "pepper",
        "sticky": [
            { "header": "X-User" }, { "cookie": "uid" }, { "query": "user" }, { "metadata": ["ns", "a", "b"] },
            "source_ip", { "new_cookie": { "name": "bg", "max_age": "30d" } },
        ],
        "override": { "header": "x-bluegreen", "cookie": "bg-override", "require": token },
        "ramp": ramp, "guard": guard, "quality": quality,
        "releases": { "blue": "2026-10", "green": "2026-11 rc \u{e4}\"" },
    });
    let cookie = json!({
        "name": "__Secure-a", "path": "/v1", "domain": "a.example", "same_site": "none", "secure": true,
    });
    vec![
        (
            json!({}),
            [
                0xa916_1c01_3133_9705,
                0x2e14_72b5_7af2_94d1,
                0x05f4_b257_59e6_c945,
            ],
        ),
        (
            json!({ "name": "other" }),
            [
                0x4619_edd9_4afb_2534,
                0x2e14_72b5_7af2_94d1,
                0x65de_611c_8b42_f836,
            ],
        ),
        (
            json!({ "weights": { "blue": 95, "green": 5 } }),
            [
                0xdc9c_75c3_2f03_5e93,
                0x2e14_72b5_7af2_94d1,
                0x05f4_b257_59e6_c945,
            ],
        ),
        (
            json!({ "match": { "path_prefix": "/" } }),
            [
                0xdd64_2261_5433_d13c,
                0x2e14_72b5_7af2_94d1,
                0x05f4_b257_59e6_c945,
            ],
        ),
        (
            json!({ "match": { "hosts": ["A.example"] } }),
            [
                0x74ff_ba8e_a268_2ae7,
                0x2e14_72b5_7af2_94d1,
                0x05f4_b257_59e6_c945,
            ],
        ),
        (
            json!({ "stable": "green", "salt": "s" }),
            [
                0x6b8b_9151_ae32_1b28,
                0x488a_137c_be37_ab01,
                0x5aca_3d56_17f0_9bf7,
            ],
        ),
        (
            json!({ "sticky": ["source_ip", { "new_cookie": { "name": "a" } }] }),
            [
                0xceb6_31d3_287a_78dd,
                0x2e14_72b5_7af2_94d1,
                0x05f4_b257_59e6_c945,
            ],
        ),
        (
            json!({ "sticky": [{ "new_cookie": cookie }] }),
            [
                0x2ede_b888_530d_66fc,
                0x2e14_72b5_7af2_94d1,
                0x05f4_b257_59e6_c945,
            ],
        ),
        (
            json!({ "override": { "header": "x", "require": "internal" } }),
            [
                0x9462_27c0_329b_2724,
                0x2e14_72b5_7af2_94d1,
                0x05f4_b257_59e6_c945,
            ],
        ),
        (
            json!({ "override": { "cookie": "x", "require": "nothing" } }),
            [
                0x908b_d79e_a0ac_bbd6,
                0x2e14_72b5_7af2_94d1,
                0x05f4_b257_59e6_c945,
            ],
        ),
        (
            json!({ "ramp": ramp, "quality": { "min_samples": 1 } }),
            [
                0x0514_66de_b740_722d,
                0xee3e_dd3c_377a_e10e,
                0x05f4_b257_59e6_c945,
            ],
        ),
        (
            json!({ "guard": { "window": "1m", "min_requests": 1, "max_error_rate": 0 } }),
            [
                0x9961_6b36_f71b_f6bf,
                0x2e14_72b5_7af2_94d1,
                0x05f4_b257_59e6_c945,
            ],
        ),
        (
            json!({ "releases": { "green": "1" } }),
            [
                0x1d08_597e_6b55_faa8,
                0x11be_93fb_c37c_1fbb,
                0xae6b_5422_4712_7310,
            ],
        ),
        (
            all,
            [
                0xec30_b582_4100_cfc5,
                0x2f18_fb1e_598e_1195,
                0x316c_dea8_e080_aacf,
            ],
        ),
    ]
}

#[test]
fn digests_are_those_that_were_kept() {
    let mut wrong = Vec::new();
    for (index, (fields, digests)) in kept().into_iter().enumerate() {
        let rollout = rollout(&fields);
        let found = [
            rollout.digest(),
            rollout.gate_digest(),
            rollout.generation_digest(),
        ];
        if found != digests {
            wrong.push(format!("{index}: {found:x?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// References: `xxhash.xxh64(text).intdigest()` in Python for the text of the canonical form.
#[test]
fn canonical_form_has_what_is_not_at_its_default() {
    let form = r#"{"name":"rec","clusters":["one","two"],"weights":[50000,50000]}"#;
    let digest = xxhash_rust::xxh64::xxh64(form.as_bytes(), 0);
    assert_eq!(rollout(&json!({})).digest(), digest);
    let form = r#"{"clusters":["one","two"],"salt":"rec","releases":{"green":"1"}}"#;
    let digest = xxhash_rust::xxh64::xxh64(form.as_bytes(), 0);
    let released = rollout(&json!({ "releases": { "green": "1" } }));
    assert_eq!(released.generation_digest(), digest);
}

#[test]
fn absent_and_default_are_the_same() {
    let absent = rollout(&json!({ "sticky": [{ "new_cookie": { "name": "a" } }] }));
    for default in [
        json!({ "match": {} }),
        json!({ "stable": "blue" }),
        json!({ "salt": "rec" }),
        json!({ "releases": {} }),
        json!({ "sticky": [{ "new_cookie": {
            "name": "a", "path": "/", "same_site": "lax", "secure": false,
        }}]}),
        json!({ "weights": { "blue": 50.000, "green": 50.0 } }),
    ] {
        let mut fields = json!({ "sticky": [{ "new_cookie": { "name": "a" } }] });
        let given = default.as_object().unwrap().clone();
        fields.as_object_mut().unwrap().extend(given);
        let given = rollout(&fields);
        assert_eq!(given.digest(), absent.digest(), "{default}");
        assert_eq!(given.gate_digest(), absent.gate_digest(), "{default}");
        assert_eq!(
            given.generation_digest(),
            absent.generation_digest(),
            "{default}"
        );
    }
    assert_eq!(
        rollout(&json!({ "sticky": [] })).digest(),
        rollout(&json!({})).digest()
    );
}

#[test]
fn confidence_belongs_to_the_gate_where_it_is_not_the_default() {
    let gate = |confidence: Value| {
        let quality = json!({ "min_samples": 1, "confidence": confidence });
        let rollout = rollout(&json!({ "quality": quality }));
        [rollout.digest(), rollout.gate_digest()]
    };
    let absent = rollout(&json!({ "quality": { "min_samples": 1 } }));
    let absent = [absent.digest(), absent.gate_digest()];
    assert_eq!(gate(json!(95)), absent);
    let all = [
        absent,
        gate(json!("none")),
        gate(json!(94.999)),
        gate(json!(50)),
    ];
    for (index, one) in all.iter().enumerate() {
        for other in all.iter().skip(index + 1) {
            assert!(one[0] != other[0] && one[1] != other[1], "{all:?}");
        }
    }
}

#[test]
fn generation_is_that_of_clusters_releases_and_salt() {
    let same = rollout(&json!({})).generation_digest();
    for fields in [
        json!({ "clusters": { "blue": "one", "green": "three" } }),
        json!({ "clusters": { "blue": "two", "green": "one" } }),
        json!({ "releases": { "blue": "1" } }),
        json!({ "releases": { "green": "1" } }),
        json!({ "salt": "s" }),
        json!({ "name": "other" }),
    ] {
        assert_ne!(rollout(&fields).generation_digest(), same, "{fields}");
    }
    for fields in [
        json!({ "salt": "rec" }),
        json!({ "name": "other", "salt": "rec" }),
        json!({ "weights": { "blue": 1, "green": 99 } }),
        json!({ "stable": "green" }),
        json!({ "match": { "path_prefix": "/v1" } }),
        json!({ "sticky": ["source_ip"] }),
    ] {
        assert_eq!(rollout(&fields).generation_digest(), same, "{fields}");
    }
}

/// A rollout with a ramp whose first step asks for this too, and with these fields.
fn ramped(asked: &Value, fields: &Value) -> bluegreen::Rollout {
    let step = crate::support::merged(json!({ "weight": 5, "hold": "10m" }), asked);
    let ramp = json!({ "start": "2026-11-23T10:00:00Z", "steps": [step, { "weight": 100 }] });
    rollout(&crate::support::merged(json!({ "ramp": ramp }), fields))
}

fn guarded(min_requests: u32) -> Value {
    let guard = json!({ "window": "1m", "min_requests": min_requests, "max_error_rate": 5 });
    json!({ "guard": guard })
}

#[test]
fn requests_that_the_guard_implies_are_left_out() {
    let digest = |asked: Value, fields: &Value| ramped(&asked, fields).digest();
    for (fields, implied) in [(json!({}), 0), (guarded(100), 100)] {
        let absent = digest(json!({}), &fields);
        assert_eq!(digest(json!({ "min_requests": implied }), &fields), absent);
        assert_eq!(digest(json!({ "pause": false }), &fields), absent);
        assert_ne!(digest(json!({ "min_requests": 99 }), &fields), absent);
    }
    let paused = rollout(
        &json!({ "ramp": { "start": "2026-11-23T10:00:00Z", "steps": [
        { "weight": 5, "pause": true }, { "weight": 100 },
    ] } }),
    );
    let passed = rollout(
        &json!({ "ramp": { "start": "2026-11-23T10:00:00Z", "steps": [
        { "weight": 5, "hold": "0s" }, { "weight": 100 },
    ] } }),
    );
    assert_ne!(paused.digest(), passed.digest());
    assert_ne!(paused.gate_digest(), passed.gate_digest());
}

#[test]
fn ramp_goes_on_where_ramp_releases_clusters_salt_and_canary_stay() {
    let digest = |asked: Value, fields: &Value| ramped(&asked, fields).ramp_digest();
    for asked in [json!({}), json!({ "min_requests": 100 })] {
        let same = digest(asked.clone(), &json!({}));
        for fields in [
            guarded(100),
            guarded(200),
            json!({ "weights": { "blue": 1, "green": 99 } }),
            json!({ "sticky": ["source_ip"] }),
            json!({ "quality": { "min_samples": 1 } }),
            json!({ "match": { "path_prefix": "/v1" } }),
        ] {
            assert_eq!(digest(asked.clone(), &fields), same, "{fields}");
        }
        for fields in [
            json!({ "clusters": { "blue": "one", "green": "three" } }),
            json!({ "releases": { "green": "1" } }),
            json!({ "salt": "s" }),
            json!({ "stable": "green" }),
        ] {
            assert_ne!(digest(asked.clone(), &fields), same, "{fields}");
        }
        for other in [
            json!({ "hold": "11m" }),
            json!({ "min_requests": 101 }),
            json!({ "weight": 6 }),
        ] {
            assert_ne!(digest(other.clone(), &json!({})), same, "{other}");
        }
    }
}

#[test]
fn stream_is_part_of_the_rollout_and_of_no_generation() {
    let streams = [
        json!({}),
        json!({ "stream": { "first_chunk": true } }),
        json!({ "stream": { "sse_errors": true } }),
        json!({ "stream": { "first_chunk": true, "sse_errors": true } }),
    ]
    .map(|fields| rollout(&fields));
    for (index, one) in streams.iter().enumerate() {
        for other in streams.iter().skip(index + 1) {
            assert_ne!(one.digest(), other.digest());
            assert_eq!(one.generation_digest(), other.generation_digest());
            assert_eq!(one.gate_digest(), other.gate_digest());
        }
    }
    let written_out = json!({ "stream": { "first_chunk": true, "sse_errors": false } });
    assert_eq!(rollout(&written_out).digest(), streams[1].digest());
}

#[test]
fn scores_belong_to_the_digest_and_to_the_gate() {
    let digests = |quality: Value| {
        let rollout = rollout(&json!({ "quality": quality }));
        (rollout.digest(), rollout.gate_digest())
    };
    let scored = |score: Value| json!({ "min_samples": 1, "min_f1": 1, "scores": { "a": score } });
    let none = digests(json!({ "min_samples": 1, "min_f1": 1 }));
    assert_eq!(
        digests(json!({ "min_samples": 1, "min_f1": 1, "scores": {} })),
        none
    );
    let mut seen = vec![none];
    for fields in [
        scored(json!({ "better": "higher" })),
        scored(json!({ "better": "lower" })),
        scored(json!({ "better": "higher", "min": 1 })),
        scored(json!({ "better": "higher", "min": 1.000_001 })),
        scored(json!({ "better": "higher", "max_drop": 1 })),
        scored(json!({ "better": "higher", "max_drop_percent": 1 })),
        scored(json!({ "better": "lower", "max": 1 })),
        scored(json!({ "better": "lower", "max_rise": 1 })),
        scored(json!({ "better": "lower", "max_rise_percent": 1 })),
        json!({ "min_samples": 1, "min_f1": 1, "scores": { "b": { "better": "higher" } } }),
        json!({ "min_samples": 1, "min_f1": 1, "max_precision_drop": 1 }),
        json!({ "min_samples": 1, "min_f1": 1, "max_recall_drop": 1 }),
    ] {
        let these = digests(fields.clone());
        let mut others = seen.iter();
        assert!(
            others.all(|it| it.0 != these.0 && it.1 != these.1),
            "{fields}"
        );
        seen.push(these);
    }
    // As in the version that brought scores.
    assert_eq!(
        seen[3],
        (5_196_713_134_088_109_098, 11_817_201_732_419_751_752)
    );
}

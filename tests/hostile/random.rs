//! Requests of seeded chance, from clients as in [`crate::shapes`].

use fastrand::Rng;
use testbed::{Load, Request, TestEnv, get};

use crate::shapes::{assert_unharmed, env};

/// A request of seeded chance: the same in every run.
fn random_request(seed: u64) -> Request {
    let mut rng = Rng::with_seed(seed);
    let rng = &mut rng;
    let paths = [
        "/",
        "/p",
        "/p/x",
        "/v1/",
        "/none",
        "/p?user=",
        "/p?user=%ff&user=1",
        "/?=&&",
    ];
    let mut request = get(rng.choice(paths).expect("a path"));
    let hosts = [
        "a",
        "api.example.com",
        "x.shop.example",
        "shop.example",
        "API.example.com:80",
        "..",
        "[::1]",
        ":",
    ];
    request = request.host(rng.choice(hosts).expect("a host"));
    let names = [
        "x-bluegreen-cluster",
        "x-bluegreen-color",
        "x-user-id",
        "cookie",
        "x-envoy-internal",
        "content-type",
        "set-cookie",
        "x-forwarded-for",
        "user-agent",
        "x-!#$%&'*+.^_`|~",
    ];
    for _ in 0..rng.usize(..12) {
        let value = match rng.u8(..4) {
            0 => bytes(rng, 8),
            1 => bytes(rng, 400),
            2 => b"green".to_vec(),
            _ => pieces(rng),
        };
        request = request.header(rng.choice(names).expect("a name"), value);
    }
    request
}

/// Any bytes that a header may hold.
fn bytes(rng: &mut Rng, most: usize) -> Vec<u8> {
    let length = rng.usize(..most);
    std::iter::repeat_with(|| rng.u8(..))
        .filter(|&byte| byte == b'\t' || byte >= b' ' && byte != 0x7f)
        .take(length)
        .collect()
}

/// What cookies are made of, in any order.
fn pieces(rng: &mut Rng) -> Vec<u8> {
    let pieces: [&[u8]; 9] = [
        b"uid", b"id", b"=", b";", b" ", b"\"", b"\xff", b"u1", b"; uid=",
    ];
    let count = rng.usize(..30);
    (0..count)
        .flat_map(|_| rng.choice(pieces).expect("a piece").to_vec())
        .collect()
}

#[tokio::test]
async fn thousands_of_random_requests_harm_nothing() {
    const REQUESTS: u64 = 3_000;
    let env = env(|envoy| envoy).await;
    let report = Load::to(env.envoy.addr())
        .count(REQUESTS)
        .run(random_request)
        .await;
    let statuses = report.by_status();
    assert_eq!(
        (report.sent(), report.failed()),
        (REQUESTS, 0),
        "{statuses:?}"
    );
    // A check that the requests are not all refused at the door.
    assert!(statuses[&200] > REQUESTS / 2, "{statuses:?}");
    assert!(report.served_by("blue") > 100 && report.served_by("green") > 100);
    let metrics = env.envoy.metrics().await;
    let reasons = ["sticky", "generated"]
        .map(|reason| metrics.get("bluegreen_requests_total", &[("reason", reason)]));
    assert!(reasons.iter().all(|&count| count > 100.0), "{reasons:?}");
    assert_unharmed_by_random(&env).await;
}

/// As [`assert_unharmed`]; the random requests have color headers of their own on all paths.
async fn assert_unharmed_by_random(env: &TestEnv) {
    for upstream in [&env.blue, &env.green] {
        let received = upstream.received();
        assert!(
            received
                .iter()
                .all(|it| it.header("x-bluegreen-cluster").is_none())
        );
        upstream.clear();
    }
    assert_unharmed(env).await;
}

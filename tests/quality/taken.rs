//! Feedback that is taken: however it comes, its counts are exact.

use serde_json::{Value, json};
use testbed::{PATIENCE, TestEnv, eventually, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::common::{
    BLUE, Figures, GREEN, PATH, TOKEN, TOKEN_HEADER, config, counted, feedback, item, rollout,
    start, taking_feedback, tell, wait_for_figures,
};

const MAX_BYTES: usize = 65_536;

async fn one_rollout() -> TestEnv {
    start(config([rollout("rec")])).await
}

/// Nothing of the feedback went to an upstream.
fn assert_no_upstream_saw_it(env: &TestEnv) {
    assert_eq!((env.blue.count(), env.green.count()), (0, 0));
}

#[tokio::test]
async fn the_worked_example_comes_out_to_three_decimals() {
    let env = one_rollout().await;
    let metrics = env.envoy.metrics().await;
    for color in ["blue", "green"] {
        assert_eq!(Figures::shown(&metrics, "rec", color), Figures::of([0; 4]));
    }

    // One object for one color, an array for the other.
    tell(&env, item("rec", "blue", BLUE)).await;
    tell(&env, json!([item("rec", "green", GREEN)])).await;
    wait_for_figures(&env, "rec", "blue", BLUE).await;
    wait_for_figures(&env, "rec", "green", GREEN).await;

    let metrics = env.envoy.metrics().await;
    let expected = [
        ("blue", BLUE, ["0.842", "0.800", "0.821"]),
        ("green", GREEN, ["0.895", "0.850", "0.872"]),
    ];
    for (color, counts, decimals) in expected {
        let shown = Figures::shown(&metrics, "rec", color);
        let figures = [shown.precision_ppm, shown.recall_ppm, shown.f1_ppm];
        let figures = figures.map(|ppm| format!("{:.3}", ppm / 1e6));
        assert_eq!(figures, decimals, "{color}");
        assert_eq!(counted(&metrics, "rec", color), counts);
        assert_eq!(shown.samples, counts.iter().sum::<u64>() as f64);
    }
    assert_no_upstream_saw_it(&env);
}

#[tokio::test]
async fn batches_over_many_connections_and_both_workers_add_up_while_configs_are_pushed() {
    const CONNECTIONS: u64 = 30;
    const BATCHES: u64 = 5;
    let rollouts = json!([rollout("rec"), rollout("search")]);
    let env = start(config(rollouts.clone())).await;
    let batch = json!([
        item("rec", "blue", [1, 2, 3, 4]),
        item("rec", "green", [50, 0, 7, 0]),
        item("search", "green", [0, 0, 0, 9]),
        item("rec", "blue", [10, 0, 0, 0]),
    ]);
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (client, batch) = (env.http1(), feedback(&batch));
        connections.spawn(async move {
            for _ in 0..BATCHES {
                assert_eq!(client.send(batch.clone()).await.status, 204);
            }
        });
    }
    for version in ["2", "3", "4"] {
        let mut next = config(rollouts.clone());
        next["version"] = version.into();
        env.push(next).await;
    }
    connections.join_all().await;

    env.assert_all_workers_took_connections().await;
    let metrics = env.envoy.metrics().await;
    for (rollout, color, each) in [
        ("rec", "blue", [11, 2, 3, 4]),
        ("rec", "green", [50, 0, 7, 0]),
        ("search", "blue", [0; 4]),
        ("search", "green", [0, 0, 0, 9]),
    ] {
        let all = each.map(|count| count * CONNECTIONS * BATCHES);
        assert_eq!(counted(&metrics, rollout, color), all, "{rollout} {color}");
        wait_for_figures(&env, rollout, color, all).await;
    }
}

/// Sends a piece once Envoy has read the one before, and gives back the status line.
async fn send_in_pieces(env: &TestEnv, head: &str, body: &[Vec<u8>]) -> String {
    let read = || {
        env.envoy
            .counter("http.ingress.downstream_cx_rx_bytes_total")
    };
    let mut stream = TcpStream::connect(env.envoy.addr())
        .await
        .expect("a connection");
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: x\r\n{TOKEN_HEADER}: {TOKEN}\r\nconnection: close\r\n{head}\r\n\r\n"
    );
    let mut sent = read().await;
    for piece in std::iter::once(head.as_bytes()).chain(body.iter().map(Vec::as_slice)) {
        stream.write_all(piece).await.expect("a piece sent");
        sent += piece.len() as u64;
        let all_read = || async {
            let read = read().await;
            (read == sent)
                .then_some(())
                .ok_or_else(|| format!("{read} of {sent} bytes"))
        };
        eventually("Envoy reads a piece", PATIENCE, all_read).await;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_body_may_come_in_many_pieces() {
    let env = one_rollout().await;
    let items: Vec<Value> = (0..500)
        .map(|_| item("rec", "green", [1, 0, 2, 0]))
        .collect();
    let body = json!(items).to_string().into_bytes();

    let pieces: Vec<Vec<u8>> = body.chunks(2_000).map(<[u8]>::to_vec).collect();
    assert!(pieces.len() > 10);
    let length = format!("content-length: {}", body.len());
    assert_eq!(
        send_in_pieces(&env, &length, &pieces).await,
        "HTTP/1.1 204 No Content"
    );

    let chunk =
        |piece: &[u8]| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
    let mut chunks: Vec<Vec<u8>> = body.chunks(1_999).map(chunk).collect();
    chunks.push(b"0\r\n\r\n".to_vec());
    let answer = send_in_pieces(&env, "transfer-encoding: chunked", &chunks).await;
    assert_eq!(answer, "HTTP/1.1 204 No Content");

    let metrics = env.envoy.metrics().await;
    assert_eq!(counted(&metrics, "rec", "green"), [1_000, 0, 2_000, 0]);
    assert_no_upstream_saw_it(&env);
}

#[tokio::test]
async fn trailers_may_follow_the_body() {
    let find = "stat_prefix: ingress\n";
    let trailers = format!("{find}          http_protocol_options: {{ enable_trailers: true }}\n");
    let env = TestEnv::start_with(|envoy| {
        taking_feedback(envoy)
            .edit_bootstrap(find, &trailers)
            .config(config([rollout("rec")]))
    })
    .await;
    let body = item("rec", "blue", [1, 2, 3, 4]).to_string();
    let chunked = format!("{:x}\r\n{body}\r\n", body.len()).into_bytes();
    let pieces = [chunked, b"0\r\nx-checksum: 1\r\n\r\n".to_vec()];
    let answer = send_in_pieces(&env, "transfer-encoding: chunked", &pieces).await;
    assert_eq!(answer, "HTTP/1.1 204 No Content");
    let metrics = env.envoy.metrics().await;
    assert_eq!(counted(&metrics, "rec", "blue"), [1, 2, 3, 4]);
    assert_no_upstream_saw_it(&env);
}

#[tokio::test]
async fn feedback_is_taken_up_to_its_limits_and_in_every_form() {
    let env = one_rollout().await;
    let green = |counts: &str| format!(r#"{{"rollout":"rec","color":"green"{counts}}}"#);
    let thousand = vec![green(r#","tn":1"#); 1_000].join(",");
    let mut largest = green(r#","fp":1"#);
    largest.push_str(&" ".repeat(MAX_BYTES - largest.len()));
    for (what, body) in [
        ("1,000 items", format!("[{thousand}]")),
        ("64 KiB", largest),
        ("a count of 10^9", green(r#","tp":1000000000"#)),
        ("no count", green("")),
        ("no item", "[]".to_owned()),
        (
            "space around",
            format!("\r\n\t {} \n", green(r#", "fn" : 1"#)),
        ),
        ("an escape", green(r#","\u0066n":1"#)),
    ] {
        let response = env.http1().send(feedback(body)).await;
        assert_eq!(response.status, 204, "{what}: {}", response.text());
        assert!(response.body.is_empty(), "{what}");
    }
    let over_http2 = feedback(green(r#","fp":1"#));
    assert_eq!(env.http2().send(over_http2).await.status, 204);
    let mut with_query = feedback(green(r#","fp":1"#));
    with_query.path = format!("{PATH}?from=labels");
    assert_eq!(env.http1().send(with_query).await.status, 204);

    let metrics = env.envoy.metrics().await;
    assert_eq!(
        counted(&metrics, "rec", "green"),
        [1_000_000_000, 3, 2, 1_000]
    );
    assert_eq!(counted(&metrics, "rec", "blue"), [0; 4]);
    assert_no_upstream_saw_it(&env);
}

#[tokio::test]
async fn who_may_give_feedback_is_the_configs_to_say() {
    let internal = json!({ "path": "/truth", "require": "internal" });
    let env = start(json!({ "feedback": internal, "rollouts": [rollout("rec")] })).await;
    let body = item("rec", "blue", [1, 0, 0, 0]).to_string();
    let truth = || post("/truth", body.clone());
    // The shipped bootstrap takes 127.0.0.1 alone for internal.
    let outside = env.http1().from_ip([127, 0, 0, 2]);
    assert_eq!(env.http1().send(truth()).await.status, 204);
    for forged in [truth(), truth().header("x-envoy-internal", "true")] {
        assert_eq!(outside.send(forged).await.status, 403);
    }

    let anyone = json!({ "path": "/truth", "require": "nothing" });
    env.push(json!({ "feedback": anyone, "rollouts": [rollout("rec")] }))
        .await;
    assert_eq!(outside.send(truth()).await.status, 204);
    env.push(config([rollout("rec")])).await;
    tell(&env, item("rec", "blue", [1, 0, 0, 0])).await;
    assert_no_upstream_saw_it(&env);

    // Where there is no feedback any more, its path is like any other.
    env.push(json!({ "rollouts": [rollout("rec")] })).await;
    assert_eq!(env.http1().send(truth()).await.served_by(), Some("blue"));
    let metrics = env.envoy.metrics().await;
    assert_eq!(counted(&metrics, "rec", "blue"), [3, 0, 0, 0]);
    env.assert_no_vm_died().await;
}

/// Without the capability the filter gets no body.
#[tokio::test]
async fn feedback_reaches_no_upstream_where_the_filter_may_not_read_it() {
    let env = TestEnv::start_with(|envoy| {
        let envoy = envoy.config(config([rollout("rec")]));
        envoy.withhold("proxy_on_request_body")
    })
    .await;
    let response = env
        .http1()
        .send(feedback(item("rec", "blue", [1; 4])))
        .await;
    assert_eq!(response.status, 503);
    let metrics = env.envoy.metrics().await;
    assert_eq!(counted(&metrics, "rec", "blue"), [0; 4]);
    assert_no_upstream_saw_it(&env);
}

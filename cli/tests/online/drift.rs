//! `drift`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use serde_json::{Value, json};
use testbed::TestEnv;

use crate::support::{run, run_in};

/// Something that answers every request with this JSON, and its own port in it.
fn service(mut report: Value) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    report["PORT"] = json!(address.port());
    let body = report.to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else {
                continue;
            };
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && matches!(connection.read(&mut byte), Ok(1)) {
                request.extend(byte);
            }
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    address
}

fn cluster(name: &str, more: &str, endpoints: &[SocketAddr]) -> String {
    let endpoints: String = endpoints
        .iter()
        .map(|it| {
            let (address, port) = (it.ip(), it.port());
            format!("        - endpoint: {{ address: {{ socket_address: {{ address: {address}, port_value: {port} }} }} }}\n")
        })
        .collect();
    format!(
        "  - name: {name}\n{more}    load_assignment:\n      cluster_name: {name}\n      endpoints:\n      - lb_endpoints:\n{endpoints}"
    )
}

/// Envoy with clusters that differ.
async fn start() -> TestEnv {
    let of_blue = |pod| {
        service(
            json!({ "MODEL": "m-1", "POD": pod, "DB_PASSWORD": "one", "SELF": "api-blue", "limits": { "threads": 4 } }),
        )
    };
    let blue = [of_blue("a"), of_blue("b")];
    let green = service(
        json!({ "MODEL": "m-2", "POD": "c", "DB_PASSWORD": "two", "SELF": "api-green", "limits": { "threads": 8 } }),
    );
    let limits = "    circuit_breakers: { thresholds: [{ max_requests: 100 }] }\n";
    let tls = "    transport_socket:\n      name: tls\n      typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext\n        sni: api\n";
    let clusters = [
        cluster("api-blue", "", &blue),
        cluster(
            "api-green",
            &format!("    connect_timeout: 3s\n{limits}"),
            &[green],
        ),
        cluster("api-tls", tls, &[green]),
    ];
    let yaml = format!("static_resources:\n  clusters:\n{}", clusters.concat());
    TestEnv::start_with(|envoy| envoy.extra_yaml(&yaml)).await
}

#[tokio::test]
async fn what_differs_is_told() {
    let env = start().await;
    let drift = run(
        &env,
        &["drift", "api-blue", "api-green", "--env-path", "/env"],
    )
    .await;
    assert_eq!(drift.code, 1, "{drift:?}");
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = drift.out.lines().map(words).collect();
    assert_eq!(
        lines[..8],
        [
            "setting api-blue api-green",
            "endpoints count 2 1",
            "healthy 2 1",
            "timeouts connect_timeout 5s 3s",
            "limits circuit_breakers.DEFAULT.max_requests 1024 100",
            "env DB_PASSWORD (hidden) (hidden)",
            "MODEL m-1 m-2",
            "limits.threads 4 8",
        ],
        "{}",
        drift.out
    );
    assert!(lines[8].starts_with("7 differences, "), "{}", drift.out);
    assert_eq!(
        lines[9],
        "not compared, because services of one cluster differ there: POD"
    );

    let ignore = [
        "--ignore",
        "endpoints",
        "--ignore",
        "connect_timeout",
        "--ignore",
        "circuit_breakers",
    ];
    let arguments = [
        &["drift", "api-blue", "api-green", "--output", "json"][..],
        &ignore,
    ]
    .concat();
    let none = run(&env, &arguments).await;
    assert_eq!(none.code, 0, "{none:?}");
    let report: Value = serde_json::from_str(&none.out).expect("JSON");
    assert_eq!(report["differences"], json!([]));

    let tls = run(
        &env,
        &["drift", "api-blue", "api-tls", "--ignore", "endpoints"],
    )
    .await;
    assert_eq!(tls.code, 1, "{tls:?}");
    assert!(
        tls.out.contains("tls  transport_socket.name"),
        "{}",
        tls.out
    );
}

#[tokio::test]
async fn what_can_not_be_compared_is_told() {
    let env = start().await;
    for (arguments, code, message) in [
        (
            vec!["api-blue", "api-gren"],
            2,
            "\"api-gren\" is no cluster of this Envoy (did you mean \"api-green\"?)\n",
        ),
        (
            vec!["api-blue", "api-blue"],
            2,
            "BLUE and GREEN are the same cluster\n",
        ),
        (
            vec!["api-blue", "api-tls", "--env-path", "/"],
            3,
            "api-tls: its endpoints speak TLS, which --env-path does not: leave it out\n",
        ),
        (
            vec!["blue", "api-blue", "--env-path", "/"],
            3,
            ": no JSON\n",
        ),
    ] {
        let drift = run(&env, &[&["drift"], arguments.as_slice()].concat()).await;
        assert_eq!(drift.code, code, "{drift:?}");
        assert!(drift.err.ends_with(message), "{drift:?}");
    }
    let lost = run_in(
        env.envoy.dir(),
        &["drift", "blue", "green", "--admin", "127.0.0.1:1"],
    )
    .await;
    assert_eq!(lost.code, 3, "{lost:?}");
}

//! The dashboard: whom it answers, and the moves that it makes.

use std::fs;

use serde_json::{Value, json};
use testbed::{Request, TestEnv, get, post};
use tokio::net::TcpListener;

use crate::served::Dashboard;
use crate::support::{admin, demo};

fn file(env: &TestEnv) -> String {
    fs::read_to_string(env.envoy.dir().join("bluegreen.yaml")).expect("the file")
}

fn is_up(live: &Value) -> bool {
    live["envoys"][0]["link"] == "up"
}

#[tokio::test]
async fn without_the_token_nothing_is_told_or_done() {
    let env = TestEnv::start(demo(10, json!({}))).await;
    let dashboard = Dashboard::start(&env, &["--file", "bluegreen.yaml"]).await;
    let before = file(&env);
    let shift = json!({ "move": "shift", "rollout": "demo", "green": "100" }).to_string();
    let json = |request: Request| request.header("content-type", "application/json");
    for request in [
        get("/api/live"),
        get(&format!("/api/live?token={}", dashboard.token)),
        get("/api/live").header("authorization", "Bearer 00000000000000000000000000000000"),
        get("/api/live").header("authorization", &dashboard.token),
        get("/api/live").header("cookie", format!("token={}", dashboard.token)),
        json(post("/api/preview", shift.clone())),
        json(post("/api/move", shift.clone())),
    ] {
        let what = format!("{request:?}");
        let response = dashboard.send(request).await;
        assert_eq!(response.status, 401, "{what}");
        assert!(!response.text().contains("demo"), "{what}");
    }
    let page = dashboard.send(get("/")).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("This dashboard needs its token"));
    for text in ["demo", dashboard.token.as_str(), &admin(&env)] {
        assert!(!page.text().contains(text), "{text}");
    }
    assert_eq!(file(&env), before);
}

#[tokio::test]
async fn other_names_and_other_pages_are_refused() {
    let env = TestEnv::start(demo(10, json!({}))).await;
    let dashboard = Dashboard::start(&env, &["--file", "bluegreen.yaml"]).await;
    let before = file(&env);
    let own = format!("http://{}", dashboard.addr);
    let shift = || {
        let body = json!({ "move": "shift", "rollout": "demo", "green": "100" }).to_string();
        dashboard.allowed(post("/api/preview", body).header("content-type", "application/json"))
    };
    for host in ["evil.example", "localhost.evil.example", "192.0.2.1"] {
        for path in ["/", "/app.js", "/api/live"] {
            let host = format!("{host}:{}", dashboard.addr.port());
            let response = dashboard
                .send(dashboard.allowed(get(path)).host(&host))
                .await;
            assert_eq!(response.status, 403, "{host}{path}");
        }
    }
    for origin in [
        "http://evil.example",
        "http://127.0.0.1:1",
        "null",
        "https://localhost",
    ] {
        let response = dashboard.send(shift().header("origin", origin)).await;
        assert_eq!(response.status, 403, "{origin}");
    }
    // A page's form can send no JSON, and no other page gets leave to.
    let form = dashboard.allowed(post("/api/preview", "{}").header("content-type", "text/plain"));
    assert_eq!(dashboard.send(form).await.status, 415);
    let asked = Request::new(http::Method::OPTIONS, "/api/move")
        .header("origin", "http://evil.example")
        .header("access-control-request-method", "POST");
    let response = dashboard.send(asked).await;
    assert_eq!(response.status, 403);
    assert_eq!(response.header("access-control-allow-origin"), None);

    let response = dashboard.send(shift().header("origin", &own)).await;
    assert_eq!(response.status, 200, "{}", response.text());
    for path in ["/", "/app.js", "/api/live", "/nothing"] {
        let response = dashboard.send(dashboard.allowed(get(path))).await;
        let policy = response
            .header("content-security-policy")
            .expect("a policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{path}: {policy}"
        );
        assert_eq!(
            response.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(
            response.header("referrer-policy"),
            Some("no-referrer"),
            "{path}"
        );
        assert_eq!(response.header("x-frame-options"), Some("DENY"), "{path}");
    }
    assert_eq!(file(&env), before);
}

#[tokio::test]
async fn a_move_changes_what_was_shown_and_nothing_else() {
    let env = TestEnv::start(demo(10, json!({}))).await;
    let dashboard = Dashboard::start(&env, &["--file", "bluegreen.yaml"]).await;
    dashboard.wait_for("the Envoy", is_up).await;
    let first = file(&env);
    let shift = json!({ "move": "shift", "rollout": "demo", "green": "25" });

    let (status, preview) = dashboard.ask("/api/preview", shift.clone()).await;
    assert_eq!(status, 200, "{preview}");
    let summary = "demo: blue 75 %, green 25 %; 15 % of users move from blue to green\n";
    assert_eq!(preview["text"], summary);
    assert_eq!(preview["blue_to_green_percent"], 15.0);
    assert!(
        preview["diff"].as_str().expect("a diff").contains("\n+"),
        "{preview}"
    );
    assert_eq!(file(&env), first, "a preview writes nothing");

    // Neither what was never shown nor what was shown of another version is made.
    let (status, refused) = dashboard.ask("/api/move", shift.clone()).await;
    assert_eq!(
        (status, &refused["stale"]),
        (409, &json!(true)),
        "{refused}"
    );
    let other = first.replace("\"x-user-id\"", "\"x-user\"");
    fs::write(env.envoy.dir().join("bluegreen.yaml"), &other).expect("the file");
    let mut confirmed = shift.clone();
    confirmed["digest"] = preview["digest"].clone();
    let (status, refused) = dashboard.ask("/api/move", confirmed).await;
    assert_eq!(
        (status, &refused["stale"]),
        (409, &json!(true)),
        "{refused}"
    );
    assert_eq!(file(&env), other, "what someone else has written stays");

    let made = dashboard.make(shift).await;
    assert_eq!(made["envoys"][0]["why"], Value::Null, "{made}");
    let green = |live: &Value| live["views"][0]["colors"]["green"]["weight_percent"].clone();
    let live = dashboard
        .wait_for("the weight", |it| green(it) == 25.0)
        .await;
    assert_eq!(live["file"], "bluegreen.yaml");
    let shown = |live: &Value| {
        live["events"]
            .to_string()
            .contains("shift: green 10 % -> 25 %")
    };
    dashboard.wait_for("the event", shown).await;
    dashboard
        .make(json!({ "move": "rollback", "rollout": "demo" }))
        .await;
    dashboard
        .wait_for("the rollback", |it| green(it) == 0.0)
        .await;
    let undone = dashboard.make(json!({ "move": "undo" })).await;
    assert_eq!(
        undone["text"].as_str().expect("a text").lines().next(),
        Some(
            "demo: 25 % of users move from blue to green; blue 100 %, green 0 % -> blue 75 %, green 25 %"
        )
    );
    dashboard
        .wait_for("the version before", |it| green(it) == 25.0)
        .await;
}

#[tokio::test]
async fn what_can_not_be_done_is_told_and_changes_nothing() {
    let env = TestEnv::start(demo(10, json!({}))).await;
    let dashboard = Dashboard::start(&env, &["--file", "bluegreen.yaml"]).await;
    let before = file(&env);
    for (wanted, status, why) in [
        (
            json!({ "move": "shift", "rollout": "demo", "green": "101" }),
            400,
            "percent of green: ",
        ),
        (
            json!({ "move": "shift", "rollout": "demo" }),
            400,
            "percent of green: ",
        ),
        (
            json!({ "move": "shift", "rollout": "dmeo", "green": "5" }),
            400,
            "did you mean \"demo\"?",
        ),
        (
            json!({ "move": "promote", "rollout": "demo" }),
            409,
            "there is no ramp",
        ),
        (json!({ "move": "undo" }), 409, "no version before is kept"),
        (json!({ "move": "burn" }), 400, "unknown variant `burn`"),
        (
            json!({ "move": "pause", "file": "/etc/passwd" }),
            400,
            "unknown field `file`",
        ),
    ] {
        for path in ["/api/preview", "/api/move"] {
            let (seen, answer) = dashboard.ask(path, wanted.clone()).await;
            assert_eq!(seen, status, "{wanted}: {answer}");
            assert!(
                answer["error"].as_str().expect("why").contains(why),
                "{wanted}: {answer}"
            );
        }
    }
    let (status, _) = dashboard
        .ask("/api/move", json!({ "move": "x".repeat(100_000) }))
        .await;
    assert_eq!(status, 413);
    assert_eq!(file(&env), before);

    let looking = Dashboard::start(&env, &[]).await;
    looking
        .wait_for("the Envoy", |it| is_up(it) && it["file"].is_null())
        .await;
    let (status, answer) = looking
        .ask("/api/move", json!({ "move": "rollback" }))
        .await;
    assert_eq!(status, 403, "{answer}");
}

/// One that takes connections and never answers, and one that is not there.
#[tokio::test]
async fn an_envoy_that_does_not_answer_holds_up_no_other() {
    let env = TestEnv::start(demo(10, json!({}))).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let [silent_url, gone_url] = [&silent, &gone].map(|it| {
        let addr = it.local_addr().expect("an address");
        format!("http://{addr}")
    });
    drop(gone);
    let args = [
        "--file",
        "bluegreen.yaml",
        "--admin",
        &silent_url,
        "--admin",
        &gone_url,
    ];
    let dashboard = Dashboard::start(&env, &args).await;
    let live = dashboard
        .wait_for("all three", |it| {
            is_up(it)
                && [1, 2]
                    .iter()
                    .all(|&index: &usize| it["envoys"][index]["link"] == "lost")
        })
        .await;
    let why = live["envoys"][2]["why"].as_str().expect("why");
    assert!(why.contains("Connection refused"), "{why}");
    let wanted = json!({ "move": "rollback", "rollout": "demo" });
    let made = dashboard.make(wanted).await;
    assert_eq!(made["envoys"].as_array().map(Vec::len), Some(1), "{made}");
    let green = |live: &Value| live["views"][0]["colors"]["green"]["weight_percent"].clone();
    dashboard
        .wait_for("the rollback", |it| green(it) == 0.0)
        .await;
}

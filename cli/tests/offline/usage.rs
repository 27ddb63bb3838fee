//! Wrong usage ends with 2 and says what is right.

use crate::support::{Place, demo};

#[test]
fn wrong_usage_ends_with_2() {
    let place = Place::new(&demo(&[]));
    for args in [
        &[][..],
        &["what"],
        &["check"],
        &["shift", "bluegreen.yaml", "demo"],
        &["shift", "bluegreen.yaml", "--green", "101"],
        &["shift", "bluegreen.yaml", "--green", "-1"],
        &["shift", "bluegreen.yaml", "--green", "5", "--blue", "95"],
        &["promote", "bluegreen.yaml", "--full", "--step", "1"],
        &["undo", "-"],
        &["status", "--admin", "https://x/y"],
        &["status", "--timeout", "soon"],
        &["completions", "cmd"],
        &["check", "bluegreen.yaml", "--output", "xml"],
    ] {
        let run = place.run(args);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{args:?}: {run:?}");
        assert!(!run.err.is_empty(), "{args:?}");
    }
}

#[test]
fn a_rollout_that_is_not_there_is_told_with_the_nearest() {
    let place = Place::new(&demo(&[]));
    let run = place.run(&["shift", "bluegreen.yaml", "dmeo", "--green", "25"]);
    assert_eq!(
        (run.code, run.err.as_str()),
        (
            2,
            "bluegreen: bluegreen.yaml: no rollout \"dmeo\" (did you mean \"demo\"?)\n"
        )
    );
    let two = demo(&[]).replace("    }\n  ]", "    },\n    { \"name\": \"more\", \"match\": { \"path_prefix\": \"/m\" }, \"clusters\": { \"blue\": \"b\", \"green\": \"g\" }, \"weights\": { \"blue\": 90, \"green\": 10 } }\n  ]");
    let run = Place::new(&two).run(&["rollback", "bluegreen.yaml"]);
    assert_eq!(
        (run.code, run.err.as_str()),
        (
            2,
            "bluegreen: bluegreen.yaml: which rollout? One of demo, more\n"
        )
    );
}

#[test]
fn an_envoy_that_does_not_answer_ends_with_3() {
    let place = Place::new(&demo(&[]));
    // Nothing listens on the port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("its address");
    let url = format!("http://{free}");
    for args in [
        &["status", "--admin", &url][..],
        &["stats", "--admin", &url],
        &["check", "bluegreen.yaml", "--admin", &url],
        &["shift", "bluegreen.yaml", "--green", "25", "--admin", &url],
    ] {
        let run = place.run(args);
        assert_eq!(run.code, 3, "{args:?}: {run:?}");
        assert_eq!(
            run.err,
            format!("bluegreen: {url}: no Envoy answers: Connection refused\n"),
            "{args:?}"
        );
    }
    assert_eq!(place.text(), demo(&[]));
}

#[test]
fn failures_are_json_too() {
    let run = Place::new(&demo(&[])).run(&["explain", "nowhere.yaml", "/", "--output", "json"]);
    assert_eq!(run.code, 2);
    assert_eq!(
        run.json()["error"],
        "nowhere.yaml: No such file or directory"
    );
}

//! What `deploy/etcd/` gives operators, on the etcd that it is for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testbed::Etcd;

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy/etcd")
        .join(file)
}

/// `etcdctl` lies beside `etcd`.
fn etcdctl() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/etcd");
    let etcd = std::env::var_os("ETCD").map_or_else(own, PathBuf::from);
    let etcd =
        fs::canonicalize(&etcd).unwrap_or_else(|error| panic!("{}: {error}", etcd.display()));
    etcd.with_file_name("etcdctl")
}

fn make_user(etcd: &Etcd, password: &str, prefix: &str) {
    let made = Command::new(deploy("user.sh"))
        .args(["bluegreen", prefix])
        .env("ETCDCTL", etcdctl())
        .env(
            "ETCDCTL_ENDPOINTS",
            format!("http://{}", etcd.own_endpoint()),
        )
        .env("ROOT_PASSWORD", "root-secret")
        .env("FLEET_PASSWORD", password)
        .output()
        .expect("user.sh");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{said}");
    let shown = String::from_utf8_lossy(&made.stdout).into_owned() + &said;
    assert!(
        !shown.contains(password) && !shown.contains("root-secret"),
        "{shown}"
    );
}

#[tokio::test]
async fn the_user_that_is_made_may_use_one_prefix_and_gets_another_password_by_a_second_call() {
    let etcd = Etcd::start().await;
    for password in ["first-secret", "second-secret"] {
        make_user(&etcd, password, "/bluegreen/prod");
        let client = etcd.client().as_user("bluegreen", password);
        client.put("/bluegreen/prod/a", "1").await;
        assert_eq!(client.get("/bluegreen/prod/a").await, Some(b"1".to_vec()));
        for foreign in ["/bluegreen/prod", "/bluegreen/production/a", "/other"] {
            let (status, answer) = client.try_put(foreign, "1").await;
            assert_eq!(status, 403, "{foreign}: {answer}");
        }
    }
    let outdated = etcd.client().as_user("bluegreen", "first-secret");
    assert_eq!(outdated.try_put("/bluegreen/prod/a", "1").await.0, 400);
}

/// A member with the shipped file takes it, but for what belongs to one machine.
#[tokio::test]
async fn a_member_takes_the_shipped_file() {
    let shipped = fs::read_to_string(deploy("etcd.yaml")).expect("etcd.yaml");
    let wanted = [
        "auto-compaction-mode: ",
        "auto-compaction-retention: ",
        "quota-backend-bytes: ",
    ];
    let mut builder = Etcd::builder();
    for line in shipped.lines() {
        if let Some(option) = wanted.iter().find(|option| line.starts_with(**option)) {
            let value = &line[option.len()..];
            builder = builder.argument(&format!("--{}={value}", option.trim_end_matches(": ")));
        }
    }
    let etcd = builder.start().await;
    etcd.client().put("/a", "1").await;
}

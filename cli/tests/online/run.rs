//! `run`, by which `make run` starts Envoy.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use testbed::{Client, eventually};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::repository::{free, repository, root};

fn start(dir: &Path) -> Child {
    let envoy = std::env::var_os("ENVOY").map_or_else(|| root().join(".venv/envoy"), PathBuf::from);
    Command::new(env!("CARGO_BIN_EXE_bluegreen"))
        .arg("run")
        .arg("--envoy")
        .arg(fs::canonicalize(envoy).expect("Envoy"))
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program")
}

#[tokio::test]
async fn envoy_runs_until_a_signal_comes() {
    let dir = tempfile::tempdir().expect("a directory");
    let [listener, admin, blue, green] = free();
    repository(dir.path(), [listener, admin, blue, green]);
    let mut program = start(dir.path());
    let mut lines = BufReader::new(program.stdout.take().expect("its output")).lines();
    let first = lines.next_line().await.expect("a line").expect("a line");
    assert_eq!(
        first,
        format!("Envoy is up: http://{listener} (admin http://{admin}, log .run/envoy.log).")
    );
    let body = Client::http1(listener).get("/").await.text();
    assert!(body == "blue\n" || body == "green\n", "{body}");

    let mut second = start(dir.path());
    assert_eq!(second.wait().await.expect("its end").code(), Some(1));

    let pid = program
        .id()
        .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?))
        .expect("a process");
    kill_process(pid, Signal::INT).expect("a signal");
    assert_eq!(program.wait().await.expect("its end").code(), Some(0));
    let ended =
        async || TcpStream::connect(admin).map_or(Ok(()), |_| Err("Envoy answers".to_owned()));
    eventually("Envoy has ended", Duration::from_secs(5), ended).await;
}

#[tokio::test]
async fn elsewhere_than_in_the_repository_it_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = Command::new(env!("CARGO_BIN_EXE_bluegreen"))
        .args(["run", "--envoy", "envoy"])
        .current_dir(dir.path())
        .output()
        .await
        .expect("the program");
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("envoy/bootstrap.yaml: No such file or directory"),
        "{error}"
    );
}

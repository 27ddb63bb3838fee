//! `run-fleet`, by which `make run-fleet` starts three Envoys and an etcd: what it tells people to try. Run by
//! `make test-fleet`.

#[path = "../online/repository.rs"]
mod repository;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use testbed::{Client, Load, PATIENCE, Report, eventually, get, post};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use repository::{repository, root};

const ENVOYS: u16 = 3;

/// The first Envoy's listener, blue, green and admin interface, where further Envoys and etcd find free ports as well.
fn addresses() -> [SocketAddr; 4] {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let begin = 12_000 + u16::try_from(std::process::id() % 200).expect("a remainder") * 100;
    let mut bases = (begin..32_000).step_by(100);
    let base = bases.find(|&base| (base..base + 60).all(is_free));
    let base = base.expect("free ports");
    [base, base + 5, base + 1, base + 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
}

fn program(name: &str) -> PathBuf {
    let own = || root().join(".venv").join(name);
    let given = std::env::var_os(name.to_uppercase()).map_or_else(own, PathBuf::from);
    given
        .canonicalize()
        .unwrap_or_else(|error| panic!("{}: {error}: run `make test-fleet`", given.display()))
}

/// The program, which ends what it has started when it is asked to end: also where the test fails.
struct Program(Child);

impl Program {
    fn interrupt(&self) {
        let pid = self.0.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            kill_process(pid, Signal::INT).expect("a signal");
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.interrupt();
        while let Ok(None) = self.0.try_wait() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn start(dir: &Path) -> Program {
    let program = Command::new(env!("CARGO_BIN_EXE_bluegreen"))
        .arg("run-fleet")
        .arg("--envoy")
        .arg(program("envoy"))
        .arg("--etcd")
        .arg(program("etcd"))
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program");
    Program(program)
}

/// The Envoy of this index, where the first is at `addr`.
fn at(addr: SocketAddr, index: u16) -> SocketAddr {
    SocketAddr::new(addr.ip(), addr.port() + 10 * index)
}

async fn send(addr: SocketAddr, users: std::ops::Range<u64>) -> Report {
    let first = users.start;
    let load = Load::to(addr).count(users.end - first);
    load.run(move |i| get("/").header("x-user-id", format!("user{}", first + i)))
        .await
}

#[tokio::test]
async fn what_it_says_to_try_works() {
    let dir = tempfile::tempdir().expect("a directory");
    let [listener, admin, blue, green] = addresses();
    repository(dir.path(), [listener, admin, blue, green]);
    let mut program = start(dir.path());
    let mut lines = BufReader::new(program.0.stdout.take().expect("its output")).lines();
    let first = lines.next_line().await.expect("a line").expect("a line");
    let expected =
        format!("Three Envoys and an etcd are up: http://{listener} and two more, 10 ports apart.");
    assert!(first.starts_with(&expected), "{first}");

    let admins: Vec<Client> = (0..ENVOYS)
        .map(|index| Client::http1(at(admin, index)))
        .collect();
    for admin in &admins {
        let connected = || async {
            let stats = admin
                .get("/stats?filter=bluegreen[.]fleet_proxies")
                .await
                .text();
            stats.contains(": 3").then_some(()).ok_or(stats)
        };
        eventually("three proxies know each other", PATIENCE, connected).await;
    }
    let broken = admins[0]
        .send(post("/runtime_modify?green.fails=100", ""))
        .await;
    assert_eq!(broken.status, 200);
    for index in 0..ENVOYS {
        let users = u64::from(index) * 100..u64::from(index) * 100 + 100;
        send(at(listener, index), users).await;
    }
    for index in 0..ENVOYS {
        let goes_back = || async {
            let report = send(at(listener, index), 0..100).await;
            let statuses = report.by_status();
            let all_blue = report.outcomes.iter().all(|it| it.status == Some(200));
            let stats = admins[usize::from(index)]
                .get("/stats?filter=guard_state")
                .await
                .text();
            (all_blue && stats.contains(": 2"))
                .then_some(())
                .ok_or(format!("{statuses:?} {stats}"))
        };
        eventually("an Envoy goes back", PATIENCE, goes_back).await;
    }
    // Ended, it is started again and knows.
    admins[2].send(post("/quitquitquit", "")).await;
    let third = lines_until(&mut lines, "it is started again").await;
    assert!(third.starts_with("envoy-3 ended"), "{third}");
    let answers = || async {
        let ready = admins[2].try_send(get("/ready")).await;
        ready
            .is_ok_and(|it| it.status == 200)
            .then_some(())
            .ok_or("not ready".to_owned())
    };
    eventually("the third Envoy is there again", PATIENCE, answers).await;
    let client = Client::http1(at(listener, 2));
    for user in 0..100 {
        let answer = client
            .send(get("/").header("x-user-id", format!("user{user}")))
            .await;
        assert_eq!(answer.text(), "blue\n");
    }

    program.interrupt();
    assert_eq!(program.0.wait().await.expect("its end").code(), Some(0));
    for index in 0..ENVOYS {
        assert!(TcpListener::bind(at(admin, index)).is_ok());
    }
}

async fn lines_until(
    lines: &mut tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    text: &str,
) -> String {
    while let Some(line) = lines.next_line().await.expect("a line") {
        if line.contains(text) {
            return line;
        }
    }
    panic!("no line with `{text}`");
}

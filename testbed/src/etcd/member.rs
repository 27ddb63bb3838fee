//! One process of an etcd.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use crate::files;
use crate::process::tail;

const LOG_LINES_ON_PANIC: usize = 15;

/// Below those that the kernel gives to connections, so that a member finds its own again when it starts anew.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// A member, running or not. Killed on drop.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// For Envoys; over TLS where the etcd has it.
    pub(crate) addr: SocketAddr,
    /// For the test itself, always in the clear.
    pub(crate) own: SocketAddr,
    pub(crate) peer: SocketAddr,
    dir: PathBuf,
    child: Option<Child>,
}

// === impl Member ===

impl Member {
    pub(crate) fn new(dir: &Path, index: usize) -> Self {
        let name = format!("member-{index}");
        Self {
            addr: free_addr(),
            own: free_addr(),
            peer: free_addr(),
            dir: dir.join(&name),
            name,
            child: None,
        }
    }

    pub(crate) fn start(&mut self, arguments: &[String]) {
        assert!(self.child.is_none(), "{} runs already", self.name);
        let etcd = etcd_path();
        fs::create_dir_all(&self.dir).expect("a member's directory");
        let mut options = File::options();
        let log = options.create(true).append(true).open(self.log_path());
        let child = Command::new(&etcd)
            .arg("--name")
            .arg(&self.name)
            .arg("--data-dir")
            .arg(self.dir.join("data"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log file"))
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", etcd.display()));
        self.child = Some(child);
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// At once, as a machine that dies.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only where the process is gone.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let child = self.child.as_ref();
        let child = child.unwrap_or_else(|| panic!("{} does not run", self.name));
        kill_process(Pid::from_child(child), signal)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    pub(crate) fn forget_data(&self) {
        fs::remove_dir_all(self.dir.join("data"))
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    fn log_path(&self) -> PathBuf {
        self.dir.join("etcd.log")
    }

    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read(self.log_path()).unwrap_or_default();
        tail(&String::from_utf8_lossy(&log), LOG_LINES_ON_PANIC)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let (name, log) = (&self.name, self.log_tail());
            eprintln!("--- the end of the log of etcd's {name} ---\n{log}");
        }
    }
}

/// The etcd that the tests run on.
fn etcd_path() -> PathBuf {
    let own = || files::root().join(".venv/etcd");
    files::built(std::env::var_os("ETCD").map_or_else(own, PathBuf::from))
}

/// etcd has to be told its ports, since its members have to know each other's.
fn free_addr() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id().wrapping_mul(31) as u16;
    for _ in PORTS {
        let offset = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + offset % (PORTS.end - PORTS.start);
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().expect("an address");
        }
    }
    panic!("no port is free in {PORTS:?}");
}

//! Envoy's process and its directory.

use std::fs;
use std::net::SocketAddr;
use std::process::Child;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

use crate::eventually::PATIENCE;

const LOG_LINES_ON_PANIC: usize = 40;

/// Killed on drop, before its directory is removed.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) dir: TempDir,
}

// === impl Process ===

impl Process {
    pub(crate) fn log(&self) -> std::io::Result<String> {
        let log = fs::read(self.dir.path().join("envoy.log"))?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// The admin address, once Envoy has written it.
    pub(crate) async fn wait_for_admin(&mut self) -> SocketAddr {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let written = fs::read_to_string(self.dir.path().join("admin.txt")).unwrap_or_default();
            if let Ok(addr) = written.parse() {
                return addr;
            }
            if let Some(status) = self.child.try_wait().expect("Envoy's state") {
                panic!("Envoy ended at start: {status}");
            }
            assert!(
                Instant::now() < deadline,
                "Envoy has no admin address after {PATIENCE:?}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where the process is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!(
                "--- the end of Envoy's log ---\n{}",
                tail(&self.log().unwrap_or_default(), LOG_LINES_ON_PANIC)
            );
        }
    }
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

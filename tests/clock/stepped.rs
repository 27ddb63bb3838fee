//! A wall clock that steps, for an Envoy that is told of it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use testbed::EnvoyBuilder;

/// How far Envoy's wall clock is ahead.
#[derive(Debug)]
pub struct Clock(TempDir);

impl Clock {
    pub fn new() -> Self {
        let clock = Self(tempfile::tempdir().expect("a directory"));
        clock.step_to(0);
        // Rust itself needs the compiler, to link.
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(clock.library())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clock/step.c"))
            .status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "cc can't build tests/clock/step.c"
        );
        clock
    }

    /// An Envoy that goes by this clock.
    pub fn of(&self, envoy: EnvoyBuilder) -> EnvoyBuilder {
        envoy
            .variable("LD_PRELOAD", self.library())
            .variable("CLOCK_AHEAD", self.file())
    }

    fn library(&self) -> PathBuf {
        self.0.path().join("step.so")
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("ahead")
    }

    /// So many seconds ahead; behind, where negative. Envoy has the file mapped.
    pub fn step_to(&self, seconds: i64) {
        let mut options = File::options();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.file());
        let written = file.and_then(|file| file.write_all_at(&seconds.to_ne_bytes(), 0));
        written.expect("the file of the clock");
    }
}

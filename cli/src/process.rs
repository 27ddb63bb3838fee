//! A program that this one runs, as `run` does.

use crate::failure::{Exit, Failure};
use crate::file::config_file::said;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::{env, io};

/// A process, which ends with this value.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: PathBuf,
}

// === impl Running ===

impl Running {
    /// Runs a program in a directory; what it writes goes to a log there.
    ///
    /// # Errors
    /// Where it can't be started.
    pub fn start(
        program: &Path,
        arguments: &[String],
        dir: &Path,
        log: &str,
    ) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            let (program, why) = (program.display(), said(&error));
            Failure::finding(format!("{program} can't be started: {why}"))
        };
        // A path stays what it is although the program runs in another directory; a bare name is looked up.
        let is_path = program.components().count() > 1;
        let program = if is_path {
            env::current_dir().map_err(failed)?.join(program)
        } else {
            program.to_owned()
        };
        let log = dir.join(log);
        let output = File::create(&log).map_err(failed)?;
        let child = Command::new(program)
            .args(arguments)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(failed)?)
            .stderr(output)
            // A group of its own: Ctrl-C reaches it through us alone, so nothing ends twice.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        Ok(Self { child, log })
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// A failure for this reason, with the end of the log.
    #[must_use]
    pub fn failure(&self, why: &str) -> Failure {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let first = log.lines().count().saturating_sub(5);
        let tail = log.lines().skip(first).collect::<Vec<_>>().join("\n");
        Failure {
            exit: Exit::Finding,
            message: format!("{why}; the end of {}:\n{tail}", self.log.display()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where the process is gone.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

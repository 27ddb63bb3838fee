//! Waits until Envoys have taken up a file that was replaced.

use crate::envoy::admin::Admin;
use crate::failure::Failure;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// An Envoy, and what it showed before the file was replaced.
#[derive(Debug)]
pub struct Waiting<'a> {
    admin: &'a Admin,
    rejected: u64,
}

const POLL_INTERVAL: Duration = Duration::from_millis(20);

// === impl Waiting ===

impl<'a> Waiting<'a> {
    /// Looks at an Envoy before the file is replaced.
    ///
    /// # Errors
    /// Where it does not answer.
    pub fn begin(admin: &'a Admin) -> Result<Self, Failure> {
        let rejected = admin.rejected()?;
        Ok(Self { admin, rejected })
    }

    /// Waits until the configuration of this fingerprint is in force.
    ///
    /// # Errors
    /// Where Envoy rejects it, does not take it in time, or no longer answers.
    pub fn until_taken(&self, fingerprint: u32, timeout: Duration) -> Result<(), Failure> {
        let url = &self.admin.url;
        let begin = Instant::now();
        loop {
            if self.admin.samples()?.fingerprint() == Some(fingerprint) {
                return Ok(());
            }
            if self.admin.rejected()? > self.rejected {
                return Err(Failure::finding(format!(
                    "{url}: Envoy rejected the new version, the one in force stays: its log says why, `bluegreen \
                     undo` goes back"
                )));
            }
            if begin.elapsed() > timeout {
                let waited = humantime::format_duration(timeout);
                return Err(Failure::finding(format!(
                    "{url}: the file is written, and Envoy has not taken it up within {waited}: does it watch this \
                     file?"
                )));
            }
            sleep(POLL_INTERVAL);
        }
    }
}

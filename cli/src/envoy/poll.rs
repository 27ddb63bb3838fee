//! Looks at Envoys once a second each, side by side: one that does not answer holds up no other.

use crate::clock::now_ms;
use crate::envoy::admin::Admin;
use crate::envoy::dump::Dump;
use crate::failure::Failure;
use crate::live::envoy::Look;
use crate::live::rollout::Moment;
use bluegreen::Policy;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

/// A look at one Envoy.
#[derive(Debug)]
pub struct Polled {
    /// The Envoy's index.
    pub envoy: usize,
    /// When.
    pub moment: Moment,
    /// What it shows, or why it does not.
    pub look: Result<Look, String>,
}

/// How often each Envoy is looked at.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// Looks at one Envoy.
#[derive(Debug)]
struct Poller {
    admin: Admin,
    /// The configuration of the last fingerprint.
    policy: Option<(u32, Option<Arc<Policy>>)>,
    /// How often Envoy has been asked for it.
    attempts: u32,
}

/// Begins to look at Envoys, until nobody receives what is seen. `message` makes of it what the receiver wants.
///
/// # Errors
/// Where no thread can be started.
pub fn start<M: Send + 'static>(
    admins: Vec<Admin>,
    sender: &Sender<M>,
    message: fn(Polled) -> M,
) -> io::Result<()> {
    let begin = Instant::now();
    for (envoy, admin) in admins.into_iter().enumerate() {
        let sender = sender.clone();
        let mut poller = Poller::new(admin);
        let looking = move || {
            loop {
                let due = Instant::now() + INTERVAL;
                let look = poller.look().map_err(|failure| failure.message);
                let moment = Moment {
                    wall_ms: now_ms(),
                    steady_ms: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
                };
                let polled = Polled {
                    envoy,
                    moment,
                    look,
                };
                if sender.send(message(polled)).is_err() {
                    return;
                }
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
        };
        thread::Builder::new().spawn(looking)?;
    }
    Ok(())
}

// === impl Poller ===

impl Poller {
    /// A configuration that Envoy does not show is asked for so often in a row.
    const ATTEMPTS: u32 = 5;

    const fn new(admin: Admin) -> Self {
        Self {
            admin,
            policy: None,
            attempts: 0,
        }
    }

    fn look(&mut self) -> Result<Look, Failure> {
        let scrape = self.admin.scrape()?;
        let policy = match scrape.fingerprint {
            Some(fingerprint) => self.policy(fingerprint)?,
            None => None,
        };
        Ok(Look { scrape, policy })
    }

    /// The configuration of this fingerprint. Envoy is asked for it only where it is new: the answer is long.
    fn policy(&mut self, fingerprint: u32) -> Result<Option<Arc<Policy>>, Failure> {
        match &self.policy {
            Some((known, policy))
                if *known == fingerprint
                    && (policy.is_some() || self.attempts >= Self::ATTEMPTS) =>
            {
                return Ok(policy.clone());
            }
            Some((known, _)) if *known == fingerprint => self.attempts += 1,
            _ => self.attempts = 1,
        }
        let json = Dump::new(self.admin.json("/config_dump")?).json_of(fingerprint);
        let policy = json.and_then(|json| Policy::parse(json.as_bytes()).ok());
        let policy = policy.map(Arc::new);
        self.policy = Some((fingerprint, policy.clone()));
        Ok(policy)
    }
}

//! What is known of all Envoys, kept up to date.

use crate::clock::now_ms;
use crate::dashboard::history::History;
use crate::envoy::admin::Admin;
use crate::envoy::poll::{self, INTERVAL, Polled};
use crate::failure::Failure;
use crate::live::model::Live;
use crate::live::view::{Link, LiveView};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// The Envoys, and what they have shown.
#[derive(Debug)]
pub struct Board {
    admins: Vec<Admin>,
    shown: Mutex<Shown>,
}

/// What there is to show.
#[derive(Debug)]
pub struct Shown {
    /// Now.
    pub view: Arc<LiveView>,
    /// Over the last minutes.
    pub history: History,
}

// === impl Board ===

impl Board {
    /// Begins to look at Envoys.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(admins: Vec<Admin>) -> Result<Arc<Self>, Failure> {
        let failed = |error: std::io::Error| Failure::finding(error.to_string());
        let live = Live::new(admins.iter().map(|it| it.url.clone()));
        let (sender, receiver) = mpsc::channel();
        poll::start(admins.clone(), &sender, |polled| polled).map_err(failed)?;
        let shown = Shown {
            view: Arc::new(live.view(now_ms())),
            history: History::default(),
        };
        let board = Arc::new(Self {
            admins,
            shown: Mutex::new(shown),
        });
        let kept = Arc::clone(&board);
        let keeping = move || kept.keep(live, &receiver);
        thread::Builder::new().spawn(keeping).map_err(failed)?;
        Ok(board)
    }

    /// Takes in what is seen, and once an interval makes of it what is shown.
    fn keep(&self, mut live: Live, receiver: &Receiver<Polled>) {
        let mut due = Instant::now();
        loop {
            match receiver.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(polled) => {
                    live.observe(polled.envoy, polled.moment, polled.look);
                }
                Err(RecvTimeoutError::Timeout) => {
                    due = Instant::now() + INTERVAL;
                    let view = Arc::new(live.view(now_ms()));
                    let mut shown = self.shown();
                    shown.history.push(&view);
                    shown.view = view;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// What there is to show.
    pub fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The Envoys that answer.
    pub fn answering(&self) -> Vec<Admin> {
        let view = Arc::clone(&self.shown().view);
        let envoys = self.admins.iter().zip(&view.envoys);
        envoys
            .filter(|(_, envoy)| envoy.link == Link::Up)
            .map(|(admin, _)| admin.clone())
            .collect()
    }
}

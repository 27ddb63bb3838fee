//! `bluegreen watch`.

use crate::clock::now_ms;
use crate::commands::envoys::RolloutArgs;
use crate::envoy::poll::{self, INTERVAL, Polled};
use crate::failure::{Failure, Report};
use crate::live::event::Event;
use crate::live::model::Live;
use crate::output::Output;
use crate::watch::screen::Screen;
use crate::watch::theme::Theme;
use crate::watch::{plain, session};
use serde_json::Value;
use std::collections::BTreeSet;
use std::env;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Instant;

/// Shows how the rollouts of running Envoys go, live.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Keys: q, Esc or Ctrl-C quits; arrows, Page Up and Page Down scroll.\n\
                  Where the output is no terminal, a line is printed for each thing that happens; with --output json, a \
                  line of JSON each second."
)]
pub struct Args {
    /// Which Envoys and rollouts
    #[command(flatten)]
    pub of: RolloutArgs,
    /// Without colors, as with the environment variable NO_COLOR
    #[arg(long)]
    pub no_color: bool,
}

/// Runs the command, until the user quits or nobody reads what it prints.
///
/// # Errors
/// Where an Envoy does not answer at the start.
pub fn run(args: &Args, output: Output) -> Result<Report, Failure> {
    let admins = args.of.envoys.admins()?;
    let mut live = Live::new(admins.iter().map(|admin| admin.url.clone()));
    let count = admins.len();
    let (sender, polls) = mpsc::channel();
    poll::start(admins, &sender, |polled| polled)
        .map_err(|error| Failure::finding(format!("no thread: {error}")))?;
    drop(sender);
    if output == Output::Text && is_terminal() {
        let mut screen = Screen {
            theme: Theme {
                has_color: !args.no_color && env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
            },
            only: args.of.rollout.clone(),
            scroll: 0,
        };
        session::run(&mut live, &polls, &mut screen)?;
    } else {
        let lines = Lines {
            only: args.of.rollout.as_deref(),
            count,
            output,
        };
        // A reader that has gone away needs no more.
        let _ = lines.print(&mut live, &polls);
    }
    Ok(Report::fine("", Value::String(String::new())))
}

fn is_terminal() -> bool {
    let is_dumb = env::var("TERM").is_ok_and(|term| term == "dumb");
    !is_dumb && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The output where there is no terminal.
#[derive(Debug)]
struct Lines<'a> {
    only: Option<&'a str>,
    /// How many Envoys there are.
    count: usize,
    output: Output,
}

// === impl Lines ===

impl Lines<'_> {
    fn print(&self, live: &mut Live, polls: &Receiver<Polled>) -> io::Result<()> {
        let mut stdout = io::stdout();
        let mut looked = BTreeSet::new();
        let mut events = Vec::new();
        let mut has_begun = false;
        let mut due = Instant::now() + INTERVAL;
        loop {
            match polls.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(polled) => {
                    looked.insert(polled.envoy);
                    let happened = live.observe(polled.envoy, polled.moment, polled.look);
                    events.extend(happened.into_iter().filter(|it| self.is_wanted(it)));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            let is_due = Instant::now() >= due;
            if is_due {
                due += INTERVAL;
            }
            let text = match self.output {
                _ if looked.len() < self.count => continue,
                Output::Json if has_begun && !is_due => continue,
                Output::Json => plain::json(&live.view(now_ms()), &events),
                Output::Text if has_begun => {
                    let lines = events.iter().map(|it| plain::event(it, self.count == 1));
                    lines.collect()
                }
                Output::Text => plain::begin(&live.view(now_ms()), self.only),
            };
            has_begun = true;
            events.clear();
            stdout.write_all(text.as_bytes())?;
            stdout.flush()?;
        }
    }

    fn is_wanted(&self, event: &Event) -> bool {
        let rollout = event.rollout.as_deref();
        self.only.is_none() || rollout.is_none() || rollout == self.only
    }
}

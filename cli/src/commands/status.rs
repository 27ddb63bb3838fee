//! `bluegreen status`.

use crate::clock::parse_duration;
use crate::commands::envoys::RolloutArgs;
use crate::envoy::admin::Admin;
use crate::envoy::in_force::InForce;
use crate::envoy::view::{Phase, RolloutView};
use crate::failure::{Exit, Failure, Report};
use crate::json::tree::Tree;
use crate::table::{Align, table};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Tells how the rollouts of running Envoys do.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 healthy, with --wait all done; 1 rolled back, or without the filter; 2 timed out; \
                        3 an Envoy does not answer"
)]
pub struct Args {
    /// Which Envoys and rollouts
    #[command(flatten)]
    pub of: RolloutArgs,
    /// Wait until all ramps are at their last step and all Envoys have the same configuration in force, or one is
    /// rolled back
    #[arg(long)]
    pub wait: bool,
    /// How long to wait at most
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration)]
    pub timeout: Duration,
}

/// One Envoy.
#[derive(Debug)]
struct Envoy {
    url: String,
    fingerprint: u32,
    version: Option<String>,
    rows: Vec<RolloutView>,
}

const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Runs the command.
///
/// # Errors
/// Where an Envoy does not answer, or has no filter.
pub fn run(args: &Args) -> Result<Report, Failure> {
    let admins = args.of.envoys.admins()?;
    let begin = Instant::now();
    let mut seen = look(&admins, args)?;
    let mut last_text = String::new();
    loop {
        let is_over = !args.wait || is_rolled_back(&seen) || is_done(&seen);
        let text = text(&seen);
        if is_over || begin.elapsed() >= args.timeout {
            return Ok(report(&seen, text, is_over));
        }
        if text != last_text {
            eprint!("{text}");
            last_text = text;
        }
        sleep(POLL_INTERVAL.min(args.timeout.saturating_sub(begin.elapsed())));
        // An Envoy that restarts is waited for like any other.
        match look(&admins, args) {
            Ok(now) => seen = now,
            Err(failure) if begin.elapsed() >= args.timeout => return Err(failure),
            Err(_) => {}
        }
    }
}

fn report(envoys: &[Envoy], text: String, is_over: bool) -> Report {
    let exit = if is_rolled_back(envoys) {
        Exit::Finding
    } else if is_over {
        Exit::Fine
    } else {
        Exit::Usage
    };
    let text = if is_over {
        text
    } else {
        format!("{text}timed out\n")
    };
    Report {
        text,
        json: json!({
            "done": is_done(envoys),
            "rolled_back": is_rolled_back(envoys),
            "timed_out": !is_over,
            "envoys": envoys.iter().map(Envoy::json).collect::<Vec<_>>(),
        }),
        exit,
    }
}

fn look(admins: &[Admin], args: &Args) -> Result<Vec<Envoy>, Failure> {
    admins
        .iter()
        .map(|admin| Envoy::ask(admin, args.of.rollout.as_deref()))
        .collect()
}

fn is_rolled_back(envoys: &[Envoy]) -> bool {
    let mut rows = envoys.iter().flat_map(|it| &it.rows);
    rows.any(|row| row.phase == Phase::RolledBack)
}

fn is_done(envoys: &[Envoy]) -> bool {
    let mut rows = envoys.iter().flat_map(|it| &it.rows);
    fingerprints(envoys).len() == 1 && rows.all(|row| row.phase.is_done())
}

fn fingerprints(envoys: &[Envoy]) -> BTreeSet<u32> {
    envoys.iter().map(|it| it.fingerprint).collect()
}

fn text(envoys: &[Envoy]) -> String {
    let mut text: String = envoys.iter().map(Envoy::text).collect();
    if fingerprints(envoys).len() > 1 {
        text += "these Envoys have different configurations in force\n";
    }
    text
}

// === impl Envoy ===

impl Envoy {
    fn ask(admin: &Admin, only: Option<&str>) -> Result<Self, Failure> {
        let in_force = InForce::ask(admin)?;
        let url = &admin.url;
        if in_force.samples.lacks_tags() {
            return Err(Failure::finding(format!(
                "{url}: the labels stand within the names of the stats: take stats_tags from the shipped bootstrap.yaml"
            )));
        }
        let Some(fingerprint) = in_force.samples.fingerprint() else {
            return Err(Failure::finding(format!(
                "{url}: this Envoy has not loaded the filter: its log says why"
            )));
        };
        let names = in_force.names();
        let names = names
            .into_iter()
            .filter(|name| only.is_none_or(|only| only == name));
        let tree = in_force.json.as_deref().and_then(Tree::parse);
        let rows: Vec<RolloutView> = names
            .filter_map(|name| RolloutView::of(name, &in_force, tree.as_ref()))
            .collect();
        if let Some(only) = only
            && rows.is_empty()
        {
            return Err(Failure::usage(format!("{url}: no rollout {only:?}")));
        }
        Ok(Self {
            url: url.clone(),
            fingerprint,
            version: in_force.policy.and_then(|it| it.version),
            rows,
        })
    }

    fn text(&self) -> String {
        let version = self.version.as_ref();
        let version = version.map_or_else(String::new, |it| format!("version {it}, "));
        let head = format!("{}: {version}fingerprint {}\n", self.url, self.fingerprint);
        let titles = ["rollout", "state", "blue", "green", "step"].map(str::to_owned);
        let rows = self.rows.iter().map(RolloutView::cells);
        let rows: Vec<Vec<String>> = std::iter::once(titles.to_vec()).chain(rows).collect();
        let numbers = |column| {
            if (2..4).contains(&column) {
                Align::Right
            } else {
                Align::Left
            }
        };
        head + &table(&rows, numbers)
    }

    fn json(&self) -> Value {
        json!({
            "admin": self.url,
            "fingerprint": self.fingerprint,
            "version": self.version,
            "rollouts": self.rows.iter().map(RolloutView::json).collect::<Vec<_>>(),
        })
    }
}

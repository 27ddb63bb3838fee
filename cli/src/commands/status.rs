//! `bluegreen status`.

use crate::clock::parse_duration;
use crate::envoy::admin::{Admin, DEFAULT_ADMIN};
use crate::envoy::in_force::{InForce, RolloutState};
use crate::failure::{Exit, Failure, Report};
use crate::json::tree::Tree;
use crate::ramp::RampView;
use crate::show::weights_json;
use crate::table::{Align, table};
use bluegreen::{Color, Percent};
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
    /// The admin address of an Envoy; http://127.0.0.1:9901 where absent
    #[arg(long, value_name = "URL")]
    pub admin: Vec<String>,
    /// This rollout alone
    #[arg(long, value_name = "NAME")]
    pub rollout: Option<String>,
    /// Wait until all ramps are at their last step and all Envoys have the same configuration in force, or one is
    /// rolled back
    #[arg(long)]
    pub wait: bool,
    /// How long to wait at most
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration)]
    pub timeout: Duration,
}

/// One rollout in one Envoy.
#[derive(Debug)]
struct Row {
    name: String,
    state: RolloutState,
    phase: Phase,
    /// The step in force, and how many there are.
    step: Option<(usize, usize)>,
}

/// How far a rollout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    RolledBack,
    Paused,
    Waiting,
    Ramping,
    Inconclusive,
    Healthy,
}

/// One Envoy.
#[derive(Debug)]
struct Envoy {
    url: String,
    fingerprint: u32,
    version: Option<String>,
    rows: Vec<Row>,
}

const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Runs the command.
///
/// # Errors
/// Where an Envoy does not answer, or has no filter.
pub fn run(args: &Args) -> Result<Report, Failure> {
    let default = [DEFAULT_ADMIN.to_owned()];
    let addresses = if args.admin.is_empty() {
        &default[..]
    } else {
        &args.admin
    };
    let admins = Admin::all(addresses)?;
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
        .map(|admin| Envoy::ask(admin, args.rollout.as_deref()))
        .collect()
}

fn is_rolled_back(envoys: &[Envoy]) -> bool {
    let mut rows = envoys.iter().flat_map(|it| &it.rows);
    rows.any(|row| row.phase == Phase::RolledBack)
}

fn is_done(envoys: &[Envoy]) -> bool {
    let mut rows = envoys.iter().flat_map(|it| &it.rows);
    let going = [
        Phase::RolledBack,
        Phase::Paused,
        Phase::Waiting,
        Phase::Ramping,
    ];
    fingerprints(envoys).len() == 1 && !rows.any(|row| going.contains(&row.phase))
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
        let rows: Vec<Row> = names
            .filter_map(|name| Row::of(name, &in_force, tree.as_ref()))
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
        let rows = self.rows.iter().map(Row::cells);
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
            "rollouts": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
        })
    }
}

// === impl Row ===

impl Row {
    fn of(name: String, in_force: &InForce, tree: Option<&Tree>) -> Option<Self> {
        let state = in_force.state(&name)?;
        let policy = in_force.policy.as_ref();
        let place = policy.and_then(|policy| Some((policy, policy.named(&name)?)));
        let rollout = place.and_then(|(policy, index)| policy.rollouts.get(index));
        let item = place.and_then(|(_, index)| tree?.get("rollouts")?.items().get(index));
        let ramp = item.and_then(RampView::of);
        let canary = rollout.map(|it| state.weights.of(it.stable.other()));
        let by_weight =
            |ramp: &RampView<'_>| ramp.steps.iter().rposition(|it| Some(it.weight) == canary);
        let step = ramp.as_ref().and_then(|ramp| {
            let step = state.step.or_else(|| by_weight(ramp))?;
            Some((step, ramp.steps.len()))
        });
        let present = ramp
            .as_ref()
            .zip(step)
            .and_then(|(ramp, (step, _))| ramp.steps.get(step));
        let is_last = step.is_none_or(|(step, count)| step + 1 >= count);
        let has_started = ramp.is_none() || step.is_some();
        let phase = if state.is_rolled_back {
            Phase::RolledBack
        } else if present.is_some_and(|it| it.is_paused) {
            Phase::Paused
        } else if state.is_waiting {
            Phase::Waiting
        } else if !is_last || !has_started {
            Phase::Ramping
        } else if state.is_inconclusive && canary != Some(Percent::ZERO) {
            Phase::Inconclusive
        } else {
            Phase::Healthy
        };
        Some(Self {
            name,
            state,
            phase,
            step,
        })
    }

    fn cells(&self) -> Vec<String> {
        let percent = |color| format!("{} %", self.state.weights.of(color));
        let step = self
            .step
            .map(|(step, count)| format!("{} of {count}", step + 1));
        vec![
            self.name.clone(),
            self.phase.as_str().to_owned(),
            percent(Color::Blue),
            percent(Color::Green),
            step.unwrap_or_else(|| "-".to_owned()),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "rollout": self.name,
            "state": self.phase.as_str(),
            "weights": weights_json(self.state.weights),
            "step": self.step.map(|(step, _)| step),
            "steps": self.step.map(|(_, count)| count),
        })
    }
}

// === impl Phase ===

impl Phase {
    const fn as_str(self) -> &'static str {
        match self {
            Self::RolledBack => "rolled back",
            Self::Paused => "paused",
            Self::Waiting => "waiting",
            Self::Ramping => "ramping",
            Self::Inconclusive => "too few requests",
            Self::Healthy => "healthy",
        }
    }
}

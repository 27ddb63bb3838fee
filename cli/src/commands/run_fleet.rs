//! `bluegreen run-fleet`: three Envoys and an etcd with one configuration, for `make run-fleet`.

use crate::commands::run::{POLL_INTERVAL, READY_WITHIN, addresses};
use crate::envoy::admin::Admin;
use crate::failure::{Failure, Report};
use crate::file::config_file::said;
use crate::fleet_files::{ENVOYS, FleetFiles, PORTS_APART, Part};
use crate::process::Running;
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Runs them in the foreground. Started in the directory of the repository.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The program of Envoy
    #[arg(long, value_name = "PATH")]
    pub envoy: PathBuf,
    /// The program of etcd
    #[arg(long, value_name = "PATH")]
    pub etcd: PathBuf,
    /// The directory to run in
    #[arg(long, value_name = "DIR", default_value = ".run-fleet")]
    pub dir: PathBuf,
}

/// What ends sooner has not begun.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// A part that runs.
struct Started {
    part: Part,
    running: Running,
    since: Instant,
}

/// Runs the command, until a signal comes. A process that ends is started again.
///
/// # Errors
/// Where one can't be started, or ends as soon as it has begun.
pub fn run(args: &Args) -> Result<Report, Failure> {
    let (admin, listener) = addresses()?;
    let files = FleetFiles::new(&args.dir, &listener, &admin)?;
    let admins = (0..ENVOYS).map(|index| Admin::new(&files.admin(index)));
    let admins = admins.collect::<Result<Vec<_>, _>>()?;
    if let Some(taken) = admins.iter().find(|admin| admin.check().is_ok()) {
        let url = &taken.url;
        return Err(Failure::finding(format!(
            "an Envoy already answers on {url}: end that one first"
        )));
    }
    let failed =
        |error: io::Error| Failure::finding(format!("{}: {}", args.dir.display(), said(&error)));
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
    let parts = files.prepare(&args.envoy, &args.etcd).map_err(failed)?;
    let started = parts
        .into_iter()
        .map(|part| Started::new(part, &files.dir))
        .collect::<Result<Vec<_>, _>>();
    let mut started = started?;
    let begin = Instant::now();
    let mut is_ready = false;
    while signals.pending().next().is_none() {
        for it in &mut started {
            it.start_again_if_ended(&files.dir)?;
        }
        if !is_ready && admins.iter().all(|admin| admin.get("/ready").is_ok()) {
            is_ready = true;
            welcome(&files);
        } else if !is_ready && begin.elapsed() > READY_WITHIN {
            return Err(Failure::finding(format!(
                "not all Envoys are ready after {READY_WITHIN:?}; their logs are in {}",
                files.dir.display()
            )));
        }
        sleep(POLL_INTERVAL);
    }
    Ok(Report::fine("", Value::Null))
}

fn welcome(files: &FleetFiles) {
    let dir = files.dir.display();
    let (host, port) = files.listener(0);
    let (_, third) = files.listener(2);
    let (first_admin, third_admin) = (files.admin(0), files.admin(2));
    let admins = (0..ENVOYS).map(|index| format!(" --admin {}", files.admin(index)));
    let admins = admins.collect::<String>();
    println!(
        "\
Three Envoys and an etcd are up: http://{host}:{port} and two more, {PORTS_APART} ports apart. Logs are in {dir}.
Green gets 10 %. In another terminal:

  send() {{ for i in $(seq 300); do curl -s -H \"x-user-id: user$i\" http://{host}:$(({port} + i % 3 * {PORTS_APART}))/; done | sort | uniq -c; }}
  send                                       # by all three in turn: blue, and green for one user of ten

Break green behind the first Envoy alone. Some ten of its requests fail, too few for a guard that needs 20; but with
those of the other two there are enough, and all three go back:

  curl -X POST 'http://{first_admin}/runtime_modify?green.fails=100'
  send; sleep 2; send                        # green fails now and then; two seconds later blue serves all
  dist/bluegreen status{admins}

End the third. It is started again, remembers nothing, and sends nobody to green, for etcd has the verdict:

  curl -X POST http://{third_admin}/quitquitquit
  sleep 3; for i in $(seq 100); do curl -s -H \"x-user-id: user$i\" http://{host}:{third}/; done | sort | uniq -c

The file to edit is {dir}/bluegreen.yaml, one for all three, made anew at each start. Ctrl-C ends all."
    );
}

// === impl Started ===

impl Started {
    fn new(part: Part, dir: &Path) -> Result<Self, Failure> {
        let running = Running::start(&part.program, &part.arguments, dir, &part.log)?;
        Ok(Self {
            part,
            running,
            since: Instant::now(),
        })
    }

    fn start_again_if_ended(&mut self, dir: &Path) -> Result<(), Failure> {
        let Part {
            name,
            program,
            arguments,
            log,
        } = &self.part;
        let failed = |error: io::Error| Failure::finding(format!("{name}: {}", said(&error)));
        let Some(status) = self.running.status().map_err(failed)? else {
            return Ok(());
        };
        let why = format!("{name} ended: {status}");
        if self.since.elapsed() < SETTLED_AFTER {
            return Err(self.running.failure(&why));
        }
        println!("{why}; it is started again");
        self.running = Running::start(program, arguments, dir, log)?;
        self.since = Instant::now();
        Ok(())
    }
}

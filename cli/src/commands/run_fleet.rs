//! `bluegreen run-fleet`: three Envoys and an etcd with one configuration, for `make run-fleet`.

use crate::commands::run::{BOOTSTRAP, POLL_INTERVAL, READY_WITHIN, addresses};
use crate::envoy::admin::Admin;
use crate::failure::{Failure, Report};
use crate::file::config_file::said;
use crate::process::Running;
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fs, io};

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

const ENVOYS: u16 = 3;
/// From the ports of one Envoy to those of the next.
const PORTS_APART: u16 = 10;
const PORT: &str = "port_value: ";
/// What ends sooner has not begun.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// What the shipped configuration gets, so that there is something to see: a fleet, and a guard.
const CONFIG_EDITS: [(&str, &str); 2] = [
    (
        "\"rollouts\": [",
        "\"fleet\": { \"cluster\": \"etcd\", \"prefix\": \"/bluegreen/demo\" },\n            \"rollouts\": [",
    ),
    (
        "\"sticky\": [",
        "\"guard\": { \"window\": \"1m\", \"min_requests\": 20, \"max_error_rate\": 5 },\n                \"sticky\": [",
    ),
];

/// What is run, and how.
struct Part {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    log: String,
}

/// A part that runs.
struct Started {
    part: Part,
    running: Running,
    since: Instant,
}

/// Where all of it is.
struct Places {
    listener: (String, u16),
    admin: (String, u16),
}

/// Runs the command, until a signal comes. A process that ends is started again.
///
/// # Errors
/// Where one can't be started, or ends as soon as it has begun.
pub fn run(args: &Args) -> Result<Report, Failure> {
    let (admin, listener) = addresses()?;
    let places = Places {
        listener: host_and_port(&listener)?,
        admin: host_and_port(&admin)?,
    };
    let admins = (0..ENVOYS).map(|index| Admin::new(&places.admin(index)));
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
    let parts = prepare(args, &places).map_err(failed)?;
    let started = parts.into_iter().map(|part| Started::new(part, args));
    let mut started = started.collect::<Result<Vec<_>, _>>()?;
    let begin = Instant::now();
    let mut is_ready = false;
    while signals.pending().next().is_none() {
        for it in &mut started {
            it.start_again_if_ended(args)?;
        }
        if !is_ready && admins.iter().all(|admin| admin.get("/ready").is_ok()) {
            is_ready = true;
            welcome(args, &places);
        } else if !is_ready && begin.elapsed() > READY_WITHIN {
            return Err(Failure::finding(format!(
                "not all Envoys are ready after {READY_WITHIN:?}; their logs are in {}",
                args.dir.display()
            )));
        }
        sleep(POLL_INTERVAL);
    }
    Ok(Report::fine("", Value::Null))
}

/// Lays out what an operator has beside three Envoys: a bootstrap for each, one configuration and the filter.
fn prepare(args: &Args, places: &Places) -> io::Result<Vec<Part>> {
    let dir = &args.dir;
    // Nothing of an earlier run: that is what etcd had stored, too.
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(dir)?,
    }
    let wasm = "dist/bluegreen.wasm";
    fs::copy(wasm, dir.join("bluegreen.wasm"))
        .map_err(|error| io::Error::other(format!("{wasm}: {}", said(&error))))?;
    let config = CONFIG_EDITS
        .iter()
        .try_fold(read("envoy/bluegreen.yaml")?, |text, (find, replace)| {
            edited("envoy/bluegreen.yaml", &text, find, replace)
        })?;
    fs::write(dir.join("bluegreen.yaml"), config)?;
    let mut parts = vec![etcd(args, places)];
    for index in 0..ENVOYS {
        parts.push(envoy(args, places, index)?);
    }
    Ok(parts)
}

fn etcd(args: &Args, places: &Places) -> Part {
    let client = format!("http://127.0.0.1:{}", places.etcd());
    let peer = format!("http://127.0.0.1:{}", places.etcd().saturating_add(1));
    let arguments = [
        "--data-dir=etcd".to_owned(),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--auto-compaction-retention=5m".to_owned(),
        "--log-level=warn".to_owned(),
    ];
    Part {
        name: "etcd".to_owned(),
        program: args.etcd.clone(),
        arguments: arguments.to_vec(),
        log: "etcd.log".to_owned(),
    }
}

fn envoy(args: &Args, places: &Places, index: u16) -> io::Result<Part> {
    let ahead = index.saturating_mul(PORTS_APART);
    let number = index.saturating_add(1);
    let node = format!("envoy-{number}");
    let bootstrap = edited(
        BOOTSTRAP,
        &ports_moved(&read(BOOTSTRAP)?, ahead),
        "node: { id: bluegreen,",
        &format!("node: {{ id: {node},"),
    )?;
    let bootstrap_name = format!("bootstrap-{number}.yaml");
    fs::write(args.dir.join(&bootstrap_name), bootstrap)?;
    let own = ports_moved(&read("envoy/upstreams.yaml")?, ahead);
    let cluster = edited(
        "envoy/etcd.yaml",
        &read("envoy/etcd.yaml")?,
        "port_value: 2379 ",
        &format!("port_value: {} ", places.etcd()),
    )?;
    let clusters = cluster.lines().skip_while(|line| *line != "  clusters:");
    let merged = format!("{own}{}\n", clusters.collect::<Vec<_>>().join("\n"));
    let arguments = [
        "--config-path",
        &format!("./{bootstrap_name}"),
        "--config-yaml",
        &merged,
        "--concurrency",
        "1",
        "--disable-hot-restart",
    ];
    Ok(Part {
        name: node,
        program: args.envoy.clone(),
        arguments: arguments.map(str::to_owned).to_vec(),
        log: format!("envoy-{number}.log"),
    })
}

fn read(file: &str) -> io::Result<String> {
    fs::read_to_string(file).map_err(|error| io::Error::other(format!("{file}: {}", said(&error))))
}

fn edited(file: &str, text: &str, find: &str, replace: &str) -> io::Result<String> {
    if text.contains(find) {
        Ok(text.replace(find, replace))
    } else {
        Err(io::Error::other(format!("{file} has no `{find}`")))
    }
}

/// The text with each port so much further.
fn ports_moved(text: &str, ahead: u16) -> String {
    let mut parts = text.split(PORT);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |moved, part| {
        let length = part.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = part.split_at_checked(length).unwrap_or((part, ""));
        match digits.parse::<u16>() {
            Ok(port) => format!("{moved}{PORT}{}{rest}", port.saturating_add(ahead)),
            Err(_) => format!("{moved}{PORT}{part}"),
        }
    })
}

fn host_and_port(address: &str) -> Result<(String, u16), Failure> {
    let parsed = address
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    parsed.ok_or_else(|| Failure::usage(format!("{BOOTSTRAP}: {address} is no address")))
}

fn welcome(args: &Args, places: &Places) {
    let dir = args.dir.display();
    let (host, port) = &places.listener;
    let first = places.admin(0);
    let last = places.admin(2);
    let third = format!("{host}:{}", port.saturating_add(2 * PORTS_APART));
    let admins = (0..ENVOYS).map(|index| format!("--admin {}", places.admin(index)));
    let admins = admins.collect::<Vec<_>>().join(" ");
    println!(
        "\
Three Envoys and an etcd are up; all logs are in {dir}/. Green gets 10 %. In another terminal:

  send() {{ for i in $(seq 300); do curl -s -H \"x-user-id: user$i\" http://{host}:$(({port} + i % 3 * {PORTS_APART}))/; done | sort | uniq -c; }}
  send                                                     # over all three: about 270 blue, 30 green

Break green behind the first Envoy alone. About 10 of its requests fail, too few for a guard with min_requests 20
that knows no other; the fleet has seen 30:

  curl -X POST 'http://{first}/runtime_modify?green.fails=100'
  send; sleep 2; send                                      # blue alone, from all three
  dist/bluegreen status {admins}

End the third; it is started again, and remembers nothing but what etcd tells it:

  curl -X POST http://{last}/quitquitquit
  sleep 2; curl -s -H 'x-user-id: user2' http://{third}/    # still blue

The file to edit is {dir}/bluegreen.yaml, one for all three. Ctrl-C ends all."
    );
}

// === impl Started ===

impl Started {
    fn new(part: Part, args: &Args) -> Result<Self, Failure> {
        let running = Running::start(&part.program, &part.arguments, &args.dir, &part.log)?;
        Ok(Self {
            part,
            running,
            since: Instant::now(),
        })
    }

    fn start_again_if_ended(&mut self, args: &Args) -> Result<(), Failure> {
        let name = &self.part.name;
        let failed = |error: io::Error| Failure::finding(format!("{name}: {}", said(&error)));
        let Some(status) = self.running.status().map_err(failed)? else {
            return Ok(());
        };
        let why = format!("{name} ended: {status}");
        if self.since.elapsed() < SETTLED_AFTER {
            return Err(self.running.failure(&why));
        }
        println!("{why}; it is started again");
        let Part {
            program,
            arguments,
            log,
            ..
        } = &self.part;
        self.running = Running::start(program, arguments, &args.dir, log)?;
        self.since = Instant::now();
        Ok(())
    }
}

// === impl Places ===

impl Places {
    fn admin(&self, index: u16) -> String {
        let (host, port) = &self.admin;
        let ahead = index.saturating_mul(PORTS_APART);
        format!("{host}:{}", port.saturating_add(ahead))
    }

    fn etcd(&self) -> u16 {
        let ahead = ENVOYS.saturating_mul(PORTS_APART);
        self.listener.1.saturating_add(ahead)
    }
}

//! `bluegreen run`: Envoy with the filter and an embedded blue and green upstream, for `make run`.

use crate::envoy::admin::Admin;
use crate::failure::{Failure, Report};
use crate::file::config_file::said;
use crate::process::Running;
use crate::source::yaml::{Kind, Yaml};
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fs, io};

/// Runs Envoy in the foreground. Started in the directory of the repository.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The program
    #[arg(long, value_name = "PATH")]
    pub envoy: PathBuf,
    /// The directory to run in
    #[arg(long, value_name = "DIR", default_value = ".run")]
    pub dir: PathBuf,
}

/// The shipped one.
pub const BOOTSTRAP: &str = "envoy/bootstrap.yaml";
/// How long Envoy may take to be ready.
pub const READY_WITHIN: Duration = Duration::from_secs(30);
/// How often processes are looked at.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Runs the command, until Envoy ends or a signal comes.
///
/// # Errors
/// Where Envoy can't be started, or ends by itself.
pub fn run(args: &Args) -> Result<Report, Failure> {
    let (admin, listener) = addresses()?;
    let admin = Admin::new(&admin)?;
    if admin.check().is_ok() {
        let url = &admin.url;
        return Err(Failure::finding(format!(
            "an Envoy already answers on {url}: end that one first"
        )));
    }
    let failed =
        |error: io::Error| Failure::finding(format!("{}: {}", args.dir.display(), said(&error)));
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
    prepare(&args.dir).map_err(failed)?;
    let mut envoy = start(args)?;
    let begin = Instant::now();
    let mut is_ready = false;
    loop {
        if signals.pending().next().is_some() {
            return Ok(Report::fine("", Value::Null));
        }
        if let Some(status) = envoy.status().map_err(failed)? {
            return Err(envoy.failure(&format!("Envoy ended: {status}")));
        }
        if !is_ready && admin.get("/ready").is_ok() {
            is_ready = true;
            welcome(args, &listener, &admin.url);
        } else if !is_ready && begin.elapsed() > READY_WITHIN {
            return Err(envoy.failure(&format!("Envoy is not ready after {READY_WITHIN:?}")));
        }
        sleep(POLL_INTERVAL);
    }
}

fn start(args: &Args) -> Result<Running, Failure> {
    let upstreams = fs::read_to_string("envoy/upstreams.yaml")
        .map_err(|error| Failure::finding(format!("envoy/upstreams.yaml: {}", said(&error))))?;
    let arguments = [
        "--config-path",
        "./bootstrap.yaml",
        "--config-yaml",
        &upstreams,
        "--concurrency",
        "2",
        "--disable-hot-restart",
    ];
    Running::start(
        &args.envoy,
        &arguments.map(str::to_owned),
        &args.dir,
        "envoy.log",
    )
}

/// Lays out what an operator has beside Envoy: two files and the filter.
fn prepare(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for file in [BOOTSTRAP, "envoy/bluegreen.yaml", "dist/bluegreen.wasm"] {
        let source = Path::new(file);
        let name = source.file_name().unwrap_or_default();
        fs::copy(source, dir.join(name))
            .map_err(|error| io::Error::other(format!("{file}: {}", said(&error))))?;
    }
    // Of an earlier run.
    match fs::remove_file(dir.join("bluegreen.yaml.undo")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Where the shipped bootstrap has Envoy's admin interface, and where it listens.
///
/// # Errors
/// Where there is no such file here, or nothing of the kind in it.
pub fn addresses() -> Result<(String, String), Failure> {
    let failed = |why: String| {
        Failure::usage(format!(
            "{BOOTSTRAP}: {why}: run this where the repository is"
        ))
    };
    let text = fs::read_to_string(BOOTSTRAP).map_err(|error| failed(said(&error)))?;
    let documents = Yaml::parse_all(&text).map_err(|error| failed(error.message))?;
    let address = |node: &Yaml| {
        let socket = node.get("address")?.get("socket_address")?;
        let (host, port) = (
            socket.get("address")?.text()?,
            socket.get("port_value")?.text()?,
        );
        Some(format!("{host}:{port}"))
    };
    let found = documents.first().and_then(|bootstrap| {
        let listeners = bootstrap.get("static_resources")?.get("listeners")?;
        let Kind::Sequence(listeners) = &listeners.kind else {
            return None;
        };
        Some((
            address(bootstrap.get("admin")?)?,
            address(listeners.first()?)?,
        ))
    });
    found.ok_or_else(|| failed("no addresses of admin and listener".to_owned()))
}

fn welcome(args: &Args, listener: &str, admin: &str) {
    let dir = args.dir.display();
    println!(
        "\
Envoy is up: http://{listener} (admin {admin}, log {dir}/envoy.log).
Blue and green answer with their names; green gets 10 %. In another terminal:

  curl -i -H 'x-user-id: alice' http://{listener}/    # the same color each time
  curl -i http://{listener}/                          # no key: a cookie makes it sticky
  make shift GREEN=25                                      # in the next requests
  make stats                                               # per color
  dist/bluegreen explain {dir}/bluegreen.yaml http://{listener}/ -H 'x-user-id: alice'
  dist/bluegreen status                                    # how the rollout does

The file to edit is {dir}/bluegreen.yaml, made anew at each start. Envoy takes a new version
when it is renamed into place. Ctrl-C ends all."
    );
}

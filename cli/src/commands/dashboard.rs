//! `bluegreen dashboard`.

use crate::commands::envoys::EnvoyArgs;
use crate::dashboard::board::Board;
use crate::dashboard::origin::Hosts;
use crate::dashboard::server::{Dashboard, serve};
use crate::dashboard::token::Token;
use crate::envoy::admin::Admin;
use crate::failure::{Failure, Report};
use crate::file::config_file::{ConfigFile, said};
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use tokio::net::TcpListener;
use tokio::runtime;

/// Shows in a browser how rollouts do, and makes moves where it is given a file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which Envoys
    #[command(flatten)]
    pub envoys: EnvoyArgs,
    /// The file that the Envoys watch: with it the dashboard makes moves
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Where to listen. What is no loopback address lets the network in
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9902")]
    pub listen: SocketAddr,
}

/// Runs the command, until a signal comes.
///
/// # Errors
/// Where no Envoy answers, the file is no configuration, or the address can't be had.
pub fn run(args: &Args) -> Result<Report, Failure> {
    let failed = |error: io::Error| Failure::finding(said(&error));
    if let Some(file) = &args.file {
        if file == Path::new("-") {
            return Err(Failure::usage(
                "--file -: moves need a file that Envoys watch",
            ));
        }
        ConfigFile::open(file)?.policy()?;
    }
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
    let admins = admins(&args.envoys.addresses())?;
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_io()
        .enable_time()
        .build()
        .map_err(failed)?;
    let listener = runtime.block_on(TcpListener::bind(args.listen));
    let listener = listener
        .map_err(|error| Failure::usage(format!("--listen {}: {}", args.listen, said(&error))))?;
    let address = listener.local_addr().map_err(failed)?;
    let dashboard = Arc::new(Dashboard {
        token: Token::random()?,
        hosts: Hosts::of(address),
        board: Board::start(admins)?,
        file: args.file.clone(),
        moving: Mutex::new(()),
    });
    welcome(address, &dashboard);
    runtime.spawn(serve(listener, Arc::clone(&dashboard)));
    signals.forever().next();
    // A move that is under way ends first.
    let _moves = dashboard
        .moving
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    runtime.shutdown_background();
    Ok(Report::fine("", Value::Null))
}

/// Those that are named, as soon as one of them answers. What the others lack the page tells.
fn admins(addresses: &[String]) -> Result<Vec<Admin>, Failure> {
    let admins: Vec<Admin> = addresses
        .iter()
        .map(|address| Admin::new(address))
        .collect::<Result<_, _>>()?;
    let (sender, checked) = mpsc::channel();
    for admin in admins.clone() {
        let sender = sender.clone();
        thread::spawn(move || sender.send(admin.check()));
    }
    drop(sender);
    let mut failures = Vec::new();
    for check in checked {
        match check {
            Ok(()) => return Ok(admins),
            Err(failure) => failures.push(failure.message),
        }
    }
    Err(Failure::unreachable(failures.join("\n")))
}

fn welcome(address: SocketAddr, dashboard: &Dashboard) {
    if !address.ip().is_loopback() {
        eprintln!(
            "bluegreen: warning: {address} is open to the network: whoever has the token can {}, and it passes \
             unencrypted",
            match dashboard.file {
                Some(_) => "make moves",
                None => "look on",
            }
        );
    }
    let mut shown = address;
    if address.ip().is_unspecified() {
        shown.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let what = match &dashboard.file {
        Some(file) => format!("makes moves in {}", file.display()),
        None => "only shows; --file FILE lets it make moves".to_owned(),
    };
    let text = format!(
        "http://{shown}/#token={}\n\nOpen this address in a browser, and keep it to yourself: it holds the token.\n\
         The dashboard {what}. Ctrl-C ends it.\n",
        dashboard.token.as_str()
    );
    // A reader that has gone away needs no more.
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

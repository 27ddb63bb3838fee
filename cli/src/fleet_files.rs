//! What three Envoys and an etcd of `run-fleet` need in their directory, and where they listen.

use crate::commands::run::BOOTSTRAP;
use crate::failure::Failure;
use crate::file::config_file::said;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Where all of it is.
#[derive(Debug)]
pub struct FleetFiles {
    /// The directory in which all run.
    pub dir: PathBuf,
    listener: (String, u16),
    admin: (String, u16),
}

/// A process: what is run, and how.
#[derive(Debug)]
pub struct Part {
    /// Its name for people.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// The program's arguments.
    pub arguments: Vec<String>,
    /// The name of its log.
    pub log: String,
}

/// How many Envoys there are.
pub const ENVOYS: u16 = 3;
/// From the ports of one Envoy to those of the next.
pub const PORTS_APART: u16 = 10;

const PORT: &str = "port_value: ";
const CONFIG: &str = "envoy/bluegreen.yaml";
const CLUSTER: &str = "envoy/etcd.yaml";
const WASM: &str = "dist/bluegreen.wasm";

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

// === impl FleetFiles ===

impl FleetFiles {
    /// In this directory; the first Envoy is at these addresses.
    ///
    /// # Errors
    /// Where one is no address.
    pub fn new(dir: &Path, listener: &str, admin: &str) -> Result<Self, Failure> {
        Ok(Self {
            dir: dir.to_owned(),
            listener: host_and_port(listener)?,
            admin: host_and_port(admin)?,
        })
    }

    /// The admin address of an Envoy.
    #[must_use]
    pub fn admin(&self, index: u16) -> String {
        let (host, port) = &self.admin;
        format!("{host}:{}", port.saturating_add(ahead(index)))
    }

    /// Where an Envoy listens: host and port.
    #[must_use]
    pub fn listener(&self, index: u16) -> (&str, u16) {
        let (host, port) = &self.listener;
        (host, port.saturating_add(ahead(index)))
    }

    /// Lays out what an operator has beside three Envoys: a bootstrap for each, one configuration and the filter.
    ///
    /// # Errors
    /// Where a file can't be read or written.
    pub fn prepare(&self, envoy: &Path, etcd: &Path) -> io::Result<Vec<Part>> {
        fs::create_dir_all(&self.dir)?;
        // Of an earlier run: what etcd had stored.
        match fs::remove_dir_all(self.dir.join("etcd")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::copy(WASM, self.dir.join("bluegreen.wasm"))
            .map_err(|error| io::Error::other(format!("{WASM}: {}", said(&error))))?;
        let shipped = read(CONFIG)?;
        let config = CONFIG_EDITS.iter().try_fold(shipped, |text, edit| {
            let (find, replace) = edit;
            edited(CONFIG, &text, find, replace)
        })?;
        fs::write(self.dir.join("bluegreen.yaml"), config)?;
        let mut parts = vec![self.etcd(etcd)];
        for index in 0..ENVOYS {
            parts.push(self.envoy(envoy, index)?);
        }
        Ok(parts)
    }

    fn etcd_port(&self) -> u16 {
        self.listener(ENVOYS).1
    }

    fn etcd(&self, program: &Path) -> Part {
        let client = format!("http://127.0.0.1:{}", self.etcd_port());
        let peer = format!("http://127.0.0.1:{}", self.etcd_port().saturating_add(1));
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
            program: program.to_owned(),
            arguments: arguments.to_vec(),
            log: "etcd.log".to_owned(),
        }
    }

    fn envoy(&self, program: &Path, index: u16) -> io::Result<Part> {
        let node = format!("envoy-{}", index.saturating_add(1));
        let bootstrap = edited(
            BOOTSTRAP,
            &ports_moved(&read(BOOTSTRAP)?, ahead(index)),
            "node: { id: bluegreen,",
            &format!("node: {{ id: {node},"),
        )?;
        fs::write(self.dir.join(format!("{node}.yaml")), bootstrap)?;
        let cluster = edited(
            CLUSTER,
            &read(CLUSTER)?,
            "port_value: 2379 ",
            &format!("port_value: {} ", self.etcd_port()),
        )?;
        // What both files begin with stands there once.
        let clusters = cluster.lines().skip_while(|line| *line != "  clusters:");
        let clusters = clusters.collect::<Vec<_>>().join("\n");
        let upstreams = ports_moved(&read("envoy/upstreams.yaml")?, ahead(index));
        let arguments = [
            "--config-path",
            &format!("./{node}.yaml"),
            "--config-yaml",
            &format!("{upstreams}{clusters}\n"),
            "--concurrency",
            "1",
            "--disable-hot-restart",
        ];
        Ok(Part {
            log: format!("{node}.log"),
            name: node,
            program: program.to_owned(),
            arguments: arguments.map(str::to_owned).to_vec(),
        })
    }
}

fn ahead(index: u16) -> u16 {
    index.saturating_mul(PORTS_APART)
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

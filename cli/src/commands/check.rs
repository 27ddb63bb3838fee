//! `bluegreen check`.

use crate::checks::{capabilities, ramps, samples};
use crate::clock::{now_ms, parse_at};
use crate::envoy::admin::Admin;
use crate::envoy::dump::Dump;
use crate::envoy::in_force::InForce;
use crate::envoy::setup;
use crate::failure::{Exit, Failure, Report};
use crate::file::config_file::{ConfigFile, PlacedProblem, name_of, parse};
use crate::finding::{Finding, Severity};
use crate::json::tree::Tree;
use crate::source::place::Place;
use crate::table::count;
use bluegreen::Policy;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Says all that is wrong with a configuration.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file, or `-`
    pub file: PathBuf,
    /// Hold it against a running Envoy too: its clusters and its set-up
    #[arg(long, value_name = "URL")]
    pub admin: Vec<String>,
    /// Exit with 1 for warnings too
    #[arg(long)]
    pub strict: bool,
    /// As if it were this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = parse_at)]
    pub at: Option<u64>,
}

/// A finding, and where it is in the file.
#[derive(Debug)]
struct Placed {
    severity: Severity,
    problem: PlacedProblem,
}

/// Runs the command.
///
/// # Errors
/// Where the file can't be read, or an Envoy does not answer.
pub fn run(args: &Args) -> Result<Report, Failure> {
    let name = name_of(&args.file);
    let file = match ConfigFile::read(&args.file)? {
        Ok(file) => file,
        Err(error) => {
            let problem = PlacedProblem {
                place: error.place,
                path: String::new(),
                message: error.message,
            };
            return Ok(report(args, &name, None, &[Placed::error(problem)], &[]));
        }
    };
    let policy = match parse(&file.source) {
        Ok(policy) => policy,
        Err(problems) => {
            let findings: Vec<Placed> = problems.into_iter().map(Placed::error).collect();
            return Ok(report(args, &name, None, &findings, &[]));
        }
    };
    let mut findings = offline(&file, &policy, args.at.unwrap_or_else(now_ms));
    let mut envoys = Vec::new();
    for admin in Admin::all(&args.admin)? {
        let (found, envoy) = against(&admin, &file, &policy)?;
        findings.extend(found);
        envoys.push(envoy);
    }
    Ok(report(args, &name, Some(&policy), &findings, &envoys))
}

/// What can be told from the file alone.
fn offline(file: &ConfigFile, policy: &Policy, now_ms: u64) -> Vec<Placed> {
    let mut findings = samples::check(policy);
    let tree = Tree::parse(&file.source.json);
    if let Some(tree) = &tree {
        findings.extend(ramps::check(policy, tree, now_ms));
    }
    if let Some(plugin) = &file.source.plugin
        && let Some(allowed) = &plugin.capabilities
    {
        findings.extend(capabilities::check(policy, allowed, plugin.holds_headers));
    }
    let place = |finding| Placed::new(finding, file, tree.as_ref());
    findings.into_iter().map(place).collect()
}

/// What a running Envoy lacks, and whether it has this configuration in force.
fn against(
    admin: &Admin,
    file: &ConfigFile,
    policy: &Policy,
) -> Result<(Vec<Placed>, Value), Failure> {
    let clusters = setup::cluster_names(&admin.json("/clusters?format=json")?);
    let dump = Dump::new(admin.json("/config_dump")?);
    let in_force = InForce::ask(admin)?.samples.fingerprint();
    let mut findings = setup::check_clusters(policy, &clusters);
    let plugin = file.source.plugin.as_ref();
    let brings_plugin = plugin.is_some_and(|it| it.capabilities.is_some());
    findings.extend(setup::check(policy, &dump, !brings_plugin));
    let tree = Tree::parse(&file.source.json);
    let placed = findings.into_iter().map(|finding| {
        let message = format!("{}: {}", admin.url, finding.message);
        Placed::new(Finding { message, ..finding }, file, tree.as_ref())
    });
    let envoy = json!({
        "admin": admin.url,
        "fingerprint": in_force,
        "in_force": in_force == Some(policy.fingerprint),
    });
    Ok((placed.collect(), envoy))
}

fn report(
    args: &Args,
    name: &str,
    policy: Option<&Policy>,
    findings: &[Placed],
    envoys: &[Value],
) -> Report {
    let of = |severity| findings.iter().filter(|it| it.severity == severity).count();
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let mut text: String = findings.iter().map(|it| it.line(name) + "\n").collect();
    if let Some(policy) = policy {
        for envoy in envoys {
            let admin = envoy["admin"].as_str().unwrap_or_default();
            let state = match (&envoy["fingerprint"], envoy["in_force"].as_bool()) {
                (_, Some(true)) => "has this configuration in force".to_owned(),
                (Value::Null, _) => "does not show the filter's stats".to_owned(),
                (other, _) => format!("has another configuration in force, fingerprint {other}"),
            };
            text += &format!("{admin} {state}\n");
        }
        if errors == 0 {
            text += &format!("{name}: valid, {}\n", describe(policy));
        }
    }
    if errors + warnings > 0 {
        let (errors, warnings) = (count(errors, "error"), count(warnings, "warning"));
        text += &format!("{errors}, {warnings}\n");
    }
    let is_finding = errors > 0 || args.strict && warnings > 0;
    Report {
        text,
        json: json!({
            "file": name,
            "valid": policy.is_some(),
            "version": policy.and_then(|it| it.version.as_deref()),
            "fingerprint": policy.map(|it| it.fingerprint),
            "rollouts": policy.map(|it| it.rollouts.len()),
            "findings": findings.iter().map(Placed::json).collect::<Vec<_>>(),
            "envoys": envoys,
        }),
        exit: if is_finding {
            Exit::Finding
        } else {
            Exit::Fine
        },
    }
}

/// A configuration in a few words.
fn describe(policy: &Policy) -> String {
    let version = policy.version.as_ref();
    let version = version.map_or_else(String::new, |it| format!("version {it}, "));
    let rollouts = count(policy.rollouts.len(), "rollout");
    format!("{version}{rollouts}, fingerprint {}", policy.fingerprint)
}

// === impl Placed ===

impl Placed {
    const fn error(problem: PlacedProblem) -> Self {
        Self {
            severity: Severity::Error,
            problem,
        }
    }

    /// What concerns the whole is where the configuration begins.
    fn new(finding: Finding, file: &ConfigFile, tree: Option<&Tree>) -> Self {
        let offset = tree.map_or(0, |tree| tree.find(&finding.path, false));
        Self {
            severity: finding.severity,
            problem: PlacedProblem {
                place: Some(file.source.place(offset)),
                path: finding.path,
                message: finding.message,
            },
        }
    }

    fn line(&self, file: &str) -> String {
        let Self { severity, problem } = self;
        let problem = PlacedProblem {
            path: String::new(),
            message: match problem.path.as_str() {
                "" => format!("{}: {}", severity.as_str(), problem.message),
                path => format!("{}: {path}: {}", severity.as_str(), problem.message),
            },
            ..problem.clone()
        };
        problem.line(file)
    }

    fn json(&self) -> Value {
        let Self { severity, problem } = self;
        json!({
            "severity": severity,
            "line": problem.place.map(|Place { line, .. }| line),
            "column": problem.place.map(|Place { column, .. }| column),
            "path": problem.path,
            "message": problem.message,
        })
    }
}

//! `bluegreen`: see the library.

use bluegreen_cli::args::{Cli, Command};
use bluegreen_cli::commands::{
    check, completions, dashboard, diff, drift, explain, run, run_fleet, shift, stats, status,
    step, undo, watch,
};
use bluegreen_cli::failure::{Failure, Report};
use bluegreen_cli::output::Output;
use clap::{CommandFactory, Parser};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let report = obey(&cli.command, cli.output).unwrap_or_else(|failure| {
        eprintln!("bluegreen: {failure}");
        Report {
            text: String::new(),
            json: json!({ "error": failure.message }),
            exit: failure.exit,
        }
    });
    let printed = match cli.output {
        Output::Text => report.text,
        Output::Json => match report.json {
            Value::String(text) => text,
            json => format!("{json:#}\n"),
        },
    };
    // A reader that has gone away needs no more.
    let _ = io::stdout().write_all(printed.as_bytes());
    ExitCode::from(report.exit as u8)
}

fn obey(command: &Command, output: Output) -> Result<Report, Failure> {
    match command {
        Command::Check(args) => check::run(args),
        Command::Schema => {
            let schema = bluegreen::config_schema();
            Ok(Report::fine(schema.clone(), Value::String(schema)))
        }
        Command::Explain(args) => explain::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Shift(args) => shift::run(args),
        Command::Rollback(args) => step::rollback(args),
        Command::Promote(args) => step::promote(args),
        Command::Pause(args) => step::pause(args),
        Command::Resume(args) => step::resume(args),
        Command::Swap(args) => step::swap(args),
        Command::Undo(args) => undo::run(args),
        Command::Status(args) => status::run(args),
        Command::Watch(args) => watch::run(args, output),
        Command::Dashboard(args) => dashboard::run(args),
        Command::Drift(args) => drift::run(args),
        Command::Stats(args) => stats::run(args),
        Command::Run(args) => run::run(args),
        Command::RunFleet(args) => run_fleet::run(args),
        Command::Completions(args) => Ok(completions::run(args, Cli::command())),
        Command::Man => completions::man(Cli::command()),
    }
}

//! `bluegreen completions` and `bluegreen man`.

use crate::failure::{Failure, Report};
use clap::Command;
use clap_complete::Shell;
use serde_json::Value;

/// Prints the completions of a shell.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Runs `completions`.
pub fn run(args: &Args, mut command: Command) -> Report {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "bluegreen", &mut script);
    printed(script)
}

/// Runs `man`: one page, with the commands in sections of their own.
///
/// # Errors
/// None that memory does not have.
pub fn man(mut command: Command) -> Result<Report, Failure> {
    let mut page = Vec::new();
    command.build();
    let failed = |error: std::io::Error| Failure::finding(error.to_string());
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .map_err(failed)?;
    let mut visible: Vec<_> = command
        .get_subcommands()
        .filter(|it| !it.is_hide_set())
        .collect();
    visible.retain(|it| it.get_name() != "help");
    for subcommand in visible {
        let name = subcommand.get_name();
        page.extend(format!(".SH COMMAND {}\n", name.to_uppercase()).into_bytes());
        let man = clap_mangen::Man::new(subcommand.clone());
        man.render_synopsis_section(&mut page).map_err(failed)?;
        man.render_description_section(&mut page).map_err(failed)?;
        man.render_options_section(&mut page).map_err(failed)?;
    }
    Ok(printed(page))
}

/// Text that is its own form.
fn printed(text: Vec<u8>) -> Report {
    let text = String::from_utf8_lossy(&text).into_owned();
    Report::fine(text.clone(), Value::String(text))
}

//! `bluegreen explain`.

use crate::answer::Answer;
use crate::clock::{now_ms, parse_at};
use crate::failure::{Failure, Report};
use crate::file::config_file::ConfigFile;
use crate::request::OfflineRequest;
use crate::table::{Align, table};
use serde_json::Value;
use std::path::PathBuf;

/// Says who serves a request, and why.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file, or `-`
    pub file: PathBuf,
    /// The request's URL, such as http://api.example.com/v1/items?user=alice
    pub url: String,
    /// A header of the request, as for curl
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// At this time (RFC 3339); now where absent
    #[arg(long, value_name = "TIME", value_parser = parse_at)]
    pub at: Option<u64>,
    /// The client's address, for `source_ip`
    #[arg(long, value_name = "ADDRESS")]
    pub source_ip: Option<String>,
    /// A value of the dynamic metadata, for `metadata`: namespace/key=value
    #[arg(long, value_name = "PATH=VALUE")]
    pub metadata: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// Where the file has no valid configuration, or there can't be such a request.
pub fn run(args: &Args) -> Result<Report, Failure> {
    let policy = ConfigFile::open(&args.file)?.policy()?;
    let request = OfflineRequest::new(&args.url, &args.headers)
        .and_then(|it| {
            it.source_ip(args.source_ip.clone())
                .metadata(&args.metadata)
        })
        .map_err(Failure::usage)?;
    let answer = Answer::of(&policy, &request, args.at.unwrap_or_else(now_ms));
    let rows: Vec<Vec<String>> = answer
        .rows
        .iter()
        .map(|(name, value)| vec![(*name).to_owned(), value.clone()])
        .collect();
    let mut text = format!("{}\n", answer.sentence);
    if !rows.is_empty() {
        text += &format!("\n{}", table(&rows, |_| Align::Left));
    }
    for note in &answer.notes {
        text += &format!("\nnote: {note}\n");
    }
    let mut json = answer.json;
    json.insert("sentence".to_owned(), answer.sentence.into());
    json.insert("notes".to_owned(), answer.notes.into());
    Ok(Report::fine(text, Value::Object(json)))
}

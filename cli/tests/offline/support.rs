//! Files to work on, and the program run on them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// How the program ended, and what it printed.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// What `--output json` printed.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A directory with the file `bluegreen.yaml`.
#[derive(Debug)]
pub struct Place {
    dir: TempDir,
}

impl Place {
    pub fn new(text: &str) -> Self {
        let place = Self {
            dir: tempfile::tempdir().expect("a directory"),
        };
        fs::write(place.file(), text).expect("a file");
        place
    }

    /// With the plugin's JSON in the file that ships.
    pub fn ecds(json: &str) -> Self {
        Self::new(&ecds(json))
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn file(&self) -> PathBuf {
        self.dir.path().join("bluegreen.yaml")
    }

    pub fn text(&self) -> String {
        fs::read_to_string(self.file()).expect("the file")
    }

    /// Runs the program in this directory.
    pub fn run(&self, args: &[&str]) -> Run {
        run_in(self.dir.path(), args, "")
    }
}

/// Runs the program, with a text as standard input.
pub fn run_in(dir: &Path, args: &[&str], input: &str) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bluegreen"))
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut stdin = child.stdin.take().expect("standard input");
    // It may end without reading it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("its end");
    Run {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A file of the repository.
pub fn shipped(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The shipped ECDS file around another configuration.
pub fn ecds(json: &str) -> String {
    let shipped = shipped("envoy/bluegreen.yaml");
    let key = "        value: |\n";
    let end = shipped.find(key).expect("the configuration") + key.len();
    let lines = json.lines().map(|line| format!("          {line}\n"));
    shipped[..end].to_owned() + &lines.collect::<String>()
}

/// A rollout `demo` with these further fields, each on a line of its own.
pub fn demo(fields: &[&str]) -> String {
    let fields: String = fields
        .iter()
        .map(|field| format!(",\n      {field}"))
        .collect();
    format!(
        "{{\n  \"rollouts\": [\n    {{\n      \"name\": \"demo\",\n      \"clusters\": {{ \"blue\": \"blue\", \
         \"green\": \"green\" }},\n      \"weights\": {{ \"blue\": 90, \"green\": 10 }},\n      \"sticky\": \
         [ {{ \"header\": \"x-user-id\" }} ]{fields}\n    }}\n  ]\n}}\n"
    )
}

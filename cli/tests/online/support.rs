//! A real Envoy, and the program run on it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use testbed::TestEnv;
use tokio::process::Command;

/// How the program ended, and what it printed.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs the program in a directory.
pub async fn run_in(dir: &Path, args: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_bluegreen"))
        .args(args)
        .current_dir(dir)
        .output()
        .await
        .expect("the program");
    Run {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Runs the program where Envoy's files are, with Envoy's admin address behind the arguments.
pub async fn run(env: &TestEnv, args: &[&str]) -> Run {
    let admin = admin(env);
    run_in(env.envoy.dir(), &[args, &["--admin", &admin]].concat()).await
}

/// Envoy's admin address.
pub fn admin(env: &TestEnv) -> String {
    let address = fs::read_to_string(env.envoy.dir().join("admin.txt")).expect("the address");
    format!("http://{}", address.trim())
}

/// A rollout `demo` with these further fields.
pub fn demo(green: u32, fields: Value) -> Value {
    let mut rollout = json!({
        "name": "demo",
        "clusters": { "blue": "blue", "green": "green" },
        "weights": { "blue": 100 - green, "green": green },
        "sticky": [{ "header": "x-user-id" }],
    });
    let more = fields.as_object().expect("fields").clone();
    rollout.as_object_mut().expect("fields").extend(more);
    json!({ "rollouts": [rollout] })
}

//! What a process has used, as Linux tells.

use std::fs;
use std::time::Duration;

/// Clock ticks in a second, on every Linux there is.
const TICKS: u64 = 100;

/// Time that a process has spent on processors.
pub fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    // What comes after its name, which may be anything in parentheses.
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<u64>().expect("ticks");
    Duration::from_millis((ticks(11) + ticks(12)) * 1_000 / TICKS)
}

/// Memory that a process has in use, in MiB.
pub fn memory_mib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("VmRSS") / 1_024
}

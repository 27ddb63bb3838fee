//! Jobs on all cores, with progress shown.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does all jobs and gives their results in the jobs' order.
pub fn map<J: Sync, R: Send>(what: &str, jobs: &[J], work: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<R>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((index, job)) = next_job(&next, jobs) {
                    let result = work(job);
                    results.lock().unwrap()[index] = Some(result);
                    show(what, done.fetch_add(1, Ordering::Relaxed) + 1, jobs.len());
                }
            });
        }
    });
    results
        .into_inner()
        .unwrap()
        .into_iter()
        .flatten()
        .collect()
}

fn next_job<'a, J>(next: &AtomicUsize, jobs: &'a [J]) -> Option<(usize, &'a J)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    jobs.get(index).map(|job| (index, job))
}

/// On a terminal one line that changes, otherwise a line for each tenth.
fn show(what: &str, done: usize, all: usize) {
    let mut out = std::io::stderr();
    let percent = done * 100 / all;
    if out.is_terminal() {
        let end = if done == all { "\n" } else { "" };
        let _ = write!(out, "\r{what}: {percent} %{end}");
    } else if percent / 10 != (done - 1) * 100 / all / 10 {
        let _ = writeln!(out, "{what}: {percent} %");
    }
}

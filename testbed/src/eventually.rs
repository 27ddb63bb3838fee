//! Waiting for a condition.

use std::time::{Duration, Instant};

/// How long to wait for things that normally take milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(15);

const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Tries until `attempt` is `Ok`. Its `Err` says what is seen instead, for the panic on time-out.
pub async fn eventually<T, F>(what: &str, timeout: Duration, mut attempt: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, String>>,
{
    let start = Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(last) if start.elapsed() > timeout => {
                panic!("{what}: not within {timeout:?}; last seen: {last}")
            }
            Err(_) => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
}

//! Streams that end in every way, and what is to be counted of them.

use testbed::{Client, PATIENCE, Request, TestEnv, eventually, get};

use crate::common::{COLORS, both, user_of, wait_for_count};

/// One way for a stream to end.
struct Case {
    /// Headers that ask the upstream, or Envoy, for this end.
    asks: &'static [(&'static str, &'static str)],
    stays: Stays,
    /// What `code_class` it counts in.
    class: &'static str,
    counts: Counts,
}

/// How long the client stays.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stays {
    ToTheEnd,
    UntilTheResponse,
    UntilTheBody,
}

/// What it is to the guard.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Counts {
    Served,
    Failed,
    NotAtAll,
}

/// Until the route gives up, asked of Envoy by a header, since the route's own timeout is long.
const TIMEOUT: (&str, &str) = ("x-envoy-upstream-rq-timeout-ms", "1000");
const NO_BODY: (&str, &str) = ("x-test-chunks", "0");
const HANG: (&str, &str) = ("x-test-hang", "1");
const STALL: (&str, &str) = ("x-test-stall", "body");

const CASES: [Case; 13] = [
    case(&[], "2xx", Counts::Served),
    case(&[("x-test-status", "204"), NO_BODY], "2xx", Counts::Served),
    case(&[("x-test-status", "301")], "3xx", Counts::Served),
    case(&[("x-test-status", "404")], "4xx", Counts::Served),
    case(&[("x-test-status", "429")], "4xx", Counts::Served),
    case(&[("x-test-status", "500")], "5xx", Counts::Failed),
    case(&[("x-test-status", "503")], "5xx", Counts::Failed),
    case(&[("x-test-close", "before")], "5xx", Counts::Failed),
    case(&[("x-test-close", "middle")], "2xx", Counts::Failed),
    case(&[HANG, TIMEOUT], "5xx", Counts::Failed),
    case(&[STALL, TIMEOUT], "2xx", Counts::Failed),
    left(&[HANG], Stays::UntilTheResponse, "none"),
    left(&[STALL], Stays::UntilTheBody, "2xx"),
];

const fn case(
    asks: &'static [(&'static str, &'static str)],
    class: &'static str,
    counts: Counts,
) -> Case {
    Case {
        asks,
        stays: Stays::ToTheEnd,
        class,
        counts,
    }
}

const fn left(
    asks: &'static [(&'static str, &'static str)],
    stays: Stays,
    class: &'static str,
) -> Case {
    Case {
        asks,
        stays,
        class,
        counts: Counts::NotAtAll,
    }
}

// === impl Case ===

impl Case {
    fn is_plain(&self) -> bool {
        self.class == "2xx" && self.counts == Counts::Served
    }

    /// Sends it at a path that nothing else has.
    async fn send(&self, env: &TestEnv, client: &Client, user: &str, path: &str) {
        let request = get(path).header("x-user-id", user);
        let ask = |request: Request, (name, value): &(&str, &str)| request.header(name, value);
        let request = self.asks.iter().fold(request, ask);
        match self.stays {
            Stays::ToTheEnd => {
                let response = client.send(request).await;
                let class = format!("{}xx", response.status / 100);
                let is_cut = self.class == "2xx" && self.counts == Counts::Failed;
                assert_eq!(
                    (class.as_str(), response.cut),
                    (self.class, is_cut && client.sees_cuts()),
                    "{:?}",
                    self.asks
                );
            }
            Stays::UntilTheResponse => {
                client
                    .leave_before_response(request, arrived(env, path))
                    .await;
            }
            Stays::UntilTheBody => client.leave_in_body(request).await,
        }
    }
}

/// Waits until an upstream has a request for this path.
pub async fn arrived(env: &TestEnv, path: &str) {
    let seen = || async {
        match env.blue.count_path(path) + env.green.count_path(path) {
            0 => Err("none".to_owned()),
            _ => Ok(()),
        }
    };
    eventually(&format!("a request for {path}"), PATIENCE, seen).await;
}

/// Sends every case to both colors over both protocols, which go on side by side.
pub async fn run(env: &TestEnv) {
    let [http1, http2] = both(env);
    tokio::join!(
        run_for(env, &http1, "http1", "blue"),
        run_for(env, &http1, "http1", "green"),
        run_for(env, &http2, "http2", "blue"),
        run_for(env, &http2, "http2", "green"),
    );
}

async fn run_for(env: &TestEnv, client: &Client, protocol: &str, color: &str) {
    let user = user_of(color);
    for (index, case) in CASES.iter().enumerate() {
        let path = format!("/{protocol}/{color}/{index}");
        case.send(env, client, &user, &path).await;
    }
}

/// Each color gets a case once by each protocol.
const TIMES: u64 = 2;

fn count(is_meant: impl Fn(&Case) -> bool) -> u64 {
    CASES.iter().filter(|case| is_meant(case)).count() as u64 * TIMES
}

/// Streams of the workload that Envoy's access log has to signal.
pub fn suspects() -> u64 {
    count(|case| !case.is_plain()) * COLORS.len() as u64
}

/// Waits until just the workload is counted for `demo`, as the guard sees it.
pub async fn wait_for_verdicts(env: &TestEnv) {
    let finished = count(|case| case.counts != Counts::NotAtAll);
    let failed = count(|case| case.counts == Counts::Failed);
    for color in COLORS {
        let color = [("color", color)];
        wait_for_count(env, "bluegreen_guard_finished_total", &color, finished).await;
        wait_for_count(env, "bluegreen_failures_total", &color, failed).await;
    }
}

/// Waits until just the workload is counted for `demo`, in a profile that shows streams.
pub async fn wait_for_streams(env: &TestEnv) {
    let (all, answered) = (count(|_| true), count(|case| case.class != "none"));
    for color in COLORS {
        let of_color = ("color", color);
        for class in ["1xx", "2xx", "3xx", "4xx", "5xx", "none"] {
            let labels = [of_color, ("code_class", class)];
            let of_class = count(|case| case.class == class);
            wait_for_count(env, "bluegreen_responses_total", &labels, of_class).await;
        }
        for (name, streams) in [
            ("bluegreen_in_flight", 0),
            ("bluegreen_request_duration_ms_count", all),
            ("bluegreen_response_start_ms_count", answered),
        ] {
            wait_for_count(env, name, &[of_color], streams).await;
        }
    }
}

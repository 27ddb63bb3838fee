//! The credentials of this proxy for etcd.

use serde::{Deserialize, Serialize};

/// The token that etcd gave, and when to ask for another.
#[derive(Debug, Default)]
pub struct Credentials {
    token: Option<String>,
    /// Not before this time.
    next_ms: u64,
    refusals: u32,
}

#[derive(Serialize)]
struct Login<'a> {
    name: &'a str,
    password: &'a str,
}

#[derive(Deserialize)]
struct LoggedIn {
    token: String,
}

// === impl Credentials ===

impl Credentials {
    const MIN_PAUSE_MS: u64 = 500;
    const MAX_PAUSE_MS: u64 = 10_000;
    const MAX_DOUBLINGS: u32 = 6;

    /// The token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether it is time to ask for a token.
    pub fn is_due(&self, now_ms: u64) -> bool {
        now_ms >= self.next_ms
    }

    /// The body of the request for a token.
    pub fn login(user: &str, password: &str) -> Vec<u8> {
        let login = Login {
            name: user,
            password,
        };
        serde_json::to_vec(&login).unwrap_or_default()
    }

    /// Takes the answer. Says whether there is a token.
    pub fn take(&mut self, body: &[u8]) -> bool {
        let login: Option<LoggedIn> = serde_json::from_slice(body).ok();
        // It becomes the value of a header.
        let is_visible = |token: &str| token.bytes().all(|byte| byte.is_ascii_graphic());
        let token = login.map(|it| it.token).filter(|it| is_visible(it));
        self.token = token.filter(|it| !it.is_empty());
        self.token.is_some()
    }

    /// An exchange went well.
    pub fn succeeded(&mut self) {
        self.refusals = 0;
    }

    /// etcd may have rejected the token: another one is asked for, at once the first time, then after longer and longer
    /// pauses, each between half and all of it by `random`: the whole fleet asks, and a login is expensive for etcd.
    pub fn invalidate_token(&mut self, now_ms: u64, random: u64) {
        self.token = None;
        let doublings = self.refusals.min(Self::MAX_DOUBLINGS);
        let pause_ms = Self::MIN_PAUSE_MS << doublings;
        let pause_ms = pause_ms.min(Self::MAX_PAUSE_MS);
        let half_ms = pause_ms / 2;
        let jitter_ms = random.checked_rem(half_ms).unwrap_or(0);
        self.next_ms = now_ms.saturating_add(half_ms).saturating_add(jitter_ms);
        self.refusals = self.refusals.saturating_add(1);
    }
}

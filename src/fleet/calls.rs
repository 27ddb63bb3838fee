//! The calls to etcd, one at a time: when to make one, and which is under way.

use crate::fleet::call::{Call, PendingOp};
use crate::fleet::credentials::Credentials;
use crate::fleet::etcd::Txn;
use crate::fleet::request::FleetRequest;

/// The calls to etcd.
#[derive(Debug, Default)]
pub struct Calls {
    /// Who this proxy is to etcd.
    pub credentials: Credentials,
    /// Whether something waits for the next call.
    pub is_urgent: bool,
    interval_ms: u64,
    under_way: Option<Call>,
    due_ms: u64,
    last_ms: Option<u64>,
}

// === impl Calls ===

impl Calls {
    /// Calls ahead of the interval come no faster than this.
    const MIN_PAUSE_MS: u64 = 190;

    /// Calls at such an interval, the first of them now.
    pub fn starting(interval_ms: u64, now_ms: u64) -> Self {
        Self {
            interval_ms,
            due_ms: now_ms,
            ..Self::default()
        }
    }

    /// How often to call.
    pub const fn interval_ms(&self) -> u64 {
        self.interval_ms
    }

    /// The call that is under way.
    pub const fn under_way(&self) -> Option<&Call> {
        self.under_way.as_ref()
    }

    /// Whether it is time to call. Calls come early where clients wait or there is something to publish, and etcd
    /// answers, but no faster than the shortest pause: the whole fleet may call at once.
    pub fn is_due(
        &self,
        is_connected: bool,
        is_awaited: bool,
        has_unpublished: bool,
        now_ms: u64,
    ) -> bool {
        let since_last_ms = now_ms.saturating_sub(self.last_ms.unwrap_or(0));
        if self.last_ms.is_some() && since_last_ms < Self::MIN_PAUSE_MS {
            return false;
        }
        let pause_ms = (self.interval_ms / 4).clamp(Self::MIN_PAUSE_MS, 1_000);
        let is_early =
            self.is_urgent || has_unpublished || (is_awaited && since_last_ms >= pause_ms);
        now_ms >= self.due_ms || (is_early && is_connected)
    }

    /// Starts a login.
    pub fn start_login(&mut self, user: &str, password: &str, now_ms: u64) -> FleetRequest {
        let body = Credentials::login(user, password);
        self.call("/v3/auth/authenticate", body, None, Vec::new(), now_ms)
    }

    /// Starts a transaction. `heartbeats` are the last ones of the VMs whose counts it contains.
    pub fn start_transaction(
        &mut self,
        txn: &Txn,
        pending: Vec<PendingOp>,
        heartbeats: Vec<(u32, u64)>,
        now_ms: u64,
    ) -> FleetRequest {
        self.call(
            "/v3/kv/txn",
            txn.to_json(),
            Some(pending),
            heartbeats,
            now_ms,
        )
    }

    fn call(
        &mut self,
        path: &'static str,
        body: Vec<u8>,
        pending: Option<Vec<PendingOp>>,
        heartbeats: Vec<(u32, u64)>,
        now_ms: u64,
    ) -> FleetRequest {
        let timeout_ms = self.interval_ms.clamp(500, 1_000);
        self.last_ms = Some(now_ms);
        self.under_way = Some(Call {
            token: None,
            since_ms: now_ms,
            timeout_ms,
            pending,
            heartbeats,
        });
        FleetRequest {
            path,
            authorization: self.credentials.token().map(str::to_owned),
            body,
            timeout_ms,
        }
    }

    /// Envoy has taken the call and given it a number.
    pub fn sent(&mut self, token: u32) {
        if let Some(call) = &mut self.under_way {
            call.token = Some(token);
        }
    }

    /// Ends the call that is under way.
    pub fn end(&mut self) -> Option<Call> {
        self.under_way.take()
    }

    /// The next call is an interval after the last, less up to a tenth of it.
    pub fn schedule(&mut self, now_ms: u64, random: u64) {
        let jitter_ms = random.checked_rem((self.interval_ms / 10).max(1));
        let since_ms = self.last_ms.unwrap_or(now_ms);
        self.due_ms = since_ms
            .saturating_add(self.interval_ms)
            .saturating_sub(jitter_ms.unwrap_or(0));
    }

    /// The next call is due, however soon after the last.
    pub fn schedule_at_once(&mut self, now_ms: u64) {
        self.due_ms = now_ms;
        self.last_ms = None;
    }
}

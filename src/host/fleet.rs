//! The exchange with the fleet: calls out, answers in, and what waits for them.

use super::active::Active;
use super::clock;
use super::feedback::answered;
use super::fleet_link::{FleetLink, can_call};
use super::held_request::HeldRequest;
use super::phase::Phase;
use super::proxy_wasm::calls;
use super::storing_feedback::StoringFeedback;
use crate::fleet::exchange::{Environment, shared};
use crate::fleet::request::FleetRequest;
use crate::fleet::shared::FleetShared;
use crate::policy::feedback_endpoint::FeedbackError;
use crate::policy::figures::Now;
use crate::policy::fleet_settings::FleetSettings;
use crate::policy::rollout::Rollout;
use crate::policy::shared_store::HostStatus;
use crate::request::client_request::Request;
use log::{error, info, warn};
use std::rc::Rc;
use std::time::Duration;
use xxhash_rust::xxh64::xxh64;

// === impl Active ===

impl Active {
    /// What the VMs share of the exchange, where something waits for it.
    pub fn shared(&self, fleet: &FleetLink) -> Option<FleetShared> {
        let shared = |peers: &mut _| shared(peers).ok();
        fleet
            .waits()
            .then(|| self.serving.plugin.with_peers(shared))?
    }

    /// Makes the call that is due, and answers the requests that wait for it.
    pub fn exchange_with_fleet(&self, shared: Option<&FleetShared>, is_well: bool, now: Now) {
        let (Some(fleet), Some(settings)) = (&self.fleet, &self.serving.policy.fleet) else {
            self.serving.plugin.exchange.borrow_mut().stop();
            return;
        };
        if is_well {
            let leads = self.worker().leads();
            if leads {
                self.exchange(fleet, settings, now);
            } else if self.worker().is_in_force() {
                self.serving.plugin.exchange.borrow_mut().stop();
            }
        }
        if fleet.holds() {
            fleet.learn(shared, now.steady_ms);
            if !fleet.holds() {
                self.release_all(fleet);
            }
        }
        self.answer_stored(fleet, shared, now.steady_ms);
    }

    fn exchange(&self, fleet: &FleetLink, settings: &FleetSettings, now: Now) {
        let environment = Environment {
            name: &fleet.name,
            password: fleet.password.as_deref(),
            random: random(fleet),
        };
        let mut exchange = self.serving.plugin.exchange.borrow_mut();
        let result = self.serving.plugin.with_peers(|peers| {
            let worker = self.worker();
            let request = exchange.tick(
                &self.serving.policy,
                settings,
                &worker,
                peers,
                now,
                environment,
            )?;
            if let Some(request) = request {
                let taken = send(fleet, settings, &request);
                exchange.sent(taken, peers, now, environment.random);
            }
            Ok(())
        });
        drop(exchange);
        self.report(fleet, result);
    }

    /// The answer to a call has come.
    pub fn receive_call(&self, token: u32) {
        let Some(fleet) = &self.fleet else { return };
        if !self.serving.plugin.exchange.borrow().awaits(token) {
            return;
        }
        let (status, body) = calls::call_response();
        let now = clock::now();
        let result = self.serving.plugin.with_peers(|peers| {
            let mut exchange = self.serving.plugin.exchange.borrow_mut();
            exchange.receive((status, &body), peers, now, random(fleet))
        });
        self.report(fleet, result);
        if fleet.waits() {
            self.tick();
        }
    }

    fn report(&self, fleet: &FleetLink, result: Result<(), HostStatus>) {
        if let Err(status) = result {
            error!("fleet: {status}");
        }
        let mut exchange = self.serving.plugin.exchange.borrow_mut();
        if let Some(metrics) = fleet.metrics(&self.serving.plugin) {
            metrics.show(exchange.is_connected(), exchange.proxies());
            metrics.errors.add(exchange.take_errors());
        }
        for event in exchange.take_events() {
            if event.is_trouble() {
                warn!("{event}");
            } else {
                info!("{event}");
            }
        }
    }

    /// Holds a request back until it is known what the fleet has decided. Should Envoy pass it on all the same, it goes
    /// to the stable color.
    pub fn hold(
        &self,
        rollout: &Rollout,
        request: &Request<'_>,
        context: u32,
        is_complete: bool,
    ) -> Result<Phase, HostStatus> {
        self.set_color(rollout, request, rollout.stable)?;
        let held = Rc::new(HeldRequest::new(context, is_complete));
        if let Some(fleet) = &self.fleet {
            fleet.held.borrow_mut().push(Rc::downgrade(&held));
        }
        Ok(Phase::Held(held))
    }

    fn release_all(&self, fleet: &FleetLink) {
        let held = fleet.held.take();
        for request in held.iter().filter_map(std::rc::Weak::upgrade) {
            if let Err(status) = self.release(&request) {
                error!("a request that was held back passes undecided: {status}");
            }
        }
    }

    fn release(&self, request: &HeldRequest<Phase>) -> Result<(), HostStatus> {
        calls::set_effective_context(request.context)?;
        let phase = self.receive(request.context, request.is_complete());
        request.settle(phase.unwrap_or(Phase::Passing));
        calls::continue_request()
    }

    /// Feedback that was counted just now is answered once the fleet's store has it.
    pub fn store_first(&self, fleet: &FleetLink, context: u32) -> Rc<StoringFeedback> {
        let heartbeat = self
            .serving
            .plugin
            .with_peers(|peers| peers.member.next_heartbeat());
        let storing = Rc::new(StoringFeedback {
            context,
            heartbeat,
            since_ms: clock::steady_ns() / 1_000_000,
        });
        fleet.storing.borrow_mut().push(Rc::downgrade(&storing));
        self.serving.plugin.set_awaited(true);
        storing
    }

    fn answer_stored(&self, fleet: &FleetLink, shared: Option<&FleetShared>, now_ms: u64) {
        let storing = fleet.storing.take();
        if storing.is_empty() {
            self.serving.plugin.set_awaited(false);
            return;
        }
        let vm = self.serving.plugin.with_peers(|peers| peers.member.id());
        for weak in storing {
            let Some(feedback) = weak.upgrade() else {
                continue;
            };
            let is_stored = vm.zip(shared);
            let is_stored = is_stored.is_some_and(|(vm, it)| it.has_stored(vm, feedback.heartbeat));
            if !is_stored && !feedback.is_overdue(now_ms) {
                fleet.storing.borrow_mut().push(weak);
            } else if let Err(status) = calls::set_effective_context(feedback.context) {
                error!("feedback is not answered: {status}");
            } else if is_stored {
                answered(Ok(()));
            } else {
                answered(Err(FeedbackError::NotStored));
            }
        }
    }
}

fn send(
    fleet: &FleetLink,
    settings: &FleetSettings,
    request: &FleetRequest,
) -> Result<u32, &'static str> {
    if !can_call(fleet.root) {
        return Err("proxy_set_effective_context is not allowed");
    }
    let cluster = settings.cluster.as_str();
    let mut headers = vec![
        (":method", "POST"),
        (":path", request.path),
        (":authority", cluster),
        ("content-type", "application/json"),
    ];
    if let Some(token) = &request.authorization {
        headers.push(("authorization", token));
    }
    let timeout = Duration::from_millis(request.timeout_ms);
    calls::call(cluster, headers, &request.body, timeout).map_err(
        |_| "Envoy refuses the call: is proxy_http_call allowed, and is there still the cluster?",
    )
}

/// Another number at each time, and on each proxy.
fn random(fleet: &FleetLink) -> u64 {
    xxh64(fleet.name.as_bytes(), clock::steady_ns() ^ clock::wall_ms())
}

//! Feedback: it is read, counted and answered here, and reaches no upstream.

use super::active::Active;
use super::clock;
use super::feedback_request::FeedbackRequest;
use super::phase::Phase;
use super::proxy_wasm::calls;
use crate::policy::feedback_endpoint::{FeedbackEndpoint, FeedbackError, Missing};
use crate::policy::feedback_start::FeedbackStart;
use crate::policy::feedback_wait::{Arrived, FeedbackWait};
use crate::policy::report::Report;
use crate::policy::shared_store::HostStatus;
use crate::request::headers::Headers;
use log::error;
use std::rc::Rc;

/// No cluster has this name. Feedback is routed to it, so that it reaches no upstream where Envoy is
/// not allowed to give the filter its body.
const NO_CLUSTER: &str = "feedback-needs-capability-proxy_on_request_body";

// === impl Active ===

impl Active {
    /// Answers feedback whose headers have come, or waits for its body. `context` is Envoy's number of its stream.
    pub fn receive_feedback(
        &self,
        endpoint: &FeedbackEndpoint,
        headers: &Headers<'_>,
        context: u32,
        is_complete: bool,
    ) -> Result<Phase, HostStatus> {
        let query = match FeedbackStart::read(endpoint, &self.serving.policy, headers, is_complete)
        {
            Err(refusal) => return Ok(answered(Err(refusal))),
            Ok(FeedbackStart::Whole(report)) => return Ok(self.take(vec![report], context)),
            Ok(FeedbackStart::WholeUnlessBody(report)) => Some(report),
            Ok(FeedbackStart::InBody) => None,
        };
        let can_answer_later = calls::set_effective_context(context).is_ok();
        match query {
            Some(report) if !can_answer_later => return Ok(self.take(vec![report], context)),
            None if !can_answer_later && self.feedback_bodies.is_missed() => {
                return Ok(answered(Err(FeedbackError::Unread(Missing::Unknown))));
            }
            _ => {}
        }
        self.route_to_no_cluster()?;
        let wait = FeedbackWait::new(query, clock::steady_ns(), request_bytes().unwrap_or(0));
        let request = Rc::new(FeedbackRequest::new(context, wait));
        self.waiting_feedback
            .borrow_mut()
            .push(Rc::downgrade(&request));
        Ok(Phase::Feedback(request))
    }

    /// Sees to it that the request at hand reaches no upstream, should Envoy pass it on: its cluster does not exist,
    /// and where routes go by the color header, none takes a request without a path.
    fn route_to_no_cluster(&self) -> Result<(), HostStatus> {
        if self.serving.policy.has_rollout_without_clusters() {
            calls::remove_request_header(":path")?;
        }
        calls::set_request_header(self.serving.policy.route_header.as_str(), NO_CLUSTER)
    }

    /// The access log shows feedback as it came.
    fn restore_path(&self) {
        if let (Some(endpoint), true) = (
            &self.serving.policy.feedback,
            self.serving.policy.has_rollout_without_clusters(),
        ) {
            let _ = calls::set_request_header(":path", &endpoint.path);
        }
    }

    /// Takes a part of the body of feedback: so many bytes are there.
    pub fn receive_feedback_body(
        &self,
        request: &FeedbackRequest<Phase>,
        bytes: usize,
        is_last: bool,
    ) -> Option<Phase> {
        self.feedback_bodies.come();
        request.begin();
        let refusal = request.wait.part(bytes).err();
        if refusal.is_none() && !is_last {
            return None;
        }
        self.restore_path();
        if let Some(refusal) = refusal {
            return Some(answered(Err(refusal)));
        }
        if let Some(report) = request.wait.query() {
            return Some(self.take(vec![report], request.context));
        }
        let body = calls::request_body().unwrap_or_default();
        Some(match Report::read(&body, &self.serving.policy) {
            Ok(reports) => self.take(reports, request.context),
            Err(refusal) => answered(Err(refusal)),
        })
    }

    /// Envoy has answered feedback itself, since nothing held it back: the filter may not read its body.
    pub fn feedback_passed_on(&self, request: &FeedbackRequest<Phase>) -> Option<Phase> {
        let details = calls::property(b"response\0code_details");
        let led_nowhere: [&[u8]; 2] = [b"cluster_not_found", b"route_not_found"];
        if !details.is_some_and(|details| led_nowhere.contains(&details.as_slice())) {
            return None;
        }
        let report = request
            .wait
            .passed_on(self.arrived(request_bytes(), request.has_begun()));
        Some(self.take_or_refuse(report, request.context))
    }

    /// Answers feedback whose body does not come.
    pub fn answer_overdue_feedback(&self) {
        let waiting = self.waiting_feedback.take();
        if waiting.is_empty() {
            return;
        }
        let now_ns = clock::steady_ns();
        for weak in waiting {
            let request = weak.upgrade().filter(|request| !request.has_begun());
            let Some(request) = request else { continue };
            let can_answer = calls::set_effective_context(request.context).is_ok();
            let bytes = can_answer.then(request_bytes).flatten();
            match request.wait.overdue(now_ns, self.arrived(bytes, false)) {
                None => self.waiting_feedback.borrow_mut().push(weak),
                Some(report) if can_answer => {
                    self.restore_path();
                    let phase = self.take_or_refuse(report, request.context);
                    request.settle(phase);
                }
                Some(_) => self.feedback_bodies.miss(|| {
                    error!(
                        "feedback is not answered, since its body does not come: set allow_on_headers_stop_iteration, \
                         and allow proxy_set_effective_context"
                    );
                }),
            }
        }
    }

    /// What has come to Envoy, as so many bytes, and to the filter.
    fn arrived(&self, bytes: Option<u64>, is_handed_over: bool) -> Arrived {
        Arrived {
            bytes,
            is_handed_over,
            is_set_up: self.feedback_bodies.has_come(),
        }
    }

    fn take_or_refuse(&self, report: Result<Report, FeedbackError>, context: u32) -> Phase {
        match report {
            Ok(report) => self.take(vec![report], context),
            Err(refusal) => {
                if let FeedbackError::Unread(_) = refusal {
                    self.feedback_bodies.miss(|| error!("feedback: {refusal}"));
                }
                answered(Err(refusal))
            }
        }
    }

    /// Counts feedback, and answers it: at once where nothing else has to store it.
    fn take(&self, reports: Vec<Report>, context: u32) -> Phase {
        self.count(reports);
        match &self.fleet {
            Some(fleet) => Phase::Storing(self.store_first(fleet, context)),
            None => answered(Ok(())),
        }
    }
}

/// Answers feedback: 204 where it is taken.
pub fn answered(taken: Result<(), FeedbackError>) -> Phase {
    let json = ("content-type", "application/json");
    let sent = match taken {
        Ok(()) => calls::respond(204, &[], &[]),
        Err(refusal) => {
            let headers: &[_] = match refusal {
                FeedbackError::Method => &[json, ("allow", "POST")],
                _ => &[json],
            };
            calls::respond(refusal.status(), headers, &refusal.to_json())
        }
    };
    if let Err(status) = sent {
        error!("feedback is not answered: {status}");
    }
    Phase::Answered
}

/// The bytes of the request at hand, as far as they have come to Envoy.
fn request_bytes() -> Option<u64> {
    calls::int_property(b"request\0total_size")
}

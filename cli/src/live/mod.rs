//! How rollouts go, live: what Envoys show, second by second, in; what `watch` and `dashboard` show out. Nothing in here
//! asks an Envoy or a clock.

pub mod envoy;
pub mod event;
pub mod figures;
pub mod histogram;
pub mod history;
pub mod judged;
pub mod model;
pub mod rollout;
pub mod schedule;
pub mod scores;
pub mod scrape;
pub mod shadow;
pub mod view;

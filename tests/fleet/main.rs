//! Several Envoys with one configuration on a real etcd: what they share, and what becomes of them where etcd dies,
//! hangs, forgets or lies. Run by `make test-fleet`.

#[path = "../clock/stepped.rs"]
mod clock;
mod delays;
mod deploy;
mod faults;
mod fleet;
mod identity;
mod outcomes;
mod setup;
mod slow;
mod verdicts;

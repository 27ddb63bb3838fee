//! Several Envoys with one configuration on a real etcd: what they share, and what becomes of them where etcd dies,
//! hangs, forgets or lies. Run by `make test-fleet`.

mod deploy;
mod setup;

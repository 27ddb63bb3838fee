//! What tests ask of Envoy's workers and their VMs.

use crate::client::Client;
use crate::eventually::{PATIENCE, eventually};
use crate::request::Request;
use crate::test_env::TestEnv;

impl TestEnv {
    /// Connections that each worker took.
    pub async fn connections_per_worker(&self) -> Vec<u64> {
        let filter = "^listener[.].*[.]worker_[0-9]+[.]downstream_cx_total$";
        let path = format!("/stats?filter={filter}");
        let stats = self.envoy.admin_get(&path).await;
        let count = |line: &str| line.rsplit_once(": ")?.1.parse().ok();
        stats.lines().filter_map(count).collect()
    }

    /// Otherwise a test has shown nothing about more than one worker.
    pub async fn assert_all_workers_took_connections(&self) {
        let taken = self.connections_per_worker().await;
        assert!(taken.len() == 2 && !taken.contains(&0), "{taken:?}");
    }

    /// One client for each of the two workers, over a connection that it keeps. Says as well how often they
    /// and others have sent the request for that.
    pub async fn client_per_worker(&self, request: &Request) -> ([Client; 2], u64) {
        let mut clients = [None, None];
        for sent in 1..=100 {
            let before = self.connections_per_worker().await;
            let client = self.http2();
            client.send(request.clone()).await;
            let after = self.connections_per_worker().await;
            let worker = (0..2).find(|&worker| after[worker] > before[worker]);
            clients[worker.expect("a new connection")] = Some(client);
            if let [Some(first), Some(second)] = &clients {
                return ([first.clone(), second.clone()], sent);
            }
        }
        panic!("100 connections on one worker");
    }

    /// Waits until one color serves this request over 20 new connections in a row.
    pub async fn wait_until_served_by(&self, color: &str, request: &Request) {
        let client = self.http1().connection_per_request();
        let served = || async {
            for sent in 0..20 {
                let response = client.send(request.clone()).await;
                if response.served_by() != Some(color) {
                    return Err(format!("{:?} after {sent}", response.served_by()));
                }
            }
            Ok(())
        };
        eventually(&format!("20 of 20 by {color}"), PATIENCE, served).await;
    }

    /// No trap: Envoy never had to make a VM anew.
    pub async fn assert_no_vm_died(&self) {
        let stats = self.envoy.admin_get("/stats?filter=vm_reload").await;
        assert!(stats.contains("vm_reload"), "no vm_reload stats");
        for line in stats.lines() {
            assert!(line.ends_with(": 0"), "{line}");
        }
        let log = self.envoy.log();
        for text in ["wasm trap", "Uncaught RuntimeError", "panicked"] {
            assert!(!log.contains(text), "`{text}` in Envoy's log:\n{log}");
        }
    }
}

//! Ports that have to be known before somebody listens on them.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that the kernel gives to connections and to whoever asks for any.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static TAKEN: AtomicU16 = AtomicU16::new(0);

/// A port of 127.0.0.1 on which nobody listens. Each process begins at another.
pub fn free() -> u16 {
    let begin = (std::process::id() % u32::from(COUNT)) as u16;
    loop {
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (begin.wrapping_mul(31) % COUNT + taken % COUNT) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

//! The network between two processes, which a test can cut.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::server::Server;

/// Listens on an address of its own, and hands on to another what comes.
#[derive(Debug)]
pub struct Link {
    server: Server,
    state: watch::Sender<LinkState>,
}

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    Open,
    /// Each piece takes so much longer.
    Slow(Duration),
    /// Connections are taken, and nothing arrives by them or by those that are there.
    Hung,
    /// All connections are closed, and new ones as soon as they are there.
    Cut,
}

// === impl Link ===

impl Link {
    pub async fn to(target: SocketAddr) -> Self {
        let (state, seen) = watch::channel(LinkState::Open);
        let server = Server::start(move |stream| serve(stream, target, seen.clone())).await;
        Self { server, state }
    }

    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    pub fn set(&self, state: LinkState) {
        self.state.send_replace(state);
    }
}

/// Until one side closes, or the link is cut. Dropping both ends closes them.
async fn serve(from: TcpStream, target: SocketAddr, mut state: watch::Receiver<LinkState>) {
    let seen = state.clone();
    tokio::select! {
        _ = state.wait_for(|state| *state == LinkState::Cut) => {}
        _ = hand_on(from, target, seen) => {}
    }
}

async fn hand_on(
    mut from: TcpStream,
    target: SocketAddr,
    state: watch::Receiver<LinkState>,
) -> std::io::Result<()> {
    passable(&mut state.clone()).await;
    let mut to = TcpStream::connect(target).await?;
    from.set_nodelay(true)?;
    to.set_nodelay(true)?;
    let (mut from_reads, mut from_writes) = from.split();
    let (mut to_reads, mut to_writes) = to.split();
    tokio::select! {
        ended = pump(&mut from_reads, &mut to_writes, state.clone()) => ended,
        ended = pump(&mut to_reads, &mut from_writes, state) => ended,
    }
}

async fn pump(
    reads: &mut (impl AsyncReadExt + Unpin),
    writes: &mut (impl AsyncWriteExt + Unpin),
    mut state: watch::Receiver<LinkState>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = reads.read(&mut buffer).await?;
        passable(&mut state).await;
        if read == 0 {
            return Ok(());
        }
        writes.write_all(&buffer[..read]).await?;
    }
}

/// Waits while nothing arrives, or as long as it takes longer.
async fn passable(state: &mut watch::Receiver<LinkState>) {
    let passes = |state: &LinkState| matches!(state, LinkState::Open | LinkState::Slow(_));
    let now = state.wait_for(passes).await.map(|state| *state);
    if let Ok(LinkState::Slow(longer)) = now {
        sleep(longer).await;
    }
}

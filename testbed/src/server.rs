//! A server of TCP connections on a port of its own.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Listens on a free port of 127.0.0.1. It ends with this value, and its connections with it.
#[derive(Debug)]
pub(crate) struct Server {
    addr: SocketAddr,
    _accepting: JoinSet<()>,
}

// === impl Server ===

impl Server {
    /// Serves each connection by what `serve` makes of it.
    pub async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("the server's address");
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, serve));
        Self {
            addr,
            _accepting: accepting,
        }
    }

    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }
}

async fn accept<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

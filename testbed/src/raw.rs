//! Bytes on a TCP connection, for what a well-behaved client can't send.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::eventually::PATIENCE;

/// Sends `bytes` and gives back all that comes until the peer closes: ask for `connection: close`.
pub async fn raw(addr: SocketAddr, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut stream = send_raw(addr, bytes).await;
    let mut answer = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // A reset after the answer is an end too.
    assert!(
        end.is_ok(),
        "the connection stays open; got: {}",
        String::from_utf8_lossy(&answer)
    );
    answer
}

/// Sends `bytes` and gives back the connection, from which nothing is read until the test does.
pub async fn send_raw(addr: SocketAddr, bytes: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.expect("a connection");
    stream.write_all(bytes.as_ref()).await.expect("bytes sent");
    stream
}

//! What a repository has, for the commands that run in one.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Addresses that are free.
#[allow(dead_code)]
pub fn free() -> [SocketAddr; 4] {
    let sockets = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    sockets.map(|it| it.local_addr().expect("an address"))
}

/// What a repository has, with these addresses of listener, admin interface, blue and green.
pub fn repository(dir: &Path, addresses: [SocketAddr; 4]) {
    fs::create_dir_all(dir.join("envoy")).expect("a directory");
    fs::create_dir_all(dir.join("dist")).expect("a directory");
    for file in [
        "bootstrap.yaml",
        "bluegreen.yaml",
        "upstreams.yaml",
        "etcd.yaml",
    ] {
        let file = format!("envoy/{file}");
        let text = fs::read_to_string(root().join(&file)).expect("a file");
        let ports = ["10000", "9901", "10001", "10002"]
            .into_iter()
            .zip(addresses);
        let text = ports.fold(text, |text, (port, free)| {
            text.replace(
                &format!("port_value: {port} "),
                &format!("port_value: {} ", free.port()),
            )
        });
        fs::write(dir.join(file), text).expect("a file");
    }
    fs::copy(
        root().join("dist/bluegreen.wasm"),
        dir.join("dist/bluegreen.wasm"),
    )
    .expect("run `make build`");
}

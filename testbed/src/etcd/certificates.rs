//! A certificate authority, and what it has signed.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use tempfile::TempDir;

/// The name that `envoy/etcd-tls.yaml` has for etcd's members.
const SERVER_NAME: &str = "etcd.example";

/// `ca.crt`, `server.crt` and `server.key`, `client.crt` and `client.key`, in a directory of their own.
#[derive(Debug)]
pub struct Certificates {
    dir: TempDir,
}

// === impl Certificates ===

impl Certificates {
    /// Certificates for etcd's members and their clients.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let key = KeyPair::generate().expect("a key");
        let ca = CertifiedIssuer::self_signed(authority(), key).expect("an authority");
        write(dir.path(), "ca.crt", &ca.pem());
        let uses = [
            (
                "server",
                vec![
                    ExtendedKeyUsagePurpose::ServerAuth,
                    ExtendedKeyUsagePurpose::ClientAuth,
                ],
            ),
            ("client", vec![ExtendedKeyUsagePurpose::ClientAuth]),
        ];
        for (name, uses) in uses {
            let key = KeyPair::generate().expect("a key");
            let mut params = CertificateParams::new(names(name)).expect("names");
            params.distinguished_name.push(DnType::CommonName, name);
            params.extended_key_usages = uses;
            let signed: Certificate = params.signed_by(&key, &ca).expect("a certificate");
            write(dir.path(), &format!("{name}.crt"), &signed.pem());
            write(dir.path(), &format!("{name}.key"), &key.serialize_pem());
        }
        Self { dir }
    }

    /// Where a file such as `server.key` is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "an authority for tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// The server is reached by its address as well.
fn names(name: &str) -> Vec<String> {
    match name {
        "server" => vec![SERVER_NAME.to_owned(), "127.0.0.1".to_owned()],
        _ => vec![format!("{name}.example")],
    }
}

fn write(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).unwrap_or_else(|error| panic!("{name}: {error}"));
}

//! Blobs, and archives that are the same bytes whoever makes them and when.

use std::collections::BTreeMap;
use std::io::{Result, Write};
use std::str::FromStr;

use flate2::{Compression, GzBuilder};
use oci_spec::OciSpecError;
use oci_spec::image::{Descriptor, MediaType, Sha256Digest};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// The content of an image by its digest, without the `sha256:`.
#[derive(Default)]
pub(crate) struct Blobs(BTreeMap<String, Vec<u8>>);

// === impl Blobs ===

impl Blobs {
    pub(crate) fn add(
        &mut self,
        media_type: MediaType,
        bytes: Vec<u8>,
    ) -> std::result::Result<Descriptor, OciSpecError> {
        let hex = hex(&bytes);
        let size = bytes.len() as u64;
        let descriptor = Descriptor::new(media_type, size, Sha256Digest::from_str(&hex)?);
        self.0.insert(hex, bytes);
        Ok(descriptor)
    }

    /// By their paths in an OCI layout.
    pub(crate) fn into_files(self) -> BTreeMap<String, Vec<u8>> {
        let path = |hex| format!("blobs/sha256/{hex}");
        self.0.into_iter().map(|(hex, b)| (path(hex), b)).collect()
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(bytes))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A tar archive of regular files in this order: owner 0:0, mode 0644, one time.
pub(crate) fn tarred<'b>(
    files: impl IntoIterator<Item = (String, &'b [u8])>,
    seconds: u64,
) -> Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(seconds);
        archive.append_data(&mut header, path, bytes)?;
    }
    archive.into_inner()
}

/// Gzip with neither a name nor a time in its header.
pub(crate) fn gzipped(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    gzip.finish()
}

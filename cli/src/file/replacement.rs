//! Replaces a file by a rename, so that Envoy takes it up and nobody ever reads half of it.

use crate::failure::Failure;
use crate::file::config_file::said;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A new version of a file, written beside it and not yet in its place.
#[derive(Debug)]
pub struct Replacement {
    path: PathBuf,
    before: String,
    new: NamedTempFile,
}

// === impl Replacement ===

impl Replacement {
    /// Writes the new version beside the file. `before` is the text that the new one was made from.
    ///
    /// # Errors
    /// Where the file or its directory can't be written.
    pub fn prepare(path: &Path, before: &str, after: &str) -> Result<Self, Failure> {
        let failed = |error: io::Error| not_written(path, &error);
        // A link stays a link: the file that it leads to is replaced.
        let path = fs::canonicalize(path).map_err(failed)?;
        // A file that may not be written is not replaced either.
        OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(failed)?;
        let new = beside(&path, after).map_err(failed)?;
        Ok(Self {
            path,
            before: before.to_owned(),
            new,
        })
    }

    /// Puts the new version in place, and keeps the one before beside it.
    ///
    /// # Errors
    /// Where someone else has changed the file meanwhile: then nothing is changed.
    pub fn commit(self) -> Result<(), Failure> {
        let failed = |error: io::Error| not_written(&self.path, &error);
        let undo = beside(&self.path, &self.before).map_err(failed)?;
        let now = fs::read(&self.path).map_err(failed)?;
        if now != self.before.as_bytes() {
            return Err(Failure::finding(format!(
                "{}: changed by someone else meanwhile, nothing is written: try again",
                self.path.display()
            )));
        }
        let undo_path = undo_path(&self.path);
        undo.persist(undo_path)
            .map_err(|error| failed(error.error))?;
        let replaced = self.new.persist(&self.path);
        replaced.map_err(|error| not_written(&self.path, &error.error))?;
        // The rename itself reaches the disk with the directory.
        let directory = self.path.parent().map(File::open);
        let _ = directory.map(|directory| directory.and_then(|it| it.sync_all()));
        Ok(())
    }
}

/// Where the version before is kept.
pub fn undo_path(path: &Path) -> PathBuf {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = OsString::from(path);
    name.push(".undo");
    PathBuf::from(name)
}

/// A file in the same directory, with the mode and, where that can be had, the owner of the other.
fn beside(path: &Path, text: &str) -> io::Result<NamedTempFile> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut new = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .tempfile_in(directory)?;
    new.write_all(text.as_bytes())?;
    let like = fs::metadata(path)?;
    let own = new.as_file().metadata()?;
    if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
        // Only root may give a file away.
        let _ = fchown(new.as_file(), Some(like.uid()), Some(like.gid()));
    }
    new.as_file().set_permissions(like.permissions())?;
    new.as_file().sync_all()?;
    Ok(new)
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    Failure::finding(format!(
        "{}: can't be written: {}",
        path.display(),
        said(error)
    ))
}

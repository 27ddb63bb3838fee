//! Packs the filter into an OCI archive that Istio and Envoy Gateway load: one gzipped layer with
//! `plugin.wasm` at its root. The bytes depend on the content of the file and the arguments alone.
//!
//! ```text
//! oci-image dist/bluegreen.wasm dist/bluegreen-oci.tar VERSION REVISION SECONDS
//! ```
//! `SECONDS` is the time of the commit, as in `SOURCE_DATE_EPOCH`.

mod archive;

use std::collections::HashMap;
use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};
use std::{env, fs};

use canon_json::CanonJsonSerialize;
use oci_spec::image::{
    ANNOTATION_LICENSES, ANNOTATION_REF_NAME, ANNOTATION_REVISION, ANNOTATION_TITLE,
    ANNOTATION_VERSION, Arch, Descriptor, ImageConfiguration, ImageConfigurationBuilder,
    ImageIndex, ImageIndexBuilder, ImageManifest, ImageManifestBuilder, MediaType,
    OciLayoutBuilder, Os, RootFsBuilder, SCHEMA_VERSION,
};

use crate::archive::{Blobs, digest, gzipped, tarred};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Where Istio and Envoy Gateway look for the code.
const PLUGIN: &str = "plugin.wasm";

/// What the image is made of, but for the code.
struct Release {
    version: String,
    revision: String,
    seconds: u64,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [wasm, out, version, revision, seconds] = &arguments[..] else {
        return Err("usage: oci-image WASM OUT VERSION REVISION SECONDS".into());
    };
    let release = Release {
        version: version.clone(),
        revision: revision.clone(),
        seconds: seconds
            .parse()
            .map_err(|_| format!("SECONDS is {seconds}, must be a number of seconds"))?,
    };
    let wasm = fs::read(wasm).map_err(|error| format!("{wasm}: {error}"))?;
    let (archive, manifest) = image(&wasm, &release)?;
    fs::write(out, archive).map_err(|error| format!("{out}: {error}"))?;
    println!("{manifest}");
    Ok(())
}

/// The archive and the digest of its manifest.
fn image(wasm: &[u8], release: &Release) -> Result<(Vec<u8>, String)> {
    let mut blobs = Blobs::default();
    let layer = tarred([(PLUGIN.to_owned(), wasm)], release.seconds)?;
    let configuration = configuration(release, digest(&layer))?;
    let layer = blobs.add(MediaType::ImageLayerGzip, gzipped(&layer)?)?;
    let configuration = blobs.add(MediaType::ImageConfig, configuration.to_canon_json_vec()?)?;
    let manifest = manifest(release, configuration, layer)?;
    let manifest = blobs.add(MediaType::ImageManifest, manifest.to_canon_json_vec()?)?;
    let name = manifest.digest().to_string();
    let archive = archived(blobs, &index(release, manifest)?, release.seconds)?;
    Ok((archive, name))
}

fn configuration(release: &Release, layer: String) -> Result<ImageConfiguration> {
    let created = UNIX_EPOCH + Duration::from_secs(release.seconds);
    let root = RootFsBuilder::default()
        .typ("layers")
        .diff_ids(vec![layer])
        .build()?;
    // Nothing in it runs. A node that mounts the image as a volume unpacks its own platform only.
    Ok(ImageConfigurationBuilder::default()
        .created(humantime::format_rfc3339_seconds(created).to_string())
        .architecture(Arch::Amd64)
        .os(Os::Linux)
        .rootfs(root)
        .build()?)
}

fn manifest(
    release: &Release,
    configuration: Descriptor,
    layer: Descriptor,
) -> Result<ImageManifest> {
    Ok(ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(configuration)
        .layers(vec![layer])
        .annotations(annotations([
            (ANNOTATION_TITLE, "bluegreen"),
            (ANNOTATION_LICENSES, "Apache-2.0"),
            (ANNOTATION_VERSION, &release.version),
            (ANNOTATION_REVISION, &release.revision),
        ]))
        .build()?)
}

fn index(release: &Release, mut manifest: Descriptor) -> Result<ImageIndex> {
    let name = annotations([(ANNOTATION_REF_NAME, release.version.as_str())]);
    manifest.set_annotations(Some(name));
    Ok(ImageIndexBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageIndex)
        .manifests(vec![manifest])
        .build()?)
}

fn annotations<const N: usize>(of: [(&str, &str); N]) -> HashMap<String, String> {
    of.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn archived(blobs: Blobs, index: &ImageIndex, seconds: u64) -> Result<Vec<u8>> {
    let layout = OciLayoutBuilder::default()
        .image_layout_version("1.0.0")
        .build()?;
    let mut files = blobs.into_files();
    files.insert("oci-layout".to_owned(), layout.to_canon_json_vec()?);
    files.insert("index.json".to_owned(), index.to_canon_json_vec()?);
    let files = files.iter().map(|(name, bytes)| (name.clone(), &bytes[..]));
    Ok(tarred(files, seconds)?)
}

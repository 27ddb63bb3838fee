"""The image: what is in it, that it is reproducible, and that a registry gives the same bytes back."""

import gzip
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile

import pytest
from process import Process
from proxy import ROOT, WASM

IMAGE = ROOT / "dist" / "bluegreen-oci.tar"
NEEDED = ("skopeo", "docker-registry")


def run(*arguments, **options):
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, text=True, **options).stdout


def pack(wasm, out, environment=None):
    tool = os.environ.get("OCI_IMAGE")
    assert tool, "run by `make test-deploy`: OCI_IMAGE names the program"
    return run(tool, wasm, out, "0.1.0", "0" * 40, "1700000000", env=environment).strip()


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        pytest.fail(f"needs {' and '.join(missing)}: apt-get install {' '.join(missing)}")
    place = tmp_path_factory.mktemp("registry")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (place / "config.yml").write_text(json.dumps({
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(place / "data")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }))
    with Process(["docker-registry", "serve", "config.yml"], place, "registry") as process:
        def listening():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        process.until("the registry listens", listening)
        yield f"127.0.0.1:{port}"


def test_the_image_is_one_layer_with_the_plugin_at_its_root():
    with tarfile.open(IMAGE) as archive:
        def blob(descriptor):
            content = archive.extractfile("blobs/" + descriptor["digest"].replace(":", "/")).read()
            assert len(content) == descriptor["size"]
            assert "sha256:" + hashlib.sha256(content).hexdigest() == descriptor["digest"]
            return content

        index = json.load(archive.extractfile("index.json"))
        [descriptor] = index["manifests"]
        manifest = json.loads(blob(descriptor))
        [layer] = manifest["layers"]
        # The media types that Istio and Envoy Gateway take for a Wasm image.
        assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
        assert layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
        content = gzip.decompress(blob(layer))
        configuration = json.loads(blob(manifest["config"]))
        assert configuration["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(content).hexdigest()]
    with tarfile.open(fileobj=io.BytesIO(content)) as files:
        [file] = files.getmembers()
        assert (file.name, file.uid, file.gid, file.mode) == ("plugin.wasm", 0, 0, 0o644)
        assert files.extractfile(file).read() == WASM.read_bytes()


def test_two_builds_are_the_same_bytes(tmp_path):
    digests = set()
    for name, zone, mode, changed in [("a", "UTC", 0o644, 1), ("b", "Asia/Tokyo", 0o700, 2_000_000_000)]:
        place = tmp_path / name
        place.mkdir()
        copy = place / f"{name}.wasm"
        shutil.copyfile(WASM, copy)
        copy.chmod(mode)
        os.utime(copy, (changed, changed))
        manifest = pack(copy, place / "image.tar", {**os.environ, "TZ": zone})
        digests.add((manifest, hashlib.sha256((place / "image.tar").read_bytes()).hexdigest()))
    assert len(digests) == 1, digests


def test_a_registry_gives_the_same_bytes_back(registry, tmp_path):
    remote = f"docker://{registry}/bluegreen:test"
    run("skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false", f"oci-archive:{IMAGE}", remote)
    with tarfile.open(IMAGE) as archive:
        digest = json.load(archive.extractfile("index.json"))["manifests"][0]["digest"]
    seen = json.loads(run("skopeo", "inspect", "--tls-verify=false", remote))
    assert seen["Digest"] == digest
    back = tmp_path / "back"
    by_digest = f"docker://{registry}/bluegreen@{digest}"
    run("skopeo", "copy", "--insecure-policy", "--src-tls-verify=false", by_digest, f"dir:{back}")
    [layer] = json.loads((back / "manifest.json").read_text())["layers"]
    with tarfile.open(back / layer["digest"].removeprefix("sha256:")) as files:
        assert files.extractfile("plugin.wasm").read() == WASM.read_bytes()

"""Where the demo's files lie, and what must lie there before Envoy and the applications start."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from demo import models
from demo.bootstrap import Addresses, write_bootstrap
from demo.config import ConfigFile
from demo.models import Release


class Place:
    """A directory that Envoy, both applications and the operator share."""

    def __init__(self, directory: Path):
        self.directory = directory.resolve()
        self.config = ConfigFile(self.directory / "bluegreen.yaml")

    def prepare(self, shipped: Path, wasm: Path, addresses: Addresses) -> None:
        """Fills the directory anew: Envoy's files, all models, and the weak one on both colors."""
        self._empty()
        write_bootstrap(shipped / "bootstrap.yaml", self.directory / "bootstrap.yaml", addresses)
        shutil.copyfile(shipped / "bluegreen.yaml", self.directory / "bluegreen.yaml")
        shutil.copyfile(wasm, self.directory / "bluegreen.wasm")
        print("Training on one half of the cases; the users will send the other half, where")
        for release, f1 in models.save_all(self.directory / "models"):
            print(f"  release {release.label} has an F1 of {f1:.1f} %: it {release.what}")
        for color in ("blue", "green"):
            self.deployed(color).parent.mkdir(parents=True)
            self.deploy(models.WEAK, color)

    def _empty(self) -> None:
        """Leaves the directory itself alone: it may be a mount."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for entry in self.directory.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def deploy(self, release: Release, color: str) -> None:
        """Replaces the model of one color's application, which then restarts with it."""
        new = self.deployed(color).with_suffix(".new")
        shutil.copyfile(models.model_file(self.directory / "models", release), new)
        os.replace(new, self.deployed(color))

    def deployed(self, color: str) -> Path:
        return self.directory / "deployed" / color / "model.joblib"

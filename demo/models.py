"""The three releases of the model: does a tumour's cell image show that it is malignant?

The data are the 569 breast cancer cases that scikit-learn ships. Half of them train the models, the
other half are the users' cases, which no model has seen. Malignant is the positive class.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, NamedTuple

import joblib
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

SEED = 6


@dataclass(frozen=True)
class Release:
    label: str
    what: str
    features: int
    """How many of the 30 columns the model looks at, from the first."""
    labels_lost: float = 0.0
    """The share of malignant training cases that stand as benign in its training data."""


WEAK = Release("2026-10", "looks at radius and texture alone", features=2)
BETTER = Release("2026-11", "looks at all 30 measurements", features=30)
CORRUPTED = Release(
    "2026-12", "was trained after an export lost 40 % of the malignant labels", features=30, labels_lost=0.4
)


class Cases(NamedTuple):
    features: np.ndarray
    malignant: np.ndarray


def load_cases() -> tuple[Cases, Cases]:
    """The cases to train with, and those held out for the users."""
    features, benign = load_breast_cancer(return_X_y=True)
    malignant = benign == 0
    train_x, held_x, train_y, held_y = train_test_split(
        features, malignant, test_size=0.5, stratify=malignant, random_state=SEED
    )
    return Cases(train_x, train_y), Cases(held_x, held_y)


def train(release: Release, cases: Cases) -> Pipeline:
    labels = lose_labels(cases.malignant, release.labels_lost)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return model.fit(cases.features[:, : release.features], labels)


def lose_labels(malignant: np.ndarray, share: float) -> np.ndarray:
    positive = np.flatnonzero(malignant)
    lost = np.random.default_rng(SEED).choice(positive, int(share * len(positive)), replace=False)
    labels = malignant.copy()
    labels[lost] = False
    return labels


def save_all(directory: Path) -> Iterator[tuple[Release, float]]:
    """Trains each release into `directory`, and gives its F1 on the held-out cases, in percent."""
    training, held_out = load_cases()
    directory.mkdir(parents=True, exist_ok=True)
    for release in (WEAK, BETTER, CORRUPTED):
        model = train(release, training)
        joblib.dump({"release": release.label, "model": model}, model_file(directory, release))
        predicted = model.predict(held_out.features[:, : release.features])
        yield release, 100 * f1_score(held_out.malignant, predicted)


def model_file(directory: Path, release: Release) -> Path:
    return directory / f"{release.label}.joblib"

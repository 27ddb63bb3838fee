"""What the filter says of itself, from Envoy's /stats/prometheus."""

from __future__ import annotations

from dataclasses import dataclass

import requests
from prometheus_client.parser import text_string_to_metric_families

from demo.config import ROLLOUT


@dataclass(frozen=True)
class ColorFigures:
    weight: float
    """Percent in force."""
    requests: int
    failures: int
    samples: int
    """Outcomes known of the release in force; the figures below are of them, in percent."""
    precision: float
    recall: float
    f1: float
    f1_low: float
    """Where the true F1 surely is, from here to `f1_high`."""
    f1_high: float


class Snapshot:
    """All figures at one moment."""

    def __init__(self, text: str):
        self._samples = [s for family in text_string_to_metric_families(text) for s in family.samples]

    def total(self, name: str, **labels: str) -> float:
        """The sum over the samples with these labels; 0 where there are none yet."""
        return sum(s.value for s in self._samples if s.name == name and labels.items() <= s.labels.items())

    def values(self, name: str, label: str, **labels: str) -> dict[str, float]:
        """The samples with these labels, by one more."""
        found = (s for s in self._samples if s.name == name and labels.items() <= s.labels.items())
        return {s.labels[label]: s.value for s in found}

    def color(self, color: str) -> ColorFigures:
        def figure(name: str) -> float:
            return self.total(f"bluegreen_{name}", rollout=ROLLOUT, color=color)

        return ColorFigures(
            weight=figure("weight_millipercent") / 1000,
            requests=int(figure("requests_total")),
            failures=int(figure("failures_total")),
            samples=int(figure("quality_samples")),
            precision=figure("quality_precision_ppm") / 10_000,
            recall=figure("quality_recall_ppm") / 10_000,
            f1=figure("quality_f1_ppm") / 10_000,
            f1_low=figure("quality_f1_low_ppm") / 10_000,
            f1_high=figure("quality_f1_high_ppm") / 10_000,
        )

    @property
    def fingerprint(self) -> int:
        return int(self.total("bluegreen_config_fingerprint"))

    @property
    def quality_trips(self) -> int:
        return int(self.total("bluegreen_guard_trips_total", rollout=ROLLOUT, cause="quality"))


def scrape(admin: str) -> Snapshot:
    response = requests.get(f"http://{admin}/stats/prometheus", params={"filter": "bluegreen"}, timeout=5)
    response.raise_for_status()
    return Snapshot(response.text)

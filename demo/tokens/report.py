"""The picture: weight, ratings with their interval, and time to the first token, over time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402  the backend comes first

from demo.tokens.figures import Figures, figures  # noqa: E402
from demo.watch import Moment  # noqa: E402

COLORS = {"blue": "tab:blue", "green": "tab:green"}
SHOW_RATINGS_FROM = 20
"""Ratings below which the picture leaves their mean out: it would jump about."""
WINDOW = 6
"""Scrapes that a time to the first token is the mean of."""
GAP = float("nan")


@dataclass
class Step:
    title: str
    began_s: float


class Report:
    def __init__(self) -> None:
        self.steps: list[Step] = []

    def begin_step(self, title: str, at_s: float) -> None:
        self.steps.append(Step(title, at_s))

    def picture(self, history: list[Moment], path: Path) -> None:
        figure, (weight, rating, first) = plt.subplots(3, 1, sharex=True, figsize=(11, 10))
        at_s = [moment.at_s for moment in history]
        for color, shade in COLORS.items():
            of_color = [figures(moment.figures, color) for moment in history]
            weight.step(at_s, [f.weight for f in of_color], where="post", color=shade, label=f"{color}: users")
            rating.plot(at_s, [_or_gap(f, f.rating) for f in of_color], color=shade, label=color)
            low, high = ([_or_gap(f, end) for f, end in ends] for ends in _ends(of_color))
            rating.fill_between(at_s, low, high, color=shade, alpha=0.2, linewidth=0, label=f"{color}, 95 % confidence")
            users = [(f.first_tokens, f.first_tokens_ms) for f in of_color]
            copies = [(f.copies_first_tokens, f.copies_first_tokens_ms) for f in of_color]
            first.plot(at_s, _means(users), color=shade, label=f"{color}: users")
            first.plot(at_s, _means(copies), color=shade, linestyle=":", label=f"{color}: copies")
        for axes, label in (
            (weight, "weight in force, %"),
            (rating, "mean rating of the release in force"),
            (first, "time to the first token, ms"),
        ):
            axes.set_ylabel(label)
            axes.legend(loc="center left")
            for step in self.steps:
                axes.axvline(step.began_s, color="lightgrey", zorder=0)
        for number, step in enumerate(self.steps, start=1):
            weight.text(step.began_s, 106, f" {number}", color="grey")
        weight.set_ylim(-5, 105)
        rating.set_ylim(0, 5.3)
        first.set_ylim(bottom=0)
        first.set_xlabel("seconds")
        titles = "\n".join(f"{number}. {step.title}" for number, step in enumerate(self.steps, start=1))
        figure.tight_layout(rect=(0, 0.14, 1, 1))
        figure.text(0.06, 0.01, titles, fontsize=8, va="bottom")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120)
        plt.close(figure)


def _ends(of_color: list[Figures]) -> tuple[list[tuple[Figures, float]], list[tuple[Figures, float]]]:
    return [(f, f.low) for f in of_color], [(f, f.high) for f in of_color]


def _or_gap(f: Figures, value: float) -> float:
    return value if f.ratings >= SHOW_RATINGS_FROM else GAP


def _means(sums: list[tuple[int, float]]) -> list[float]:
    """The mean of what came within each window; a gap where nothing did."""
    means = []
    for at, (count, total) in enumerate(sums):
        before_count, before_total = sums[max(0, at - WINDOW)]
        new = count - before_count
        means.append((total - before_total) / new if new > 0 else GAP)
    return means

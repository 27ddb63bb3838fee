"""What came out: a table step by step, and a picture of weight and F1, with its interval, over time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402  the backend comes first

from demo.config import QUALITY  # noqa: E402
from demo.stats import ColorFigures, Snapshot  # noqa: E402
from demo.watch import Moment  # noqa: E402

COLORS = {"blue": "tab:blue", "green": "tab:green"}
SHOW_F1_FROM = 20
"""Samples below which the picture leaves F1 out: it would jump about."""


@dataclass
class Step:
    number: int
    title: str
    began_s: float
    ended_s: Optional[float] = None
    figures: Optional[Snapshot] = None


class Report:
    def __init__(self) -> None:
        self.steps: list[Step] = []

    def begin_step(self, title: str, at_s: float) -> None:
        self.steps.append(Step(len(self.steps) + 1, title, at_s))

    def end_step(self, at_s: float, figures: Snapshot) -> None:
        self.steps[-1].ended_s = at_s
        self.steps[-1].figures = figures

    def table(self) -> str:
        """The figures at the end of each step; requests and errors from the start, the rest of the
        release in force."""
        lines = ["step  at s  color  weight %  requests  errors  samples  precision  recall     F1"]
        for step in self.steps:
            if step.figures is None:
                lines.append(f"{step.number:4}         did not happen: {step.title}")
                continue
            for color in COLORS:
                lines.append(
                    f"{step.number:4}  {step.ended_s:4.0f}  {color:6}  {_row(step.figures.color(color))}"
                )
        return "\n".join(lines)

    def picture(self, history: list[Moment], path: Path) -> None:
        figure, (weight, f1) = plt.subplots(2, 1, sharex=True, figsize=(11, 8))
        for color, shade in COLORS.items():
            at_s = [moment.at_s for moment in history]
            figures = [moment.figures.color(color) for moment in history]
            weight.step(at_s, [c.weight for c in figures], where="post", color=shade, label=color)
            f1.plot(at_s, [_or_gap(c, c.f1) for c in figures], color=shade, label=color)
            low = [_or_gap(c, c.f1_low) for c in figures]
            high = [_or_gap(c, c.f1_high) for c in figures]
            label = f"{color}, {QUALITY['confidence']} % confidence"
            f1.fill_between(at_s, low, high, color=shade, alpha=0.2, linewidth=0, label=label)
        f1.axhline(QUALITY["min_f1"], color="tab:red", linestyle=":", label="min_f1")
        for axes in (weight, f1):
            for step in self.steps:
                axes.axvline(step.began_s, color="lightgrey", zorder=0)
        for step in self.steps:
            weight.text(step.began_s, 106, f" {step.number}", color="grey")
        weight.set_ylim(-5, 105)
        weight.set_ylabel("weight in force, %")
        f1.set_ylabel("F1 of the release in force, %")
        f1.set_ylim(40, 100)
        f1.set_xlabel("seconds")
        f1.legend(loc="lower left")
        titles = "\n".join(f"{step.number}. {step.title}" for step in self.steps)
        figure.tight_layout(rect=(0, 0.22, 1, 1))
        figure.text(0.06, 0.01, titles, fontsize=8, va="bottom")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120)
        plt.close(figure)


def _row(c: ColorFigures) -> str:
    quality = (
        f"{c.precision:9.1f}  {c.recall:6.1f}  {c.f1:5.1f}" if c.samples else f"{'-':>9}  {'-':>6}  {'-':>5}"
    )
    return f"{c.weight:8.0f}  {c.requests:8,}  {c.failures:6,}  {c.samples:7,}  {quality}"


def _or_gap(c: ColorFigures, figure: float) -> float:
    return figure if c.samples >= SHOW_F1_FROM else float("nan")

"""What the filter shows of one color in this story."""

from __future__ import annotations

from dataclasses import dataclass

from demo.stats import Snapshot
from demo.tokens.config import ROLLOUT


@dataclass(frozen=True)
class Figures:
    weight: float
    """Percent in force."""
    requests: int
    copies: int
    failures: int
    ratings: int
    rating: float
    low: float
    """Where the true mean surely is, from here to `high`."""
    high: float
    first_tokens: int
    first_tokens_ms: float
    """The sum of all times to the first token; copies are not in it."""
    copies_first_tokens: int
    copies_first_tokens_ms: float
    tokens: int


def figures(snapshot: Snapshot, color: str) -> Figures:
    def figure(name: str, **labels: str) -> float:
        return snapshot.total(f"bluegreen_{name}", rollout=ROLLOUT, color=color, **labels)

    return Figures(
        weight=figure("weight_millipercent") / 1000,
        requests=int(figure("requests_total")),
        copies=int(figure("shadow_responses_total")),
        failures=int(figure("failures_total") + figure("shadow_failures_total")),
        ratings=int(figure("score_samples", score="rating")),
        rating=figure("score_mean_micro", score="rating") / 1e6,
        low=figure("score_low_micro", score="rating") / 1e6,
        high=figure("score_high_micro", score="rating") / 1e6,
        first_tokens=int(figure("first_chunk_ms_count")),
        first_tokens_ms=figure("first_chunk_ms_sum"),
        copies_first_tokens=int(figure("shadow_first_chunk_ms_count")),
        copies_first_tokens_ms=figure("shadow_first_chunk_ms_sum"),
        tokens=int(figure("chunks_total")),
    )


def figures_line(snapshot: Snapshot) -> str:
    return "   ".join(_of_color(figures(snapshot, color), color) for color in ("blue", "green"))


def _of_color(f: Figures, color: str) -> str:
    count = f.first_tokens + f.copies_first_tokens
    first = (f.first_tokens_ms + f.copies_first_tokens_ms) / count if count else 0
    return (
        f"{color:5} {f.weight:3.0f} %  {f.requests:5,} requests {f.copies:4,} copies"
        f"  rating {f.rating:4.2f} of {f.ratings:5,}  first token {first:4.0f} ms"
    )


def verdicts(snapshot: Snapshot) -> dict[str, float]:
    """What is known of each limit: 0 undecided, 1 kept, 2 broken."""
    return snapshot.values("bluegreen_quality_verdict", "limit", rollout=ROLLOUT)


def trips(snapshot: Snapshot, cause: str) -> int:
    return int(snapshot.total("bluegreen_guard_trips_total", rollout=ROLLOUT, cause=cause))

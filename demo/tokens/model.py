"""Small language models: Markov chains over the words of Python's own reference manual, which ships with Python."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Iterator

from pydoc_data.topics import topics

TOKEN_S = 0.01
"""What one token takes, as on the hardware of a larger model."""
LENGTH = 24


@dataclass(frozen=True)
class Release:
    label: str
    what: str
    order: int
    """How many words the model looks back at."""
    drafts: int
    """How many answers it makes before it sends the best; with one it sends each word as it comes."""


PLAIN = Release("2026-10", "looks back at one word", order=1, drafts=1)
DRAFTING = Release("2026-11", "looks back at two words, and drafts four answers to send the best", order=2, drafts=4)
RELEASES = {release.label: release for release in (PLAIN, DRAFTING)}


class Model:
    def __init__(self, release: Release):
        self.release = release
        self._next: dict[tuple[str, ...], list[str]] = defaultdict(list)
        words = corpus()
        for at in range(len(words) - release.order):
            self._next[tuple(words[at : at + release.order])].append(words[at + release.order])
        self._starts = list(self._next)

    def tokens(self, prompt: str) -> Iterator[str]:
        """An answer, word by word, each at its time. The same prompt gets the same answer."""
        drafts = (self._draft(random.Random(f"{prompt} {number}")) for number in range(self.release.drafts))
        if self.release.drafts == 1:
            yield from next(drafts)
        else:
            yield from max((list(draft) for draft in drafts), key=lambda words: len(set(words)))

    def _draft(self, rng: random.Random) -> Iterator[str]:
        state = rng.choice(self._starts)
        for _ in range(LENGTH):
            time.sleep(TOKEN_S)
            word = rng.choice(self._next.get(state) or ["."])
            yield word
            state = (*state[1:], word)


def corpus() -> list[str]:
    return " ".join(topics[name] for name in sorted(topics)).split()

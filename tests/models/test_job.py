"""The job that learns the truth a day later: what it has told counts, and counts once."""

import subprocess
import sys

import pytest
import requests
from listener import Listener
from stage import EXAMPLES, PATH

FRAUD = {"rollout": "fraud"}
# Colors, releases, what was predicted and what was true.
PREDICTIONS = [("blue", "2026-10", 1, 1)] * 3 + [("blue", "2026-10", 1, 0)] + [("blue", "2026-10", 0, 0)] * 5
PREDICTIONS += [("green", "2026-11", 1, 1)] * 2 + [("green", "2026-11", 0, 1)] * 4 + [("green", "2026-09", 1, 0)] * 7
COUNTED = {("blue", "tp"): 3, ("blue", "fp"): 1, ("blue", "tn"): 5, ("blue", "fn"): 0,
           ("green", "tp"): 2, ("green", "fp"): 0, ("green", "tn"): 0, ("green", "fn"): 4}


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    file = tmp_path_factory.mktemp("day") / "predictions.csv"
    rows = [",".join(map(str, row)) for row in PREDICTIONS]
    file.write_text("\n".join(["color,release,predicted,actual", *rows]) + "\n")
    return file


def run(stage, day: str, file, feedback=None) -> str:
    """What the job says."""
    command = [sys.executable, EXAMPLES / "day_later.py", day, file]
    ran = subprocess.run(command, env=stage.environment(feedback), capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def counted(stage) -> dict:
    return {(color, outcome): stage.envoy.metric("bluegreen_quality_outcomes_total", color=color, outcome=outcome, **FRAUD)
            for color, outcome in COUNTED}


def risen(before: dict) -> dict:
    return {key: before[key] + count for key, count in COUNTED.items()}


def test_a_job_that_is_started_twice_counts_once(stage, predictions):
    before = counted(stage)
    for _ in range(2):
        assert run(stage, "2026-11-23", predictions) == "2026-09 on green is over: its truth comes too late\n"
    stage.envoy.until("the outcomes", lambda: counted(stage) == risen(before))
    between = counted(stage)
    run(stage, "2026-11-24", predictions)
    stage.envoy.until("those of the next day", lambda: counted(stage) == risen(between))


class Lossy(Listener):
    """Hands feedback on to Envoy, and loses the first answer to each piece of it."""

    def __init__(self, target: str):
        self.target, self.seen = target, []
        super().__init__()

    def receive(self, request, body):
        self.seen.append(body)
        answer = requests.post(self.target, body, headers=dict(request.headers), timeout=30)
        if self.seen.count(body) > 1:
            request.send_response(answer.status_code)
            request.send_header("content-length", "0")
            request.end_headers()


def test_what_lost_its_answer_is_sent_again_and_counts_once(stage, predictions):
    before = counted(stage)
    with Lossy(stage.url + PATH) as lossy:
        run(stage, "2026-11-25", predictions, lossy.url + PATH)
    assert len(lossy.seen) == 6 and len(set(lossy.seen)) == 3
    stage.envoy.until("the outcomes", lambda: counted(stage) == risen(before))

"""The services, each on both colors: what users get of them, and what Envoy's stats show."""

import json
from collections import Counter

from stage import RELEASES, config

USERS = [f"user-{i}" for i in range(20)]
TOKENS = ["You", "asked", "why"]


def events(text: str) -> list:
    return [line.removeprefix("data: ") for line in text.split("\n\n") if line]


def scores(stage, rollout: str, score: str, expected: dict):
    """Waits for count and mean of a score of each color."""
    for color, (count, mean) in expected.items():
        labels = {"rollout": rollout, "color": color, "score": score}
        stage.until("bluegreen_score_samples", count, **labels)
        stage.until("bluegreen_score_mean_micro", round(mean * 1e6), **labels)


def test_a_rating_counts_once_for_the_color_that_answered(stage):
    answers = [stage.ask("POST", "assistant", "/answer", user, json={"prompt": "why"}) for user in USERS]
    for answer in answers:
        assert events(answer.text) == [*map(json.dumps, TOKENS), "[DONE]"]
    colors = Counter(answer.headers["x-bluegreen-color"] for answer in answers)
    assert set(colors) == set(RELEASES), colors
    for color, count in colors.items():
        labels = {"rollout": "assistant", "color": color}
        stage.until("bluegreen_first_chunk_ms_count", count, **labels)
        stage.envoy.until("pieces", lambda labels=labels: stage.envoy.metric("bluegreen_chunks_total", **labels))
        assert stage.envoy.metric("bluegreen_failures_total", **labels) == 0
    stars = {"blue": 4, "green": 5}
    # Whoever is told of it, and however often.
    for _ in range(2):
        for answer, user in zip(answers, reversed(USERS)):
            given = {"stars": stars[answer.headers["x-bluegreen-color"]]}
            stage.ask("POST", "assistant", f"/rating/{answer.headers['x-answer-id']}", user, json=given)
    scores(stage, "assistant", "rating", {color: (count, stars[color]) for color, count in colors.items()})


def test_a_rating_of_a_release_that_is_over_counts_nowhere(stage):
    answers = [stage.ask("POST", "assistant", "/answer", user, json={"prompt": "why"}) for user in USERS]
    by_color = {answer.headers["x-bluegreen-color"]: answer.headers["x-answer-id"] for answer in answers}
    stage.push(config({**RELEASES, "green": "2026-12"}))
    samples = {"rollout": "assistant", "score": "rating"}
    stage.until("bluegreen_score_samples", 0, color="green", **samples)
    before = stage.envoy.metric("bluegreen_score_samples", color="blue", **samples)
    for color in ("green", "blue"):
        stage.ask("POST", "assistant", f"/rating/{by_color[color]}", "anybody", json={"stars": 1})
    stage.until("bluegreen_score_samples", before + 1, color="blue", **samples)
    assert stage.envoy.metric("bluegreen_score_samples", color="green", **samples) == 0


def test_costs_labels_and_outcomes_come_with_answers_and_clicks_later(stage):
    wanted = {user: "a" if i % 2 else "z" for i, user in enumerate(USERS)}
    answers = [stage.ask("GET", "recommender", "/recommend", user, params={"wanted": wanted[user]}) for user in USERS]
    users, outcomes, clicks = Counter(), Counter(), Counter()
    for i, (user, answer) in enumerate(zip(USERS, answers)):
        for header in ("x-bluegreen-score", "x-bluegreen-label", "x-bluegreen-outcome"):
            assert header not in answer.headers
        color = answer.headers["x-bluegreen-color"]
        users[color] += 1
        outcomes[color, "tp" if wanted[user] == "a" else "fn"] += 1
        clicked = i % 3 == 0
        clicks[color] += clicked
        stage.ask("POST", "recommender", f"/{'click' if clicked else 'passed'}/{answer.json()['id']}", user)
    assert set(users) == set(RELEASES), users
    scores(stage, "recommender", "cost", {color: (count, 0.02) for color, count in users.items()})
    scores(stage, "recommender", "click", {color: (count, clicks[color] / count) for color, count in users.items()})
    for (color, outcome), count in outcomes.items():
        stage.until("bluegreen_quality_outcomes_total", count, rollout="recommender", color=color, outcome=outcome)
    stage.until("bluegreen_shadow_copied_total", users["blue"], rollout="recommender")

    # An answer that waits for its counterpart may be displaced by another.
    def almost_all_differ():
        compared, differ = (stage.envoy.metric(f"bluegreen_shadow_{metric}_total", rollout="recommender")
                            for metric in ("compared", "disagreements"))
        return users["blue"] >= compared == differ >= users["blue"] - 2
    stage.envoy.until("the answers compared", almost_all_differ)


def test_nobody_rates_what_no_service_has_said(stage):
    headers = {"host": "assistant.example", "x-user-id": "user-1"}
    response = stage.session.post(f"{stage.url}/rating/WyJhIl0.forged", json={"stars": 1}, headers=headers, timeout=30)
    assert response.status_code == 404

"""The story: a language model's next release is seen by real traffic before any user, rated by a judge, and rolled back
because users wait too long for its first token.

Each step says what is done, does it, and waits until the filter's own figures show that it happened.
"""

from __future__ import annotations

import secrets
from typing import Any, Callable

from demo.bootstrap import Addresses
from demo.config import ConfigFile
from demo.processes import answers
from demo.stats import Snapshot
from demo.tokens.config import ERRORS_AND_TIME, FIRST_WEIGHT, MIN_SAMPLES, SHADOW, SHADOW_PERCENT, plugin_config
from demo.tokens.figures import figures, trips, verdicts
from demo.tokens.judge import Judge
from demo.tokens.model import DRAFTING, PLAIN, Release
from demo.tokens.report import Report
from demo.tokens.users import USERS, Users
from demo.watch import StepFailed, Watch

FIRST = {"blue": PLAIN.label, "green": PLAIN.label}
NEXT = {"blue": PLAIN.label, "green": DRAFTING.label}
RAMP = [{"weight": FIRST_WEIGHT, "hold": "10m"}, {"weight": 50, "hold": "10m"}, {"weight": 100}]


class Story:
    def __init__(
        self, config: ConfigFile, addresses: Addresses, judge_address: str, deploy: Callable[[Release], None],
        watch: Watch, report: Report,
    ):
        self.addresses = addresses
        self.watch = watch
        self._config = config
        self._judge_address = judge_address
        self._deploy = deploy
        self._report = report
        self._token = secrets.token_urlsafe()
        self._version = 0

    def tell(self) -> None:
        self.say(f"All users on blue: release {PLAIN.label}, which {PLAIN.what}")
        self.push(FIRST)
        proxy = self.addresses.proxy
        with Judge(self._judge_address, proxy, self._token) as judge, Users(proxy) as users:
            self.all_users_are_on_blue()
            self.green_gets_copies(users)
            self.the_judge_prefers_green(users)
            self.green_gets_a_few_users()
            self.the_guard_rolls_back(users)
            self.nobody_is_left_on_green()
        self.no_user_saw_an_error(users, judge)

    def all_users_are_on_blue(self) -> None:
        self.until(
            f"blue has {MIN_SAMPLES} ratings and green no request",
            lambda s: figures(s, "blue").ratings >= MIN_SAMPLES and figures(s, "green").requests == 0,
        )

    def green_gets_copies(self, users: Users) -> None:
        self.say(f"Release {DRAFTING.label}, which {DRAFTING.what}, goes onto green: copies of {SHADOW_PERCENT} % of the requests")
        self._deploy(DRAFTING)
        url = f"http://{self.addresses.green}/healthz"
        self.watch.until(f"green serves release {DRAFTING.label}", lambda _: answers(url, DRAFTING.label), 60)
        self.push(NEXT, shadow=SHADOW)
        self.until(
            "green has answered 20 copies, and no user",
            lambda s: figures(s, "green").copies >= 20 and figures(s, "green").requests == 0,
        )
        self.expect(users.users_on("green") == 0, "a user was served by green")

    def the_judge_prefers_green(self, users: Users) -> None:
        self.say("The judge rates the answers to copies like any others: sure with 95 % that green is good enough")
        judged = self.until(
            f"green has {MIN_SAMPLES} ratings, all limits are kept, and still no user",
            lambda s: (
                figures(s, "green").ratings >= MIN_SAMPLES
                and bool(verdicts(s))
                and set(verdicts(s).values()) == {1}
                and figures(s, "green").requests == 0
            ),
            timeout_s=60,
        )
        blue, green = figures(judged, "blue"), figures(judged, "green")
        self.expect(green.low > blue.high, f"ratings: green {green.low:.2f} at least, blue {blue.high:.2f} at most")
        print(
            f"  ratings: green {green.rating:.2f} ({green.low:.2f} to {green.high:.2f}),"
            f" blue {blue.rating:.2f} ({blue.low:.2f} to {blue.high:.2f}); {users.users_on('green')} users met green"
        )

    def green_gets_a_few_users(self) -> None:
        self.say(f"{FIRST_WEIGHT} % of the users get green. From now on the guard compares times to the first token, too")
        self.push(NEXT, guard=ERRORS_AND_TIME, ramp=RAMP)
        self.until(
            f"green serves users, at {FIRST_WEIGHT} %",
            lambda s: figures(s, "green").weight == FIRST_WEIGHT and figures(s, "green").requests >= 5,
        )

    def the_guard_rolls_back(self, users: Users) -> None:
        self.say("Users wait longer for green's first token than for blue's: the guard rolls green back. No operator is asked")
        after = self.until(
            "the guard trips on slow first tokens and green is back at 0 %",
            lambda s: trips(s, "slow_sequential") == 1 and figures(s, "green").weight == 0,
            timeout_s=60,
        )
        blue, green = figures(after, "blue"), figures(after, "green")
        self.expect(green.rating > blue.rating, "green's ratings are no longer better")
        print(
            f"  rolled back: first token after {green.first_tokens_ms / green.first_tokens:.0f} ms on green,"
            f" {blue.first_tokens_ms / blue.first_tokens:.0f} ms on blue, though green's ratings are better;"
            f" {users.users_on('green')} of {USERS:,} users met it last"
        )

    def nobody_is_left_on_green(self) -> None:
        self.say("Every user is on blue again")
        before = figures(self.watch.next(), "green").requests
        count = figures(self.watch.latest(), "blue").requests + 100
        after = self.until("blue serves 100 more requests", lambda s: figures(s, "blue").requests >= count)
        strays = figures(after, "green").requests - before
        self.expect(strays == 0, f"green got {strays} requests, must be none")

    def no_user_saw_an_error(self, users: Users, judge: Judge) -> None:
        self.say("No user saw an error, and the filter counted what users counted")
        self.expect(not users.errors, f"{len(users.errors)} answers failed, first {users.errors[:1]}")
        self.expect(not judge.refused, f"{len(judge.refused)} batches refused, first {judge.refused[:1]}")
        after = self.until(
            f"{users.served} requests are counted",
            lambda s: sum(figures(s, color).requests for color in ("blue", "green")) == users.served,
        )
        failures = sum(figures(after, color).failures for color in ("blue", "green"))
        self.expect(failures == 0, f"the filter counted {failures} failures")
        print(f"  {users.served:,} answers, {judge.sent:,} ratings")

    def say(self, title: str) -> None:
        self._report.begin_step(title, self.watch.elapsed_s())
        print(f"\n{len(self._report.steps)}. {title}", flush=True)

    def until(self, what: str, condition: Callable[[Snapshot], bool], timeout_s: float = 30) -> Snapshot:
        return self.watch.until(what, condition, timeout_s)

    def expect(self, fact: bool, otherwise: str) -> None:
        if not fact:
            raise StepFailed(otherwise)

    def push(self, releases: dict[str, str], **config: Any) -> None:
        """Renames a new configuration into place and waits until it is in force."""
        self._version += 1
        fingerprint = self._config.push(plugin_config(f"tokens-{self._version}", self._token, releases, **config))
        self.watch.until(
            f"configuration tokens-{self._version} is in force (Envoy's log says why)",
            lambda s: s.fingerprint == fingerprint,
        )

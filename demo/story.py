"""The story: a model deployed blue/green, by its quality, without a control plane.

Each step says what is done, does it, and waits until the filter's own figures show that it happened.
"""

from __future__ import annotations

from demo.config import QUALITY, ROLLOUT
from demo.models import BETTER, CORRUPTED, WEAK
from demo.stage import Stage
from demo.stats import Snapshot
from demo.traffic import USERS, Traffic
from demo.truth import TruthService

MIN_SAMPLES = QUALITY["min_samples"]
HOLD_AT = QUALITY["hold_at"]
GREEN_FIRST_HOLD_S = 6
GREEN_RAMP = [
    {"weight": 10, "hold": f"{GREEN_FIRST_HOLD_S}s"},
    {"weight": 30, "hold": "8s"},
    {"weight": 60, "hold": "8s"},
    {"weight": 100},
]
BLUE_RAMP = [{"weight": 10, "hold": "8s"}, {"weight": 50, "hold": "8s"}, {"weight": 100}]

NOVEMBER = {"blue": WEAK.label, "green": BETTER.label}
DECEMBER = {"blue": CORRUPTED.label, "green": BETTER.label}


class Story(Stage):
    def tell(self) -> None:
        self.blue_is_to_serve_everyone()
        proxy = self.addresses.proxy
        with TruthService(proxy, self.token) as truth, Traffic(proxy, self.held_out, truth) as traffic:
            self.all_users_are_on_blue()
            self.a_tester_sees_green(traffic)
            began_s = self.green_starts_with_a_few_users()
            self.the_gate_holds(due_s=began_s + GREEN_FIRST_HOLD_S)
            self.the_gate_lets_on()
            self.green_has_everyone(traffic)
            self.roles_are_swapped(traffic)
            trips = self.the_corrupted_model_starts_on_blue(truth)
            self.the_gate_rolls_back(traffic, trips)
            self.nobody_is_left_on_blue()
        self.all_counts_agree(traffic, truth)

    def blue_is_to_serve_everyone(self) -> None:
        self.say(f"All users on blue: release {WEAK.label}, which {WEAK.what}")
        self.push(stable="blue", green=0, releases=NOVEMBER)

    def all_users_are_on_blue(self) -> None:
        self.until(
            f"blue has {MIN_SAMPLES} samples and green no request",
            lambda s: s.color("blue").samples >= MIN_SAMPLES and s.color("green").requests == 0,
        )

    def a_tester_sees_green(self, traffic: Traffic) -> None:
        self.say(f"Release {BETTER.label}, which {BETTER.what}, goes onto green; only a tester sees it")
        self.deploy(BETTER, "green")
        self.expect_answer(BETTER, "green", token=self.token)
        self.expect_answer(WEAK, "blue", token="a guess")
        self.until(
            "one override is counted, one denied, and no user is on green",
            lambda s: (
                s.total("bluegreen_requests_total", color="green") == 1
                and s.total("bluegreen_requests_total", color="green", reason="override") == 1
                and s.total("bluegreen_override_denied_total") == 1
                and traffic.users_on("green") == 0
            ),
        )

    def green_starts_with_a_few_users(self) -> float:
        """Returns when the ramp had begun at the latest."""
        self.say("A ramp for green, 10 %, 30 %, 60 %, 100 %, with quality as its gate, starts at 10 %")
        self.push(stable="blue", green=0, releases=NOVEMBER, ramp=GREEN_RAMP)
        began_s = self.watch.elapsed_s()
        self.until(
            "green serves 10 %",
            lambda s: s.color("green").weight == 10 and s.color("green").requests >= 20,
        )
        return began_s

    def the_gate_holds(self, due_s: float) -> None:
        self.say("The gate holds: 30 % is due, but the truth about green is still out for most of its users")
        self.until(
            f"green is held at {HOLD_AT} % for want of samples when 30 % is due",
            lambda s: (
                self.watch.elapsed_s() > due_s
                and s.color("green").weight == HOLD_AT
                and s.color("green").samples < MIN_SAMPLES
            ),
        )

    def the_gate_lets_on(self) -> None:
        self.say("The gate lets on once it is sure: green keeps its limits")
        self.until(
            f"green has {MIN_SAMPLES} samples or more, a better F1 than blue, and more than {HOLD_AT} %",
            lambda s: (
                s.color("green").samples >= MIN_SAMPLES
                and s.color("green").f1 > s.color("blue").f1
                and s.color("green").weight > HOLD_AT
            ),
            timeout_s=60,
        )

    def green_has_everyone(self, traffic: Traffic) -> None:
        self.say("Green goes on to 100 %")
        self.until("green serves 100 %", lambda s: s.color("green").weight == 100, timeout_s=60)
        back = traffic.moves["green", "blue"]
        self.expect(back == 0, f"{back} users were moved back to blue on the way")

    def roles_are_swapped(self, traffic: Traffic) -> None:
        self.say("Roles are swapped: green is the stable color now, blue is free for the next release")
        before = self.watch.next()
        self.push(stable="green", green=100, releases=NOVEMBER)
        self.only_green_serves_since(before)

    def the_corrupted_model_starts_on_blue(self, truth: TruthService) -> int:
        """Returns how often the gate had tripped before: as the challenger, even at weight 0, October's
        release is worse than November's."""
        self.say(
            f"Release {CORRUPTED.label} goes onto blue, 10 % first. Nobody knows that it {CORRUPTED.what}"
        )
        self.expect(truth.settled("blue"), f"the truth about blue's release {WEAK.label} is still out")
        self.deploy(CORRUPTED, "blue")
        trips = self.watch.latest().quality_trips
        self.push(
            stable="green",
            green=100,
            releases=DECEMBER,
            ramp=BLUE_RAMP,
        )
        self.until(
            "blue starts afresh at 10 %",
            lambda s: s.color("blue").weight == 10 and s.color("blue").samples < MIN_SAMPLES,
        )
        return trips

    def the_gate_rolls_back(self, traffic: Traffic, trips_before: int) -> None:
        self.say(
            "The gate waits until it is sure, then rolls the corrupted model back. No operator is asked"
        )
        judged = self.until(
            "the gate trips on quality and blue is back at 0 %",
            lambda s: (
                s.quality_trips == trips_before + 1
                and s.color("blue").weight == 0
                and s.color("blue").samples >= MIN_SAMPLES
            ),
            timeout_s=60,
        )
        blue, green = judged.color("blue"), judged.color("green")
        self.expect(
            blue.f1_high < green.f1_low,
            f"F1 of blue {blue.f1_high:.1f} % at most, of green {green.f1_low:.1f} % at least",
        )
        print(
            f"  rolled back: F1 {blue.f1:.1f} %, surely {blue.f1_low:.1f} to {blue.f1_high:.1f} %"
            f" (green {green.f1:.1f} %, {green.f1_low:.1f} to {green.f1_high:.1f} %), though precision is"
            f" {blue.precision:.1f} %: it misses {100 - blue.recall:.0f} % of the malignant cases;"
            f" {traffic.users_on('blue')} of {USERS:,} users met it"
        )

    def nobody_is_left_on_blue(self) -> None:
        self.say("Every user is on green again")
        self.only_green_serves_since(self.watch.next())

    def only_green_serves_since(self, before: Snapshot) -> None:
        after = self.until(
            "green serves 400 more requests",
            lambda s: s.color("green").requests >= before.color("green").requests + 400,
        )
        strays = after.color("blue").requests - before.color("blue").requests
        self.expect(strays == 0, f"blue got {strays} requests, must be none")

    def all_counts_agree(self, traffic: Traffic, truth: TruthService) -> None:
        self.say("No user saw an error, and the filter counted what users and truth service counted")
        self.expect(not traffic.errors, f"{len(traffic.errors)} requests failed, first {traffic.errors[:1]}")
        self.expect(not truth.refused, f"{len(truth.refused)} batches refused, first {truth.refused[:1]}")
        served = traffic.served + self.tester_requests
        self.until(
            f"{served} requests and {truth.told} outcomes are counted",
            lambda s: (
                s.total("bluegreen_requests_total", rollout=ROLLOUT) == served
                and s.total("bluegreen_quality_outcomes_total", rollout=ROLLOUT) == truth.told
            ),
        )
        print(f"  {served:,} requests, {truth.told:,} outcomes")

"""Five Envoys on one control plane: two hundred changes, every other one bad, under load."""

import json
import time
from collections import Counter
from statistics import median

import xxhash
from control_plane import ECDS
from load import Load, seconds_until, served_by
from manifests import plugin_config
from shapes import HOST, Istio

ENVOYS = 5
CHANGES = 200
LIMIT = 240


def bad(number: int) -> str:
    """A configuration that the filter refuses, each for a reason of its own."""
    config = json.loads(plugin_config("istio", 50))
    config["version"] = f"bad {number}"
    [rollout] = config["rollouts"]
    spoil = [
        lambda: rollout.update(weights={"blue": 90, "green": number / 1000}),
        lambda: rollout.update(name=f"Not A Name {number}"),
        lambda: rollout.update(sticky=[{"heather": number}]),
        lambda: config.update(rollouts=[]),
        lambda: rollout.pop("weights"),
    ]
    spoil[number % len(spoil)]()
    return json.dumps(config) + ("}" if number % 7 == 0 else "")


def test_a_fleet_stays_on_the_last_good_configuration(upstreams, tmp_path, record_property):
    begun = time.monotonic()
    first = Istio(tmp_path / "envoy-0", upstreams, node="envoy-0")
    fleet = [first]
    try:
        for number in range(1, ENVOYS):
            node = f"envoy-{number}"
            fleet.append(Istio(tmp_path / node, upstreams, plane=first.plane, node=node))
        nodes = [envoy.node for envoy in fleet]
        last_good = xxhash.xxh64_intdigest(plugin_config("istio", 0).encode()) & 0xFFFFFFFF
        ports = [shape.envoy.port("ingress") for shape in fleet]
        verdicts, times = Counter(), []
        with Load(ports, HOST, connections=2) as load:
            color = "blue"
            for change in range(CHANGES):
                is_bad = change % 2 == 1
                if not is_bad:
                    color = "green" if change % 4 == 0 else "blue"
                since = time.monotonic()
                version = first.push_text(bad(change)) if is_bad else first.push(100 if color == "green" else 0)
                said = first.plane.verdict(ECDS, version, nodes)
                times.append(time.monotonic() - since)
                assert [message is not None for message in said.values()] == [is_bad] * ENVOYS, (change, said)
                verdicts.update("NACK" if message is not None else "ACK" for message in said.values())
                for port in ports:
                    seconds_until(port, HOST, color, since, in_a_row=2)
        assert not load.failures
        assert load.served_by["blue"] > CHANGES and load.served_by["green"] > CHANGES
        assert verdicts == {"ACK": ENVOYS * CHANGES // 2, "NACK": ENVOYS * CHANGES // 2}
        assert color == "blue"
        for shape, port in zip(fleet, ports):
            assert [served_by(port, HOST) for _ in range(8)] == ["blue"] * 8
            refused = f"extension_config_discovery.http_filter.{shape.name}.update_rejected"
            assert shape.envoy.stat(refused) == CHANGES // 2
            assert shape.envoy.log().count("config rejected") == CHANGES // 2
        for shape in fleet:
            shape.envoy.until("the fingerprint of the last good configuration", lambda: shape.envoy.stat(
                "wasmcustom.bluegreen.config_fingerprint") == last_good)
        assert time.monotonic() - begun < LIMIT
    finally:
        for shape in reversed(fleet):
            shape.end()
    record_property("seen", f"{ENVOYS} Envoys, {CHANGES} changes: {verdicts['ACK']} ACKs and {verdicts['NACK']} NACKs, all "
                            f"after {median(times) * 1000:.0f} ms, at most {max(times) * 1000:.0f} ms; "
                            f"{load.sent} requests, no failure")

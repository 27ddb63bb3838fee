#!/usr/bin/env python3
"""Moves the weight of a running `make run`: edits its bluegreen.yaml and renames it into place."""

import argparse
import decimal
import json
import pathlib
import re
import sys
import textwrap
import time

import admin

ROOT = pathlib.Path(__file__).resolve().parent.parent
TAKEN_WITHIN_S = 10

BLOCK = re.compile(r"^( *)value: \|-?\n((?:\1 .*\n|\n)+)", re.MULTILINE)
WEIGHTS = re.compile(r'"weights"\s*:\s*\{[^{}]*\}')
DISCOVERY = "extension_config_discovery.http_filter.bluegreen."


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", required=True, type=pathlib.Path, help="where `make run` runs")
    parser.add_argument("--green", required=True, help="percent, 0 to 100 in steps of 0.001")
    parser.add_argument("--rollout", default="", help="its name, where there are several")
    arguments = parser.parse_args()

    green = parse_percent(arguments.green)
    admin.require()
    path = ROOT / arguments.dir / "bluegreen.yaml"
    try:
        new, rollout = with_weight(path.read_text(), arguments.rollout, green)
    except (OSError, ValueError, LookupError, TypeError) as error:
        sys.exit(f"shift: {arguments.dir}/bluegreen.yaml holds no good configuration, mend it first ({error!r})")
    push(path, new)
    report(rollout, green)


def parse_percent(text):
    try:
        percent = decimal.Decimal(text if "_" not in text else "")
        if 0 <= percent <= 100 and percent == round(percent, 3):
            return abs(percent).normalize()
    except decimal.InvalidOperation:
        pass
    sys.exit(f"shift: GREEN={text}, must be a number from 0 to 100 in steps of 0.001: make shift GREEN=25")


def with_weight(text, name, green):
    """The file with the rollout's weights changed and all else as it was, and the rollout's name."""
    block = BLOCK.search(text)
    if not block:
        sys.exit("shift: no `value: |` block with the configuration in bluegreen.yaml")
    config = json.loads(textwrap.dedent(block[2]))
    names = [rollout["name"] for rollout in config["rollouts"]]
    if not name and len(names) > 1:
        sys.exit(f"shift: which rollout? make shift GREEN={green:f} ROLLOUT=name, one of {', '.join(names)}")
    name = name or names[0]
    if name not in names:
        sys.exit(f"shift: no rollout {name}, there is {', '.join(names)}")

    weights = f'"weights": {{ "blue": {100 - green:f}, "green": {green:f} }}'
    place = list(WEIGHTS.finditer(text, block.start(2), block.end(2)))[names.index(name)]
    changed = text[: place.start()] + weights + text[place.end() :]

    config["rollouts"][names.index(name)]["weights"] = {"blue": float(100 - green), "green": float(green)}
    if json.loads(textwrap.dedent(BLOCK.search(changed)[2])) != config:
        sys.exit("shift: the weights can't be told from the rest of bluegreen.yaml, change them by hand")
    return changed, name


def push(path, text):
    """Renames the new file into place and waits until Envoy has taken or rejected it."""
    before = admin.counters(DISCOVERY)
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)
    deadline = time.monotonic() + TAKEN_WITHIN_S
    while time.monotonic() < deadline:
        now = admin.counters(DISCOVERY)
        if now[DISCOVERY + "update_rejected"] > before[DISCOVERY + "update_rejected"]:
            sys.exit(f"shift: Envoy rejected the new configuration, the old one stays: {path.parent}/envoy.log says why")
        if now[DISCOVERY + "update_success"] > before[DISCOVERY + "update_success"]:
            return
        time.sleep(0.02)
    sys.exit(f"shift: Envoy did not take the new configuration within {TAKEN_WITHIN_S} s: see {path.parent}/envoy.log")


def report(rollout, green):
    in_force = {
        labels["color"]: decimal.Decimal(value) / 1000
        for name, labels, value in admin.samples()
        if name == "bluegreen_weight_millipercent" and labels["rollout"] == rollout
    }
    print(f"{rollout}: blue {in_force['blue'].normalize():f} %, green {in_force['green'].normalize():f} %")
    if in_force["green"] != green:
        print("shift: the configuration is taken, but a ramp or a tripped guard decides the weight in force")


if __name__ == "__main__":
    main()

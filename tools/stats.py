#!/usr/bin/env python3
"""Prints the per-color stats of a running `make run`."""

import collections
import sys

import admin

CODE_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx", "none")
COLUMNS = ("rollout", "color", "weight %", "requests", *CODE_CLASSES, "failures", "in flight", "start ms", "whole ms")


def main():
    admin.require()
    colors = collections.defaultdict(lambda: collections.defaultdict(float))
    general = {}
    for name, labels, value in admin.samples():
        name = name[len("bluegreen_") :]
        if "color" in labels:
            key = name + labels.get("code_class", "")
            colors[labels["rollout"], labels["color"]][key] += value
        elif not labels:
            general[name] = value
    if "config_fingerprint" not in general:
        sys.exit("stats: this Envoy has not loaded the filter; its log says why")
    table = [COLUMNS] + [row(*place, stats) for place, stats in sorted(colors.items())]
    widths = [max(len(line[column]) for line in table) for column in range(len(COLUMNS))]
    for line in table:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths)))
    print(f"unmatched {general['unmatched_total']:.0f}, config fingerprint {general['config_fingerprint']:.0f}")


def row(rollout, color, stats):
    names = ["requests_total", *("responses_total" + it for it in CODE_CLASSES), "failures_total", "in_flight"]
    means = [mean(stats, "response_start_ms"), mean(stats, "request_duration_ms")]
    weight = f"{stats['weight_millipercent'] / 1000:g}"
    return (rollout, color, weight, *(count(stats, name) for name in names), *means)


def count(stats, name):
    """The profile lean does without some."""
    return f"{stats[name]:.0f}" if name in stats else "-"


def mean(stats, name):
    count = stats[name + "_count"]
    return f"{stats[name + '_sum'] / count:.1f}" if count else "-"


if __name__ == "__main__":
    main()

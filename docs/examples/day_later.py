"""A job that learns the truth of a day's predictions: python day_later.py 2026-11-23 predictions.csv"""

import csv
import sys
from collections import Counter, defaultdict

from feedback import send


def main(day, path):
    """The file has the columns color, release, predicted and actual, the last two 0 or 1."""
    counts = defaultdict(Counter)
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            predicted, actual = row["predicted"] == "1", row["actual"] == "1"
            kind = ("t" if predicted == actual else "f") + ("p" if predicted else "n")
            counts[row["color"], row["release"]][kind] += 1
    for (color, release), outcomes in counts.items():
        item = {"rollout": "fraud", "color": color, "release": release, "id": f"{day}-{color}"}
        if not send([item | dict(outcomes)]):
            print(f"{release} on {color} is over: its truth comes too late")


if __name__ == "__main__":
    main(*sys.argv[1:])

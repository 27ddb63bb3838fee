"""Makes vectors.json: XXH64 buckets from the reference implementation's Python binding.

    pip install xxhash && python make.py > vectors.json
"""

import json
import random

import xxhash

BUCKETS = 100_000
STRIPE = 32


def vector(salt: str, key: bytes) -> dict:
    hash = xxhash.xxh64(salt.encode() + b"\0" + key, seed=0).intdigest()
    return {
        "salt": salt,
        "key_hex": key.hex(),
        "bucket": hash * BUCKETS >> 64,
    }


def main() -> None:
    draw = random.Random(64)
    keys = [b"", b"user-1", b"user-2", b"\0", b"\xff\xfe\x80", "Zoë".encode(), b" user-1"]
    around = [length + by for length in (8, STRIPE, 2 * STRIPE, 4 * STRIPE) for by in (-2, -1, 0, 1)]
    keys += [draw.randbytes(length) for length in around + [4, 12, 10_240]]
    salts = ["recommender", "", "s", "Zoë", "x" * (STRIPE - 1), "x" * STRIPE, "y" * 255]
    vectors = [vector("recommender", key) for key in keys]
    short = [key for key in keys if len(key) <= 2 * STRIPE][:12]
    vectors += [vector(salt, key) for salt in salts[1:] for key in short]
    lines = ",\n".join("  " + json.dumps(it, ensure_ascii=False) for it in vectors)
    print(f"[\n{lines}\n]")


if __name__ == "__main__":
    main()

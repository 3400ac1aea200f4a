"""Writes the test vectors of this folder: ``python proto/vectors/generate.py``.

Everything is fixed, so a second run writes the same bytes; ``tests/conformance`` checks that, and
replays the vectors through an implementation of its own.
"""

from __future__ import annotations

import json
from pathlib import Path

from decision_vectors import decisions
from direct_vectors import direct
from encoding_vectors import encoding
from key_vectors import keys, sealed_codes
from negative_direct import negative_direct
from negative_encoding import negative_encoding
from negative_keys import negative_keys, negative_sealed_codes
from negative_releases import negative_releases

HERE = Path(__file__).resolve().parent


def files() -> dict[str, str]:
    """The text of each file, by its name."""
    documents = {
        "decisions": decisions(),
        "direct": direct(),
        "encoding": encoding(),
        "keys": keys(),
        "sealed-codes": sealed_codes(),
        "negative/direct": negative_direct(),
        "negative/encoding": negative_encoding(),
        "negative/keys": negative_keys(),
        "negative/releases": negative_releases(),
        "negative/sealed-codes": negative_sealed_codes(),
    }
    return {
        f"{name}.json": json.dumps(content, indent=1, ensure_ascii=True) + "\n"
        for name, content in documents.items()
    }


if __name__ == "__main__":
    for name, text in files().items():
        (HERE / name).write_text(text, "utf-8")

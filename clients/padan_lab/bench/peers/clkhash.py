"""clkhash beside ours, in an environment of its own: it pins an old cryptography and bitarray.

:class:`Clkhash` makes the environment where it is missing and runs this very file there, as a
script that imports nothing of ours: it encodes a file's records once for every line that it is
sent, and answers with the processor time that took. So its rounds and ours can take turns on one
core.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PACKAGE = "clkhash==0.18.3"


def environment() -> Path:
    """Where the environment is kept between runs."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "padan" / "clkhash"


class Clkhash:
    """clkhash, ready to encode ``records`` (a CSV file without a header) again and again.

    ``bits`` and ``positions``: length of a filter and bits a q-gram sets. Raises OSError or
    subprocess.CalledProcessError where the environment cannot be made.
    """

    def __init__(self, folder: Path, records: Path, *, bits: int, positions: int) -> None:
        from padan_lab.bench.peers.environment import python_with

        python = python_with(folder, PACKAGE, "setuptools<81")
        command = [str(python), __file__, str(records), str(bits), str(positions)]
        self._worker = subprocess.Popen(  # noqa: S603 - our own arguments
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.run()  # answers once it has read the records

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._worker.stdin
        self._worker.stdin.close()
        self._worker.wait()

    def run(self) -> dict[str, float]:
        """Encode all records once: processor ``seconds``, and ``fill``, the share set."""
        assert self._worker.stdin
        assert self._worker.stdout
        self._worker.stdin.write("go\n")
        self._worker.stdin.flush()
        line = self._worker.stdout.readline()
        if not line:
            raise OSError("the clkhash environment does not run")
        return dict(json.loads(line))


def schema(columns: int, bits: int, positions: int) -> dict[str, Any]:
    """clkhash's schema: padded bigrams of text columns, ``positions`` bits each."""
    hashing = {
        "comparison": {"type": "ngram", "n": 2, "positional": False},
        "strategy": {"bitsPerToken": positions},
        "hash": {"type": "doubleHash"},
    }
    one = {"format": {"type": "string", "encoding": "utf-8"}, "hashing": hashing}
    kdf = {"type": "HKDF", "hash": "SHA256", "info": "", "salt": "", "keySize": 64}
    return {
        "version": 3,
        "clkConfig": {"l": bits, "kdf": kdf},
        "features": [{"identifier": f"column {i}", **one} for i in range(columns)],
    }


def main(path: str, bits: int, positions: int) -> None:
    """Encode the file's records once for every line of standard input."""
    warnings.simplefilter("ignore")
    from clkhash.bloomfilter import stream_bloom_filters
    from clkhash.key_derivation import generate_key_lists
    from clkhash.schema import from_json_dict

    with Path(path).open(encoding="utf-8", newline="") as file:
        records = list(csv.reader(file))
    made = from_json_dict(schema(len(records[0]), bits, positions))
    keys = generate_key_lists(
        "secret", len(records[0]), key_size=64, salt=b"", info=b"", kdf="HKDF", hash_algo="SHA256"
    )
    for _ in sys.stdin:
        begin = time.process_time()
        filters = [each for each, _, _ in stream_bloom_filters(records, keys, made)]
        seconds = time.process_time() - begin
        fill = sum(each.count() for each in filters) / (bits * len(filters))
        sys.stdout.write(json.dumps({"seconds": seconds, "fill": fill}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

"""The published graph matching attack (Schaefer, Armknecht & Heng, ACSAC 2024) on a dump of ours.

Runs a checkout that you have, with the Python that it needs, and nothing of this project but the
files of a dump:

    padan rehearse A B --profile ketat --dump-encodings dump
    python published_graph_matching.py CHECKOUT dump --pass lahir-depan
    python published_graph_matching.py CHECKOUT dump --pass lahir-depan --plain

The checkout is copied to a temporary folder, because it keeps what it computes. Its encoder for the
victim is replaced by one that hands it the likenesses of the dump's own filters, row by row as the
unit has them; the attacker keeps its own plaintext of the same people. ``--plain`` is the control:
its own Bloom filters of these people, which must fall.

Its embedding scales vectors to length one only with NetMF; of node2vec they must stay as they are.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import os
import shutil
import string
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np


class DumpedEncoder:
    """Stands in the checkout for an encoder: hands out the likenesses of rows that are there."""

    def __init__(self, filters: np.ndarray, keys: np.ndarray, uids: np.ndarray) -> None:
        self._bits = np.unpackbits(filters, axis=1).astype(np.float32) * 2 - 1
        self._keys, self._uids = keys, uids

    def encode_and_compare(self, *_: object, **__: object) -> np.ndarray:
        """Edges (uid, uid, likeness from 0 to 1), float32[pairs, 3]; 0 between two buckets."""
        rows = len(self._bits)
        alike = (1 + self._bits @ self._bits.T / self._bits.shape[1]) / 2
        alike[self._keys[:, None] != self._keys[None, :]] = 0
        a, b = np.triu_indices(rows, 1)
        edges = np.stack([self._uids[a], self._uids[b], alike[a, b]], axis=1)
        return edges.astype(np.float32)


def main() -> None:
    """Attack one pass of a dump and print the share of persons that the checkout finds."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "checkout"
        shutil.copytree(options.checkout, copy, ignore=shutil.ignore_patterns(".git", "results"))
        people = _records(options.dump / "owner" / options.side / "records.csv", options.fields)
        person, filters, keys = _rows(options)
        chosen = np.unique(person[person >= 0])
        _write_people(copy / "data" / "people.tsv", people, chosen)
        os.chdir(copy)
        sys.path.insert(0, str(copy))
        attack: Any = importlib.import_module("main")
        if not options.plain:
            uids = np.where(person >= 0, person + 1, len(people) + 1 + np.arange(len(person)))
            _stand_in(attack, DumpedEncoder(filters, keys, uids.astype(np.float32)))
        mapping = attack.run(*_settings(options))
    found = sum(a[1:] == b[1:] for a, b in mapping.items() if a[0] == "S")
    share = {"persons": len(chosen), "found": found, "share": found / len(chosen)}
    sys.stdout.write(json.dumps(share) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("checkout", type=Path, help="the published code")
    parser.add_argument("dump", type=Path, help="folder of rehearse --dump-encodings")
    parser.add_argument("--side", choices=["a", "b"], default="a")
    parser.add_argument("--pass", dest="pass_id", required=True, help="a pass with a filter")
    parser.add_argument("--rows", type=int, default=1_000, help="rows at most")
    parser.add_argument("--fields", nargs="*", help="what the attacker knows of people; all")
    parser.add_argument("--plain", action="store_true", help="the control: plain Bloom filters")
    parser.add_argument("--embedding", choices=["Node2Vec", "NetMF"], default="Node2Vec")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.dump = options.dump.resolve()
    return options


def _records(path: Path, fields: list[str] | None) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = fields or [name for name in rows[0] if name != "record_id"]
    return [[row[name] for name in names] for row in rows]


def _rows(options: argparse.Namespace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Person, filter and bucket of some rows, in the order of the table."""
    unit = options.dump / "unit" / options.side / options.pass_id
    owner = options.dump / "owner" / options.side / options.pass_id
    person = np.load(owner / "record_of_row.npy").astype(np.int64)
    keys = np.load(unit / "keys.npy").view("<u2").ravel()
    rng = np.random.default_rng(options.seed)
    order = rng.permutation(np.unique(keys))
    sizes = np.cumsum([np.count_nonzero(keys == key) for key in order])
    kept = order[: max(1, int(np.searchsorted(sizes, options.rows, "right")))]
    rows = np.flatnonzero(np.isin(keys, kept))
    return person[rows], np.load(unit / "filters.npy")[rows], keys[rows]


def _write_people(path: Path, people: list[list[str]], chosen: np.ndarray) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow([*(f"field{i}" for i in range(len(people[0]))), "uid"])
        writer.writerows([*people[i], i + 1] for i in chosen.tolist())


def _stand_in(attack: Any, dumped: DumpedEncoder) -> None:
    """The victim's encoder is the dump; the attacker's, asked for afterwards, stays its own."""
    own = attack.NonEncoder
    encoders = iter([dumped])
    attack.NonEncoder = lambda *given, **named: next(encoders, None) or own(*given, **named)


def _settings(options: argparse.Namespace) -> tuple[dict[str, object], ...]:
    """What the checkout's own example sets, for these people."""
    everywhere: dict[str, object] = {
        "Data": "./data/people.tsv", "Overlap": 1, "DropFrom": "Eve", "DevMode": False,
        "BenchMode": False, "Verbose": False, "MatchingMetric": "cosine", "Matching": "MinWeight",
        "Workers": -1, "SaveAliceEncs": False, "SaveEveEncs": False,
    }  # fmt: skip
    encoding: dict[str, object] = {"AliceAlgo": "BloomFilter" if options.plain else "None"}
    encoding["EveAlgo"] = "None"
    embedding: dict[str, object] = {"Algo": options.embedding}
    for who in ("Alice", "Eve"):
        encoding |= {
            f"{who}Secret": f"secret of {who}", f"{who}N": 2, f"{who}Metric": "dice",
            f"{who}BFLength": 1024, f"{who}Bits": 10, f"{who}Diffuse": False, f"{who}T": 10,
            f"{who}EldLength": 1024, f"{who}Charset": string.printable,
        }  # fmt: skip
        embedding |= {
            f"{who}Quantile": 0.9, f"{who}Discretize": False, f"{who}Dim": 128, f"{who}Context": 10,
            f"{who}Negative": 1, f"{who}Normalize": options.embedding == "NetMF",
            f"{who}WalkLen": 100, f"{who}NWalks": 20, f"{who}P": 250, f"{who}Q": 300,
            f"{who}Epochs": 5, f"{who}Seed": options.seed,
        }  # fmt: skip
    aligning: dict[str, object] = {
        "RegWS": "Auto", "RegInit": 1, "Batchsize": 1, "LR": 200.0, "NIterWS": 100, "NIterInit": 5,
        "NEpochWS": 100, "LRDecay": 1, "Sqrt": True, "EarlyStopping": 10, "Selection": "None",
        "MaxLoad": None, "Wasserstein": True,
    }  # fmt: skip
    return everywhere, encoding, embedding, aligning


if __name__ == "__main__":
    main()

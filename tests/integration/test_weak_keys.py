"""Weak keys of direct mode on real processes: two that meet a person open a code, one does not."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import pytest
from agency import CODES, people, registry_table

PEOPLE = [p for p in people(90, seed=41) if len(p["nama"].split()) == 3][:30]
REGISTRY = registry_table(PEOPLE[:20]).to_pylist()


def without(person, *fields):
    return person | dict.fromkeys(fields, "")


def renamed(person, *places):
    """The person with other words in these places of the name."""
    words = person["nama"].split()
    return person | {
        "nama": " ".join("ZAKHARIA" if i in places else w for i, w in enumerate(words))
    }


#: A row of somebody registered, and by which keys it is answered; "" where nothing opens.
ROWS = [
    (without(PEOPLE[0], "nik"), "nama-tempat+nama-lahir+nama-bulan"),
    (without(PEOPLE[1], "nik") | {"nama": PEOPLE[1]["nama"].split()[1]}, ""),
    (without(PEOPLE[2], "nik", "tempat_lahir"), ""),
    (without(PEOPLE[3], "nik", "tanggal_lahir"), ""),
    (renamed(without(PEOPLE[4], "nik", "tempat_lahir"), 0), ""),
    (PEOPLE[5] | {"nik": PEOPLE[5]["nik"][:-1], "tempat_lahir": ""}, "nik-wilayah+nama-lahir"),
    (renamed(PEOPLE[6], 0, 1, 2), ""),
]


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """The rows, and strangers, as ``padan demo`` has them answered by a provider's processes."""
    folder = tmp_path_factory.mktemp("lemah")
    listed = [row for row, _ in ROWS] + [without(p, "nik") for p in PEOPLE[20:]]
    for name, rows in (("registri", REGISTRY), ("daftar", listed)):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "padan_client", "demo", "--mode", "direct", "--json"),
            *("--registry", folder / "registri.csv", "--list", folder / "daftar.csv"),
            *("--out", folder / "hasil"),
        ],
        env={**os.environ, "PADAN_LANG": "id"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["mode"] == "direct"
    with (folder / "hasil" / "codes.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_two_weak_keys_open_a_code_and_one_opens_none(answered):
    codes = [CODES[row["status"]] for row in REGISTRY]
    for number, (_, keys) in enumerate(ROWS):
        row = answered[number]
        assert row["cara"] == (f"direct:{keys}" if keys else ""), number
        assert row["kode"] == codes[number] if keys else row["hasil"] != "ditemukan", number


def test_strangers_without_a_number_are_vouched_for(answered):
    """Name, place and date of birth are enough to say «not found»."""
    assert {row["hasil"] for row in answered[len(ROWS) :]} == {"tidak_ditemukan"}

"""What a column is worth: measured on two files, without a label."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from padan_linkage.advice import Wishes, suggest
from padan_linkage.advice.fields import choose_fields
from padan_linkage.advice.groups import SampledKeys
from padan_linkage.advice.weights import worths

SHARED, APART = 400, 300
TOWNS = [f"{a}{b}ri" for a in ("bau", "den", "ku", "mala", "su") for b in "bdgkmnst"]
VALUES = {"agama": 6, "golongan": 4, "kota": 35}


def two_files(agreeing, seed=1):
    """A list and a registry of 700 people each, 400 of them in both.

    ``agreeing``: column to the share of the 400 in which it is the same by more than chance.
    """
    draw = np.random.default_rng(seed)
    rows = SHARED + APART
    words = ["".join(draw.choice(list("bdgklmnprst") + list("aiueo"), 7)) for _ in range(4 * rows)]
    common = {
        "nama": [f"{a} {b}" for a, b in zip(words[::2], words[1::2], strict=True)],
        "tgl_lahir": (np.datetime64("1950-01-01") + draw.integers(0, 20_000, 2 * rows)).astype(str),
    }
    sides = []
    for first in (0, APART):
        who = np.arange(first, first + rows)
        columns = {name: np.array(values)[who] for name, values in common.items()}
        for name, share in agreeing.items():
            true = np.random.default_rng(7).integers(0, VALUES[name], 2 * rows)[who]
            other = draw.integers(0, VALUES[name], rows)
            kept = np.where(draw.random(rows) < share, true, other)
            columns[name] = np.array([TOWNS[v] for v in kept])
        sides.append(pa.table({n: pa.array(v.tolist(), pa.string()) for n, v in columns.items()}))
    return sides


def test_agreement_and_chance_are_measured_without_a_label():
    a, b = two_files({"agama": 1.0, "kota": 0.95, "golongan": 0.0})
    fields = choose_fields(a, b, {})
    sides = [SampledKeys.of(t, fields.chosen, len(t), s) for t, s in ((a, "A"), (b, "B"))]
    worth = worths(fields, *sides)
    assert worth["agama"].agrees == 1.0
    assert worth["kota"].agrees == pytest.approx(0.95**2, abs=0.05)
    assert worth["golongan"].agrees == pytest.approx(worth["golongan"].chance, abs=0.08)
    assert worth["kota"].nats > worth["agama"].nats > 1
    assert worth["golongan"].nats < 0.1


def test_a_column_that_tells_nothing_is_left_out_and_says_so():
    a, b = two_files({"agama": 1.0, "golongan": 0.0})
    s = suggest(a, b, Wishes())
    assert "golongan" not in {f.name for f in s.fields}
    assert "by chance" in next(x for x in s.left_out if x.column == "golongan").said.en_text
    assert "agama" in {f.name for f in s.fields}
    assert s.findings() == []
    named = suggest(a, b, Wishes(only=("nama", "tgl_lahir", "agama", "golongan")))
    assert "golongan" in {f.name for f in named.fields} | {x.column for x in named.left_out}


def test_what_tells_most_stands_beside_names_first():
    for shares, first in (
        ({"agama": 1.0, "kota": 0.4}, "agama"),
        ({"agama": 0.5, "kota": 1}, "kota"),
    ):
        s = suggest(*two_files(shares), Wishes(own_files=True))
        beside = {x.beside[:1] for p in s.schema.passes for x in p.similar if x.beside}
        assert beside == {(first,)}

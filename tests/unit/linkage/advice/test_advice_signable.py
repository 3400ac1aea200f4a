"""Advice can be signed: the rules that an agreement is held to have nothing against it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from padan_linkage.advice import NoAdviceError, Size, Wishes, suggest
from padan_linkage.advice.profiles import ProfileName
from padan_linkage.agreement import Risk, Severity, example, load_agreement, pass_findings
from padan_linkage.agreement.rules.accepted import unaccepted
from padan_linkage.schema import Kind

DATA = Path(__file__).resolve().parents[5] / "shared/data"
SETS = sorted(p.parent.name for p in DATA.glob("*/truth.csv"))
NUMBERS = {Kind.NIK, Kind.NIP, Kind.NPWP, Kind.PASSPORT, Kind.NIB, Kind.PHONE, Kind.EMAIL}
ROWS = 600


def column(draw, name):
    """A column of made-up values, as officers' files have them."""
    words = ["".join(draw.choice(list("abdeiklmnorstu"), 5)) for _ in range(150)]
    days = np.datetime64("1950-01-01") + draw.integers(0, 20_000, ROWS).astype("timedelta64[D]")
    made = {
        "nik": [f"327301{draw.integers(1, 29):02d}0{draw.integers(1, 9)}70{n:04d}"
                for n in range(1, ROWS + 1)],
        "nama": [" ".join(draw.choice(words, 2)) for _ in range(ROWS)],
        "given_name": draw.choice(words, ROWS).tolist(),
        "surname": draw.choice(words, ROWS).tolist(),
        "nama_ibu": [" ".join(draw.choice(words, 2)) for _ in range(ROWS)],
        "tanggal_lahir": [str(d) for d in days],
        "umur": [str(x) for x in draw.integers(1, 90, ROWS)],
        "kota": [f"kota {w}" for w in draw.choice(words[:40], ROWS)],
        "alamat": [f"jalan {w} nomor {n}" for n, w in enumerate(draw.choice(words, ROWS))],
        "kode_pos": [f"{x:05d}" for x in draw.integers(10_000, 10_900, ROWS)],
        "jenis_kelamin": draw.choice(["L", "P"], ROWS).tolist(),
        "email": [f"{w}{n}@contoh.id" for n, w in enumerate(draw.choice(words, ROWS))],
        "no_hp": [f"0812{x:08d}" for x in draw.integers(0, 10**8, ROWS)],
    }  # fmt: skip
    return made[name]


COLUMNS = (
    "nik", "nama", "given_name", "surname", "nama_ibu", "tanggal_lahir", "umur", "kota", "alamat",
    "kode_pos", "jenis_kelamin", "email", "no_hp",
)  # fmt: skip


def in_an_agreement(s, accepts):
    """What is said against the advice where it stands in an agreement that accepts this."""
    a = load_agreement(example("kemnaker-bkn-2024"))
    (flow,) = (f for f in a.flows if f.id == "asn-status")
    flow = replace(flow, schema=s.schema, expected_records=s.rows, quota=None,
                   accepts=accepts)  # fmt: skip
    changed = a.model_copy(update={"flows": (flow,)})
    return [*pass_findings(changed), *unaccepted(changed)]


def refused(s):
    """Errors of the linter, where the parties accept what the advice says that they must."""
    accepts = (Risk.FILTERS,) if s.likened else ()
    return [f for f in in_an_agreement(s, accepts) if f.severity is Severity.ERROR]


def one_at_a_time(s):
    """No pass lets a requester vary what it does not know beside what it does."""
    for p in s.schema.passes:
        held = [n for x in p.similar for n in x.fields]
        assert len(p.similar) <= 1
        assert not NUMBERS & {s.schema.kind(n) for n in held}
    assert s.profile.filters or not s.likened


@pytest.mark.parametrize("seed", range(6))
def test_whatever_columns_there_are_the_advice_can_be_signed(seed):
    draw = np.random.default_rng(seed)
    chosen = [c for c in COLUMNS if draw.random() < 0.5] or ["nama", "tanggal_lahir"]
    a, b = (pa.table({c: column(draw, c) for c in chosen}) for _ in range(2))
    wishes = Wishes(
        draw.choice(list(ProfileName)), draw.choice(list(Size)),
        rows=int(draw.choice([ROWS, 30_000, 4_000_000])),
    )  # fmt: skip
    try:
        s = suggest(a, b, wishes)
    except NoAdviceError:
        return
    one_at_a_time(s)
    assert s.findings() == []
    assert refused(s) == []


@pytest.mark.skipif(not SETS, reason="the development data are not beside the project")
@pytest.mark.parametrize("name", SETS)
def test_advice_on_the_development_data_can_be_signed(name):
    options = pyarrow.csv.ConvertOptions(strings_can_be_null=False)
    options.column_types = dict.fromkeys(head(DATA / name / "a.csv"), pa.string())
    a = pyarrow.csv.read_csv(DATA / name / "a.csv", convert_options=options)
    b = DATA / name / "b.csv"
    b = pyarrow.csv.read_csv(b, convert_options=options) if b.is_file() else None
    s = suggest(a, b, Wishes(ProfileName.SEIMBANG))
    assert s.likened
    one_at_a_time(s)
    assert s.findings() == []
    assert refused(s) == []


def head(path):
    with path.open() as file:
        return file.readline().strip().replace('"', "").split(",")


def test_advice_for_files_of_ones_own_is_refused_by_an_agreement_and_says_so():
    draw = np.random.default_rng(99)
    a, b = (
        pa.table({c: column(draw, c) for c in ("nama", "tanggal_lahir", "nik")}) for _ in range(2)
    )
    s = suggest(a, b, Wishes(own_files=True))
    assert "pass-oracle" in {f.code for f in refused(s)}
    assert s.findings() == []
    assert "no agreement" in s.signing().en_text
    signable = {p: suggest(a, b, Wishes(p)) for p in ProfileName}
    assert "nothing to accept" in signable[ProfileName.KETAT].signing().en_text
    balanced = signable[ProfileName.SEIMBANG]
    assert {f.code for f in in_an_agreement(balanced, ())} >= {"filters-unaccepted"}
    assert refused(balanced) == []
    assert 'accepts = ["filters"]' in balanced.signing().id_text

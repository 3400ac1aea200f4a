"""Copies are found; twins, namesakes, households and branches are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from padan_lab.generate.plans import Making
from padan_lab.generate.profiles import PopulationProfile, profile
from padan_lab.generate.rates import LIST, LIST_STYLE, Level
from padan_lab.generate.sides import AgencyFile, Rows, batches
from padan_linkage.agreement import example, load_agreement
from padan_linkage.merging.copies import BOUND, Evidence, find_copies
from padan_linkage.normalise import normalise

ROWS, SEED = 6000, 23
FLOWS = {
    "asn": ("kemnaker-bkn-2024", "asn-status"),
    "p3ke": ("kemenkopmk-kemnaker-2023", "p3ke"),
    "imigrasi": ("bpjstk-imigrasi-2023", "izin-tinggal"),
    "wlkp": ("kemnaker-bpjskes-2020", "badan-usaha"),
}


class Population:
    """A generated registry and what its flow compares."""

    def __init__(self, name):
        agreement, flow = FLOWS[name]
        self.schema = load_agreement(example(agreement)).flow(flow).schema
        self._plan = profile(PopulationProfile(name))
        self._making = Making(self._plan, ROWS, 1, 0, seed=SEED, level=Level.REAL)
        self.people = self._making.seating.registry.people
        self.table = self._written(self._plan.registry, self.people)

    def copies(self, count):
        """Some of the people once more, as others write them down; and where each stood."""
        source = np.random.default_rng(SEED).choice(ROWS, count, replace=False)
        plan = self._plan.registry
        hand = AgencyFile("copies", "C", plan.columns, LIST, LIST_STYLE)
        return self._written(hand, self.people[source]), source

    def records(self, table):
        """The normal forms that the flow compares."""
        fields = self.schema.fields
        return {f.name: normalise(f.kind, table[f.name].combine_chunks()).values for f in fields}

    def found(self, table):
        """The copies among the rows of ``table``."""
        return find_copies(self.schema, self.records(table))

    def merged(self, pairs):
        """How many of the pairs (rows as mappings) are merged in a registry that has both."""
        both = [row for pair in pairs for row in pair]
        more = pa.Table.from_pylist([dict.fromkeys(self.table.column_names, "") | r for r in both],
                                    schema=self.table.schema)  # fmt: skip
        copies = self.found(pa.concat_tables([self.table, more]))
        at = {int(c): int(o) for o, c in zip(copies.original, copies.copy, strict=True)}
        places = [ROWS + 2 * n for n in range(len(pairs))]
        return sum(at.get(p) == p + 1 or at.get(p + 1) == p for p in places)

    def _written(self, side, people):
        rows = Rows(people, np.zeros(0, np.int64))
        pieces = batches(side, rows, self._making._world, SEED, Level.REAL, 1 << 16)
        return pa.concat_tables([piece.table for piece in pieces])


@pytest.fixture(scope="module", params=list(FLOWS))
def population(request):
    return request.param, Population(request.param)


@pytest.fixture(scope="module")
def families():
    return Population("p3ke")


def test_near_copies_are_found_and_nobody_else_is(population):
    name, of = population
    table, source = of.copies(600)
    copies = of.found(pa.concat_tables([of.table, table]))
    who = np.concatenate([of.people, of.people[source]])
    assert (who[copies.original] == who[copies.copy]).all()
    found = np.isin(np.arange(ROWS, ROWS + 600), [*copies.copy, *copies.original]).mean()
    # Companies that moved look like branches, passports that were renewed like namesakes'.
    assert found >= {"asn": 0.9, "p3ke": 0.92, "imigrasi": 0.8, "wlkp": 0.65}[name]
    assert (copies.log_odds >= BOUND).all()
    assert not np.isin(copies.original, copies.copy).any()


def people(of, count=1000):
    """Rows with a whole name, date and number."""
    rows = [r for r in of.table.to_pylist() if len(r["nik"]) == 16 and len(r["nama"].split()) > 1]
    return rows[:count]


def other(rng, of, column):
    return of.table[column][int(rng.integers(ROWS))].as_py()


@pytest.mark.parametrize("numbered", [True, False])
def test_a_thousand_twins_stay_two(families, numbered):
    rng, pairs = np.random.default_rng(1), []
    for row in people(families):
        first = "".join(rng.choice(list("abdegiklmnorstu"), 6))
        following = f"{row['nik'][:12]}{int(row['nik'][12:]) + 1:04d}"
        twin = {"nama": f"{first} {row['nama'].split()[-1]}", "nik": following if numbered else ""}
        pairs.append((row, row | twin))
    assert len(pairs) == 1000
    assert families.merged(pairs) == 0


def test_a_thousand_namesakes_stay_two(families):
    rng, pairs = np.random.default_rng(2), []
    for n, row in enumerate(people(families)):
        nik = row["nik"]
        elsewhere = other(rng, families, "nik")[:6].ljust(6, "1")
        others = (
            f"{nik[:12]}{int(nik[12:]) % 50 + 1:04d}",  # the next of that district and day
            f"{elsewhere}{nik[6:12]}{1 + n % 9:04d}",
            f"{elsewhere}{nik[6:]}",
        )
        if others[n % 3] != nik:
            pairs.append((row, row | {"nik": others[n % 3]}))
    assert len(pairs) > 950
    assert families.merged(pairs) == 0


def test_a_relatives_number_makes_no_copy(families):
    homes = {}
    for row in families.table.to_pylist():
        homes.setdefault(row["kk"], []).append(row)
    pairs = [(a, b | {"nik": a["nik"]}) for a, b, *_ in (h for h in homes.values() if len(h) > 1)]
    assert len(pairs) > 500
    assert families.merged(pairs) == 0


def test_a_branch_is_not_its_head():
    of = Population("wlkp")
    rows = [r for r in of.table.to_pylist() if r["npwp"] and r["alamat"]][:900]
    rng, pairs = np.random.default_rng(3), []
    for n, row in enumerate(rows):
        changes = (
            {"nama_usaha": f"{row['nama_usaha']} Cabang Medan"},
            {"nama_usaha": f"{row['nama_usaha']} {2 + n % 7}"},
            {"alamat": other(rng, of, "alamat") or "Jl. Lain 1"},
        )
        pairs.append((row, row | changes[n % 3]))
    assert of.merged(pairs) == 0


RESIDENT = {"nik": "3273010704800003", "nama": "Bagaskara Wicaksono", "tanggal_lahir": "1980-04-07",
            "alamat": "Jl. Kenanga 5 RT 1 RW 2 Bandung"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "evidence"),
    [
        ({}, Evidence.SAME_NUMBER),
        ({"nama": "Dr. H. BAGASKARA WITJAKSONO, M.Si."}, Evidence.SAME_NUMBER),
        ({"nama": "Bagaskara Wicaksona"}, Evidence.SAME_NUMBER),
        ({"tanggal_lahir": "7 April 1980"}, Evidence.SAME_NUMBER),
        ({"tanggal_lahir": "1980-07-04"}, Evidence.SAME_NUMBER),
        ({"alamat": "Jl. Merdeka 9 Medan"}, Evidence.SAME_NUMBER),
        ({"nik": ""}, Evidence.NO_NUMBER),
        ({"nik": "3273010704890003"}, Evidence.SLIP_IN_NUMBER),
        ({"nik": "327301070480003"}, Evidence.SLIP_IN_NUMBER),  # a digit lost
        # Two people, or nobody can say:
        ({"nik": "3273010704800004"}, None),
        ({"nik": "3273010704800021"}, None),
        ({"nik": "", "alamat": "Jl. Merdeka 9 Medan"}, None),
        ({"nik": "", "nama": "Bagaskara Wicaksana"}, None),
        ({"nama": "Baskoro Wicaksono"}, None),
        ({"tanggal_lahir": "2008-11-30"}, None),
    ],
)
def test_what_is_a_copy(families, change, evidence):
    assert families.merged([(RESIDENT, RESIDENT | change)]) == (evidence is not None)
    if evidence is not None:
        rows = [dict.fromkeys(families.table.column_names, "") | RESIDENT | c for c in ({}, change)]
        more = pa.Table.from_pylist(rows, schema=families.table.schema)
        copies = families.found(pa.concat_tables([families.table, more]))
        assert copies.evidence[copies.copy >= ROWS].tolist() == [evidence]


def test_copies_are_merged_pair_by_pair(families):
    """Of a-b and b-c alone, c stays: it is not known to be a."""
    a = RESIDENT
    b = a | {"nik": "3273010704890003", "alamat": ""}
    c = b | {"nama": "Bagaskara"}
    rows = [dict.fromkeys(families.table.column_names, "") | r for r in (a, b, c)]
    more = pa.Table.from_pylist(rows, schema=families.table.schema)
    copies = families.found(pa.concat_tables([families.table, more]))
    mine = copies.copy >= ROWS
    assert mine.sum() == 1
    assert copies.evidence[mine].tolist() == [Evidence.SLIP_IN_NUMBER]


def test_order_and_company_move_no_pair(families):
    """The same rows in another order are the same persons."""
    table, _ = families.copies(300)
    whole = pa.concat_tables([families.table, table])
    order = np.random.default_rng(4).permutation(len(whole))
    one, two = families.found(whole), families.found(whole.take(pa.array(order)))

    said = [tuple(row.values()) for row in pa.table(families.records(whole)).to_pylist()]

    def pairs(copies, rows):
        ends = zip(rows[copies.original].tolist(), rows[copies.copy].tolist(), strict=True)
        return sorted((said[a], said[b]) for a, b in ends)

    assert len(one) > 200
    assert pairs(one, np.arange(len(whole))) == pairs(two, order)


def test_one_row_and_none_have_no_copies(families):
    for count in (0, 1):
        assert len(families.found(families.table.slice(0, count))) == 0

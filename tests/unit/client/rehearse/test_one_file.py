"""One file linked with itself: duplicates are found, and look-alikes left alone, unaided."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from padan_client.rehearse.linking import Rehearsing
from padan_client.rehearse.sides import Keys, Records
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching.one_file.closure import Likely, closed
from padan_linkage.schema import Schema

LETTERS = np.array(list("abdegiklmnoprstuwy"))
NAMES, ADDRESS, LAND = ("depan", "belakang"), "alamat", "negara"


def _schema(*, presence: bool = True, address: bool = True, land: bool = False) -> Schema:
    names = [
        {"fields": [n], "bits": 512, "weight": 100, "diffusion": 10, "group": "nama"} for n in NAMES
    ]
    date = {"fields": ["lahir"], "bits": 512, "weight": 200, "diffusion": 16}
    place = [{"fields": [ADDRESS], "bits": 512, "weight": 150, "diffusion": 10}] * address
    passes = [
        {"id": "lahir", "exact": ["lahir"], "similar": [*names, *place]},
        {"id": "depan", "exact": ["depan:phonetic_first", "lahir:year"],
         "similar": [*names, date, *place]},
        {"id": "belakang", "exact": ["belakang:phonetic_last", "depan:first1"],
         "similar": [*names, date, *place]},
        {"id": "hari", "exact": ["belakang:last1", "lahir:month", "lahir:day"],
         "similar": [*names, date, *place]},
    ]  # fmt: skip
    kinds = {"depan": "person_name", "belakang": "person_name", "lahir": "date"}
    kinds |= {ADDRESS: "address"} if address else {}
    if land:
        kinds[LAND] = "nationality"
        passes += [{"id": LAND, "exact": [LAND, "depan:first2", "lahir:year"],
                    "similar": [*names, date]}]  # fmt: skip
    return Schema.model_validate(
        {
            "fields": [{"name": n, "kind": k} for n, k in kinds.items()],
            "passes": [p | {"bucket_bits": 8} for p in passes],
            "presence": presence,
        }
    )


@dataclass
class MadePeople:
    """Columns of made-up people, and how to spoil them."""

    rng: np.random.Generator
    columns: dict[str, list[str]]

    @classmethod
    def of(cls, rows: int, seed: int) -> "MadePeople":
        """Names are drawn from lists, common and rare; addresses and dates are nearly unique."""
        rng = np.random.default_rng(seed)
        given, last = (_words(rng, 400), _words(rng, 900))
        common = [1 / np.arange(5, 5 + len(words)) for words in (given, last)]
        ranks = [rng.choice(len(c), rows, p=c / c.sum()) for c in common]
        days = rng.integers(0, 25_000, rows)
        columns = {
            "depan": [given[i] for i in ranks[0]],
            "belakang": [last[i] for i in ranks[1]],
            "lahir": [str(np.datetime64("1940-01-01") + int(d)) for d in days],
            ADDRESS: [f"{w} {i}" for w, i in zip(_words(rng, rows), rng.integers(1, 99, rows),
                                                strict=True)],
        }  # fmt: skip
        return cls(rng, columns)

    def __len__(self) -> int:
        return len(self.columns["depan"])

    def add(self, rows: list[int], **changed: list[str]) -> list[int]:
        """Copies of ``rows`` with some columns changed; their numbers."""
        first = len(self)
        for name, column in self.columns.items():
            column.extend(changed.get(name, [column[i] for i in rows]))
        return list(range(first, first + len(rows)))

    def spoil(self, rows: list[int]) -> None:
        """One error in each row: a letter of a name, a day, or another address."""
        for row in rows:
            name = str(self.rng.choice(["depan", "belakang", "lahir", ADDRESS]))
            value = self.columns[name][row]
            if name == "lahir":
                value = f"{value[:8]}{(int(value[8:]) % 28) + 1:02d}"
            elif name == ADDRESS:
                value = f"{_words(self.rng, 1)[0]} {row}"
            else:
                at = int(self.rng.integers(1, len(value)))
                value = value[:at] + str(self.rng.choice(LETTERS)) + value[at + 1 :]
            self.columns[name][row] = value

    def linked(self, demand: float | None = None, *, seed: str = "1", **shape):
        """What a rehearsal of the file finds."""
        schema = _schema(**shape)
        rows = len(self)
        names = [f.name for f in schema.fields]
        records = Records(
            ids=pa.array([str(i) for i in range(rows)]),
            rows=np.arange(rows),
            fields={n: pa.array(self.columns[n]) for n in names},
            quarantined=0,
        )
        policy = MatchPolicy(min_precision=demand or 0.5)
        keys = Keys(schema, seed.encode())
        return Rehearsing(schema, policy, keys, demanded=demand is not None).link(records, None)


def _words(rng: np.random.Generator, number: int) -> list[str]:
    return ["".join(rng.choice(LETTERS, rng.integers(4, 10))) for _ in range(number)]


def _pairs(linked) -> set[tuple[int, int]]:
    return set(zip(linked.a.tolist(), linked.b.tolist(), strict=True))


@pytest.mark.parametrize(
    ("shape", "least"),
    [
        ({}, 0.97),
        pytest.param({"presence": False}, 0.95, marks=pytest.mark.slow),
        pytest.param({"address": False}, 0.9, marks=pytest.mark.slow),
    ],
)
def test_duplicates_are_found_and_counted(shape, least):
    people = MadePeople.of(1500, 1)
    copies = people.add(list(range(300)))
    people.spoil(copies)
    linked = people.linked(**shape)
    found, true = _pairs(linked), set(zip(range(300), copies, strict=True))
    assert len(found & true) >= least * 300
    precision = len(found & true) / len(found)
    assert precision >= 0.97
    assert linked.expected.precision.value == pytest.approx(precision, abs=0.03)
    assert linked.expected.precision.low <= precision <= linked.expected.precision.high
    assert all(a < b for a, b in found)


@pytest.mark.parametrize("address", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_file_without_duplicates_has_next_to_none(address):
    assert len(_pairs(MadePeople.of(2000, 2).linked(address=address))) <= 2


def test_people_of_one_country_are_alike_without_being_the_same():
    """Each country has dates and names of its own; strangers from it share more than others do."""
    lands = [MadePeople.of(500, seed) for seed in (11, 12, 13, 14)]
    people = lands[0]
    for number, land in enumerate(lands):
        days = np.datetime64("1960-01-01") + land.rng.integers(0, 15_000, 60)
        born, named = (land.rng.integers(0, most, 500) for most in (60, 40))
        land.columns["lahir"] = days[born].astype(str).tolist()
        land.columns["belakang"] = [land.columns["belakang"][i] for i in named]
        land.columns[LAND] = [["WNI", "MYS", "SGP", "THA"][number]] * 500
        if land is not people:
            people.add([0] * 500, **land.columns)
    copies = people.add(list(range(0, 2000, 10)))
    people.spoil(copies)
    linked = people.linked(address=False, land=True)
    found, true = _pairs(linked), set(zip(range(0, 2000, 10), copies, strict=True))
    precision = len(found & true) / len(found)
    assert linked.expected.precision.value == pytest.approx(precision, abs=0.06)
    assert linked.expected.precision.low <= precision <= linked.expected.precision.high


@pytest.mark.slow
def test_households_are_no_duplicates():
    """Families of four share surname and address; in such a file nobody is there twice."""
    people = MadePeople.of(500, 3)
    for _ in range(3):
        others = MadePeople.of(500, int(people.rng.integers(1000)))
        people.add(list(range(500)), depan=others.columns["depan"], lahir=others.columns["lahir"])
    assert len(_pairs(people.linked())) <= 10


@pytest.mark.slow
def test_twins_are_no_duplicates():
    """Twins differ in the first name alone, and so does one duplicate in four: both are left.

    Nothing can tell them apart, and there are more twins.
    """
    people = MadePeople.of(1200, 4)
    copies = people.add(list(range(200)))
    people.spoil(copies)
    twins = people.add(list(range(600, 1000)), depan=_words(people.rng, 400))
    linked = people.linked()
    found, true = _pairs(linked), set(zip(range(200), copies, strict=True))
    assert len(found & true) >= 145
    assert len(found & set(zip(range(600, 1000), twins, strict=True))) <= 20
    assert linked.expected.precision.low <= len(found & true) / len(found)


@pytest.mark.slow
def test_a_file_of_one_record_is_one_record():
    """Where everything is equal nothing tells strangers apart; it must still come to an end."""
    people = MadePeople.of(1, 5)
    people.add([0] * 99)
    assert len(_pairs(people.linked())) in {0, 4950}


@pytest.mark.parametrize(
    "rows", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 12))]
)
def test_a_tiny_file_is_linked_and_nothing_is_estimated(rows):
    people = MadePeople.of(rows, 6)
    copies = people.add([0])
    linked = people.linked()
    assert _pairs(linked) <= {(0, copies[0])}
    assert linked.expected.precision.value is None
    assert linked.expected.recall.high is None


@pytest.mark.slow
def test_a_demand_is_met_by_the_surest_pairs():
    people = MadePeople.of(1000, 7)
    people.spoil(people.add(list(range(200))))
    every = people.linked(address=False)
    surer = people.linked(0.9999, address=False)
    assert _pairs(surer) < _pairs(every)
    assert surer.expected.precision.value >= 0.9999
    assert (surer.score.min()) > every.score.min()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_pairs():
    people = MadePeople.of(400, 8)
    people.spoil(people.add(list(range(100))))
    one, two = people.linked(seed="9"), people.linked(seed="9")
    assert _pairs(one) == _pairs(two)
    assert np.array_equal(one.score, two.score)


def test_copies_of_one_copy_are_copies_of_each_other():
    """Record 1 is 0 and is 2, so 0 is 2, in a file where other such pairs show it too."""
    apart = 100
    shown = [(3 * k + i, 3 * k + j) for k in range(1, 5) for i, j in ((0, 1), (0, 2), (1, 2))]
    code = np.array([a * apart + b for a, b in [(0, 1), (1, 2), *shown]])
    found = closed(Likely(code, np.array([0.9, 0.9] + [1.0] * len(shown))), apart)
    assert 0.7 < found.right[found.code.tolist().index(2)] < 0.81
    alone = closed(Likely(code[:2], np.array([0.9, 0.9])), apart)
    assert alone.code.tolist() == code[:2].tolist()

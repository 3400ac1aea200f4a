"""Bound ``profile``: what a requester of direct mode learns of people who are not on its list.

It fills every slot of every key with inputs of its own making, adaptively from list to list, and
looks at what any requester sees: which inputs have labels, whose pseudonyms coincide, what opens
(:mod:`.probed`). Start at :func:`profile`: people of whom something is known are pursued fact
after fact (:func:`pursue`), then nobody in particular is asked about (:mod:`.fishing`). Spec 60,
"Made-up rows".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from padan_lab.games.judging.outcome import Bound
from padan_lab.games.oracle.asking import SURPRISE, Float
from padan_lab.games.oracle.fishing import fish, guessable, reach
from padan_lab.games.oracle.likely import Candidates, LikelyPeople, generated, shares_of
from padan_lab.games.oracle.probed import ProbedTable, columns_of
from padan_linkage.agreement import Flow
from padan_linkage.direct.bound import told_at_most
from padan_linkage.direct.labelling.deciding import Bool
from padan_linkage.direct.labelling.lookup import LabelMeetings

#: Who is asked about is registered as likely as not, before anything is asked.
_REGISTERED = 0.5
#: Somebody's value is among those that are tried, and has a label.
_KNOWN, _LABELLED = 0.97, 0.99
#: Parts in which candidates are asked, likeliest first, and how sure is sure enough to stop.
_PARTS, _SURE = 60, 0.98
#: People whom the attacker knows of.
_REFERENCE = 20_000
#: Days on which those who are asked about may have been born.
_DAYS = 16_000


# One target


@dataclass(repr=False)
class Profiled:
    """What came of one target, by fact; ``taken`` for registered.

    ``bits``; ``right``: whether the best guess is, without the table and with it; ``asked``:
    elements by key, of which ``first`` for the first two facts, and ``most``, had all candidates
    been asked; ``opened``: its code was read.
    """

    bits: dict[str, float] = field(default_factory=dict)
    right: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    first: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    opened: bool = False
    taken: bool = False


#: A fact, the field that it is of, and the slots of a record in which it is asked for, by key.
Fact: TypeAlias = tuple[str, str, tuple[str, ...]]
_DAY: Fact = ("hari", "tanggal_lahir", 2 * ("nama-lahir",))
_MONTH: Fact = ("bulan", "tanggal_lahir", ("nama-bulan",))
_PLACE: Fact = ("tempat", "tempat_lahir", (*2 * ("nama-tempat",), "nama-bulan"))
_DAY_THERE: Fact = ("hari", "tanggal_lahir", 2 * ("nama-tempat",))
_NUMBER: tuple[Fact, ...] = (
    ("wilayah", "nik", ("nik-wilayah",)),
    ("nomor", "nik", (*2 * ("nik-nama",), *4 * ("nik-paruh",), "nik-bulan", "nik")),
)
#: What is asked in which order, by what is known beside the name.
CHAINS: Mapping[str, tuple[Fact, ...]] = {
    "tanggal_lahir": (_DAY, _PLACE, *_NUMBER),
    "tahun_lahir": (_DAY, _PLACE, *_NUMBER),
    "tempat_lahir": (_MONTH, _DAY_THERE, *_NUMBER),
    "": (_DAY, _PLACE, *_NUMBER),
}


def pursue(
    table: ProbedTable, reference: LikelyPeople, who: Mapping[str, str], known: str, facts: int = 9
) -> Profiled:
    """So many facts about a target whose name is known, and ``known`` beside it."""
    before, found = Counter(table.asked), Profiled()
    right = sure = True
    guess = {"nama": who["nama"]}
    if known:
        name = known.replace("tahun", "tanggal")
        guess[name] = who[name][:4] if name != known else who[name]
    person: set[int] = set()
    met: list[LabelMeetings] = []
    for fact, name, slots in CHAINS[known][:facts]:
        values, prior = _candidates(reference, fact, guess)
        for number, key_id in enumerate(slots):
            found.most[key_id] += len(values[number :: len(slots)])
        prior = np.append(prior * (_KNOWN if met else _REGISTERED), 0.0)
        prior[-1] = 1 - prior.sum()
        rows = [guess | {name: value} for value in values]
        after, labels = _tried(
            table, slots, rows, prior, person, reference.namesakes(guess["nama"])
        )
        best = int(after.argmax())
        if fact in (_PLACE[0], _DAY[0]):
            found.first = Counter(table.asked) - before
        fitting = (i for i, v in enumerate(values) if who[name].startswith(_said(fact, v)))
        truth = next(fitting, len(values))
        found.bits[fact] = math.log2(after[truth] / prior[truth]) if right else 0.0
        if len(values) > 1:
            found.right[fact] = int(prior[:-1].argmax()) == truth, right and best == truth
        right &= best == truth
        if best == len(values):
            break
        sure = right
        found.taken, guess[name] = True, _said(fact, values[best])
        met.append(labels)
        mine = set(labels.pseudonym[labels.record == best].tolist())
        person = person & mine if person else mine
    found.asked = Counter(table.asked) - before
    if met and sure and person & table.opens(met).keys():
        found.opened, found.bits["kode"] = True, math.log2(len(table.flow.codes))
    return found


def _candidates(reference: LikelyPeople, fact: str, guess: Mapping[str, str]) -> Candidates:
    """What a field may be, as rows say it, and how likely each is."""
    born = guess.get("tanggal_lahir", "")
    if fact == "hari":
        return reference.dates(born)
    if fact == "bulan":
        days, shares = reference.dates()
        months = Counter(dict.fromkeys((day[:7] for day in days), 0.0))
        for day, share in zip(days, shares.tolist(), strict=True):
            months[day[:7]] += share
        return [f"{month}-01" for month in months], shares_of(list(months.values()))
    if fact == "tempat":
        return reference.places(guess["nama"])
    if fact == "wilayah":
        areas, shares = reference.areas(guess["tempat_lahir"])
        return [f"{area}{born[8:]}{born[5:7]}{born[2:4]}0001" for area in areas], shares
    return reference.numbers(guess["nik"], born)


def _said(fact: str, value: str) -> str:
    """What of a row's value was asked for."""
    return value[: {"bulan": 7, "wilayah": 6}.get(fact)]


def _tried(
    table: ProbedTable,
    slots: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    prior: Float,
    person: set[int],
    namesakes: float,
) -> tuple[Float, LabelMeetings]:
    """How likely each candidate is after asking, the last being none of them, and who was met.

    The likeliest are asked first, part by part, until the ``person`` is met, or while nobody is
    known to be, until one candidate is as good as sure among the target's namesakes. Candidates
    take the ``slots`` of a record, each of a key, in turn.
    """
    order = np.argsort(-prior[:-1], kind="stable")
    asked, hits = np.zeros((2, len(prior)), np.bool_)
    by_chance = table.people * namesakes / _DAYS
    after, labels = prior, []
    size = len(slots) * math.ceil(len(order) / (_PARTS * len(slots)))
    for part in (order[start : start + size] for start in range(0, len(order), size)):
        asked[part] = True
        for number, key_id in enumerate(slots[: len(part)]):
            mine = part[number :: len(slots)]
            met = table.ask(key_id, columns_of([rows[i] for i in mine]))
            if person:
                met = met.only(np.isin(met.pseudonym, np.array([*person], np.uint64)))
            labels.append(replace(met, record=mine[met.record]))
            hits[labels[-1].record] = True
        stranger = SURPRISE if person else max(by_chance, (hits.sum() - 1) / asked.sum())
        after = _weighed(prior, asked, hits, min(stranger, 0.5))
        if hits.any() and (person or after[:-1].max() > _SURE):
            break
    return after, LabelMeetings.joined(labels)


def _weighed(prior: Float, asked: Bool, hits: Bool, stranger: float) -> Float:
    """Chances of the candidates, of whom some were asked, and a ``stranger`` is met so often."""
    likely = np.where(hits, _LABELLED / stranger, (1 - _LABELLED) / (1 - stranger))
    return shares_of(prior * np.where(asked, likely, 1.0))


# The bound


def profile(flow: Flow, targets: int, seed: int, people: int) -> Bound:
    """Pursue so many registered targets, and as many others, by what is known; then fish.

    ``bits``: the most about a target by a charged record, all of which are spent on it. In the
    control evaluations are not charged: anybody made them, were tags hashes without a key.
    """
    assert flow.direct is not None
    assert flow.schema is not None
    registered, strangers = (
        generated(flow, people, 3 * seed),
        generated(flow, _REFERENCE, 3 * seed + 1),
    )
    reference = LikelyPeople.of(flow, _REFERENCE, 3 * seed + 2)
    table, rng = ProbedTable.of(flow, registered, seed), np.random.default_rng(seed)
    inside, outside = (_somebody(c, targets, rng) for c in (registered, strangers))
    details: dict[str, object] = {}
    for known in CHAINS:
        found = [pursue(table, reference, who, known) for who in inside]
        accused = [pursue(table, reference, who, known, 1).taken for who in outside]
        details[f"nama+{known}"] = _told(table, found) | {"accused": float(np.mean(accused))}
    found = [pursue(table, reference, who, "tanggal_lahir", 1) for who in inside]
    details["member"] = _told(table, found)
    details["fishing"] = asdict(fish(table, reference, 2 * people))
    others = {name: column.to_pylist() for name, column in strangers.items()}
    size = flow.expected_records or people
    for records in (100_000, 1_000_000, flow.direct.records_per_day):
        met, profiled = reach(reference, others, size, records)
        numbers = guessable(reference, others, size, records)
        details[f"reach {records}"] = {"met": met, "profiled": profiled, "numbers": numbers}
    told = [t for t in details.values() if isinstance(t, dict) and "bits" in t]
    # These attackers make nothing of how rare words are.
    return Bound(
        round(max(t["bits"] / t["charged"] for t in told), 4),
        round(_bound(flow, _of_one_record(flow)), 4),
        round(max(t["bits"] for t in told), 4),
        details,
    )


def _somebody(
    people: Mapping[str, pa.StringArray], count: int, rng: np.random.Generator
) -> list[dict[str, str]]:
    """So many with all fields and two words of a name: of one word there is no pair."""
    rows = pa.table(dict(people)).to_pylist()
    whole = [row for row in rows if all(row.values()) and " " in row["nama"]]
    return [whole[i] for i in rng.permutation(len(whole))[:count]]


def _bound(flow: Flow, asked: Mapping[str, int]) -> float:
    """Bits about a person by so many elements of each key, at most."""
    assert flow.direct is not None
    assert flow.schema is not None
    return told_at_most(flow.direct, flow.schema, len(flow.codes), asked, rarity=False)


def _of_one_record(flow: Flow) -> dict[str, int]:
    """The elements of each key that one record has."""
    assert flow.direct is not None
    assert flow.schema is not None
    widths = flow.direct.widths(flow.schema)
    return {key.id: width for key, width in zip(flow.direct.keys, widths, strict=True)}


def _told(table: ProbedTable, found: Sequence[Profiled]) -> dict[str, object]:
    """Bits, charge and bound of an average target, and how often guesses are right."""
    bits = [sum(each.bits.values()) for each in found]
    most = [_bound(table.flow, each.most) for each in found]
    facts = dict.fromkeys(fact for each in found for fact in each.right)
    return {
        "bits": round(float(np.mean(bits)), 3),
        "elements": round(float(np.mean([each.asked.total() for each in found])), 1),
        "charged": round(float(np.mean([max(1.0, table.records(e.asked)) for e in found])), 2),
        "bound": round(float(np.mean(most)), 3),
        "until_code": round(float(np.mean([table.records(e.first) for e in found])), 1),
        "opened": float(np.mean([each.opened for each in found])),
        "right": {
            fact: [float(np.mean([each.right.get(fact, (False, False))[way] for each in found]))
                   for way in (0, 1)]
            for fact in facts
        },
    }  # fmt: skip

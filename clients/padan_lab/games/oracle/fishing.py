"""Dictionaries for nobody in particular: how many people does a quota of direct mode profile?

Start at :func:`fish`, which asks a table; :func:`reach` counts the same for a registry that is too
large to be made here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from padan_lab.games.oracle.asking import Float
from padan_lab.games.oracle.likely import LikelyPeople, shares_of
from padan_lab.games.oracle.probed import ProbedTable, columns_of

#: Lists in which a charge is spent, each by what came of those before.
_LISTS = 5

#: By the pseudonym that they met: places asked beside, and two words of a name and a day of birth.
Waiting = dict[int, tuple[int, tuple[str, str]]]


@dataclass(frozen=True)
class Catch:
    """What a dictionary of so many charged ``records`` brought.

    People ``met`` by two words of a name and a day of birth; ``profiled``, those of them whose
    place of birth and code are known too; whole ``numbers`` that were guessed.
    """

    records: int
    met: int
    profiled: int
    numbers: int


def fish(table: ProbedTable, reference: LikelyPeople, records: int) -> Catch:
    """Ask with the likeliest names and days, and for whom that meets with places, list by list."""
    size = records // _LISTS
    book = _dictionary(reference, 2 * size * _LISTS)
    places, labels, whom = reference.places()[0], [], set[int]()
    waiting: Waiting = {}
    for number in range(_LISTS):
        words = book[2 * size * number : 2 * size * (number + 1)]
        labels.append(table.ask("nama-lahir", _named(words)))
        met = zip(labels[-1].pseudonym.tolist(), labels[-1].record.tolist(), strict=True)
        waiting = {p: (0, words[row]) for p, row in met if p not in whom} | waiting
        whom |= waiting.keys()
        for key_id, slots in (("nama-tempat", 2 * size), ("nama-bulan", size)):
            turns = list(_turns(waiting, slots, len(places)))
            if not turns:
                continue
            rows = _named([known for _, known in turns])
            rows["tempat_lahir"] = [places[rank] for rank, _ in turns]
            labels.append(table.ask(key_id, rows))
            done = table.opens(labels).keys()
            waiting = {p: at for p, at in waiting.items() if p not in done}
    profiled = len(whom & table.opens(labels).keys())
    guessed = _guessed(table, reference, records)
    return Catch(records, len(whom), profiled, guessed)


def _dictionary(reference: LikelyPeople, size: int) -> list[tuple[str, str]]:
    """Two words of a name and a day of birth, the likeliest first."""
    words = Counter(" ".join(name.split(" ")[:2]) for name in reference.people["nama"])
    days, shares = reference.dates()
    common = [(name, count) for name, count in words.most_common() if " " in name]
    common = common[: 8 + 4 * size // len(days)]
    likely = np.outer([count for _, count in common], shares).ravel()
    best = np.argsort(-likely, kind="stable")[:size]
    return [(common[i // len(days)][0], days[i % len(days)]) for i in best.tolist()]


def _named(words: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    return {"nama": [name for name, _ in words], "tanggal_lahir": [day for _, day in words]}


def _turns(waiting: Waiting, slots: int, places: int) -> Iterator[tuple[int, tuple[str, str]]]:
    """Ranks of places to ask about beside whose words, whoever was asked about least first."""
    while slots > 0:
        left = [p for p, (rank, _) in waiting.items() if rank < places]
        if not left:
            return
        for pseudonym in sorted(left, key=lambda p: waiting[p][0])[:slots]:
            rank, known = waiting[pseudonym]
            waiting[pseudonym] = rank + 1, known
            yield rank, known
        slots -= len(left)


def _guessed(table: ProbedTable, reference: LikelyPeople, records: int) -> int:
    """People whose NIK was guessed under the two keys that ask for nothing beside it."""
    days, shares = reference.dates()
    best = np.argsort(-shares, kind="stable")[:400]
    niks = reference.people["nik"]
    areas = Counter(nik[:6] for nik in niks).most_common(40)
    serials = Counter(nik[12:] for nik in niks).most_common(12)
    weighed = sorted(
        ((a * s * shares[i], area, days[i], serial)
         for area, a in areas for serial, s in serials for i in best.tolist()),
        reverse=True,
    )[:records]  # fmt: skip
    found: set[int] = set()
    for key_id, shift in (("nik", 0), ("nik-bulan", 40)):
        rows = [{"nik": f"{area}{int(day[8:]) + shift:02d}{day[5:7]}{day[2:4]}{serial}",
                 "tanggal_lahir": day} for _, area, day, serial in weighed]  # fmt: skip
        found |= set(table.ask(key_id, columns_of(rows)).pseudonym.tolist())
    return len(found)


def reach(
    reference: LikelyPeople, others: Mapping[str, Sequence[str]], people: int, records: int
) -> tuple[int, int]:
    """How many of a registry of so many ``people`` are met, and profiled, by so many records.

    What :func:`fish` does, counted on ``others`` who stand for the registered: the commonest first
    two words of names with every day of birth, then beside them the places that are likeliest with
    such a word, whoever it is. A registry of half the size has half as many to be met.
    """
    names = max(1, 2 * records // len(reference.dates()[0]))
    pairs = {pair for pair, _ in reference.pairs.most_common(names) if len(pair) > 1}
    taken = [i for i, name in enumerate(others["nama"])
             if frozenset(name.split(" ")[:2]) in pairs]  # fmt: skip
    if not taken:
        return 0, 0
    places, shares = reference.places()
    at = {place: i for i, place in enumerate(places)}
    beside: dict[str, Float] = defaultdict(lambda: 5 * shares)
    for name, place in zip(*(reference.people[f] for f in ("nama", "tempat_lahir")), strict=True):
        for word in name.split(" ")[:2]:
            beside[word] = beside[word] + np.bincount([at[place]], minlength=len(places))
    likely = np.stack([shares_of(beside[others["nama"][i].split(" ")[0]]) for i in taken])
    truth = np.array([at.get(others["tempat_lahir"][i], -1) for i in taken])
    met: float = people * len(taken) / len(others["nama"])
    asked = np.argsort(-likely, axis=None, kind="stable")[: int(3 * records * len(taken) / met)]
    who, place = np.unravel_index(asked, likely.shape)
    profiled: float = (truth[who] == place).sum() / len(taken)
    return round(met), round(met * profiled)


def guessable(
    reference: LikelyPeople, others: Mapping[str, Sequence[str]], people: int, records: int
) -> int:
    """Of how many of ``people`` the NIK is among the likeliest, guessed as :func:`fish` does.

    As likely as its district, day of birth and serial number are, each by itself.
    """
    days, shares = reference.dates()
    likely = dict(zip(days, shares.tolist(), strict=True))
    areas = Counter(nik[:6] for nik in reference.people["nik"])
    serials = Counter(nik[12:] for nik in reference.people["nik"])
    ends = np.outer([*areas.values()], [*serials.values()]).ravel()
    ordered, low, high = np.sort(shares), 1e-12, float(ends.max())
    while high > 1.01 * low:
        middle = float(np.sqrt(low * high))
        guesses = (len(days) - np.searchsorted(ordered, middle / ends)).sum()
        low, high = (middle, high) if guesses > records else (low, middle)
    rows = zip(others["nik"], others["tanggal_lahir"], strict=True)
    found = (areas[n[:6]] * serials[n[12:]] * likely.get(day, 0.0) >= high for n, day in rows if n)
    share = sum(map(bool, found)) / len(others["nik"])
    return round(people * share)

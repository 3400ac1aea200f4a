"""The advisor for direct mode: from a list and a registry to keys, with a reason for each.

Spec: ``proto/spec/45-advice.md``, "Direct keys".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from padan_linkage.advice.direct.choosing import (
    LEAST_GAIN,
    MOST_ELEMENTS,
    Choosing,
    KeysRate,
    Numbers,
)
from padan_linkage.advice.direct.judging import met, passed_over, proposed
from padan_linkage.advice.direct.rehearsal import KeyRehearsal, some_rows
from padan_linkage.advice.direct.subjects import Subjects, without_copies
from padan_linkage.advice.direct.templates import candidates
from padan_linkage.advice.fields import FieldChoice, choose_fields
from padan_linkage.advice.remarks import Remark
from padan_linkage.advice.suggest import NoAdviceError, Wishes
from padan_linkage.direct.bound import told_by_records
from padan_linkage.direct.schema import DirectKey, DirectSchema

#: An epoch's evaluations of a key (spec 60, "Commitment").
_EVALUATIONS = 1 << 24
#: Records for which the bound on what a person can be asked is told.
_PURSUITS = (1, 10, 100, 10_000)
#: A flow's codes, of which nothing is known here: that holds, does not, ceased.
_CODES = 3


@dataclass(frozen=True)
class KeyChoice:
    """A key that is proposed, by the fields' names; ``met``: the share of people it meets."""

    chosen: DirectKey
    unchecked: bool
    met: float
    said: Remark


@dataclass(frozen=True)
class AloneOption:
    """What a weak key would do if it opened alone, whether it is ``proposed`` as a share or not.

    ``gain``: people more; ``strangers``: of those who are not registered, who would be answered;
    ``reach``: people whose code a day's quota would read by made-up values; ``worth``: named as an
    option, for it finds enough more at a tolerable price.
    """

    key: DirectKey
    proposed: bool
    gain: float
    strangers: float
    reach: int
    worth: bool


@dataclass(frozen=True)
class KeySuggestion:
    """The ``[flow.direct]`` part, with its reasons.

    ``rows``: the registry's size; ``people``: those who were taken for it; ``households``: by what
    people of one household were found, "" if nobody's were; ``bound``: records spent on one person
    and the most bits that they tell.
    """

    schema: DirectSchema
    fields: tuple[FieldChoice, ...]
    keys: tuple[KeyChoice, ...]
    passed_over: tuple[Remark, ...]
    options: tuple[AloneOption, ...]
    rate: KeysRate
    elements: int
    rows: int
    people: int
    households: str
    bound: tuple[tuple[int, float], ...]

    def rehearsed(self) -> Remark:
        """By whom, and how, the figures were found."""
        mates_id = {"kk": "kartu keluarga", "address": "alamat",
                    "district": "kecamatan pada NIK dan kata terakhir nama"}  # fmt: skip
        mates_en = {"kk": "family card", "address": "address",
                    "district": "district of the NIK and last word of the name"}  # fmt: skip
        swaps_id = swaps_en = ""
        if self.households:
            swaps_id = (
                f" Nomor yang tertukar: orang serumah menurut {mates_id[self.households]}; "
                f"{self.rate.swaps:.3%} baris dijawab untuk orang lain."
            )
            swaps_en = (
                f" Swapped numbers: people of one household by {mates_en[self.households]}; "
                f"{self.rate.swaps:.3%} of rows would be answered for somebody else."
            )
        strangers = f"{self.rate.strangers:.3%}"
        wrong_id = f"{strangers} orang yang tidak terdaftar dijawab"
        wrong_en = f"{strangers} of strangers are answered"
        if not self.rate.seen:
            wrong_id = (
                "tidak seorang pun yang tidak terdaftar dijawab dalam contoh ini; untuk registri "
                f"sebenarnya ditaksir {strangers}, kerabat mungkin tidak terhitung"
            )
            wrong_en = (
                "no stranger was answered in this sample; for the whole registry "
                f"{strangers} is an estimate, which may not count relatives"
            )
        return Remark(
            f"Latihan atas {self.people} orang registri, untuk {self.rows}: {self.rate.found:.1%} "
            f"ditemukan walau ada kesalahan; {wrong_id}.{swaps_id}",
            f"Rehearsed on {self.people} of the registry's people, for {self.rows}: "
            f"{self.rate.found:.1%} are found in spite of errors; {wrong_en}.{swaps_en}",
        )


def suggest_keys(a: pa.Table, b: pa.Table, wishes: Wishes) -> KeySuggestion:
    """Propose direct keys for list ``a`` and registry ``b``, tables of strings.

    Raises NoAdviceError if no key can be made, KeyError if ``wishes`` names a column that neither
    table has.
    """
    present = {*a.column_names, *b.column_names}
    for name in (*wishes.kinds, *wishes.only):
        if name not in present:
            raise KeyError(name)
    subjects = Subjects.of(choose_fields(a, b, wishes.kinds, wishes.only), b)
    found = candidates(subjects)
    if not found:
        raise NoAdviceError(_nothing(subjects))
    registry = subjects.columns(some_rows(b), "B")
    once = pa.array(without_copies(registry, subjects.identifiers))
    registry = {role: column.take(once) for role, column in registry.items()}
    rows = wishes.rows or b.num_rows
    rehearsal = KeyRehearsal.of(
        subjects, found, registry, subjects.columns(some_rows(a), "A"), rows
    )
    choosing = Choosing(rehearsal)
    chosen = choosing.chosen()
    if not chosen:
        raise NoAdviceError(_nothing(subjects))
    return _suggestion(subjects, choosing, chosen, a.num_rows)


def _suggestion(
    subjects: Subjects, choosing: Choosing, chosen: Numbers, listed: int
) -> KeySuggestion:
    """The keys by the fields' names, and what is to be said of them."""
    every = (*chosen, *choosing.unchecked())
    keys = [choosing.key(n) for n in every]
    quota = min(listed, _EVALUATIONS // max(choosing.width([n]) for n in every))
    direct = DirectSchema(keys=tuple(keys), records_per_day=quota, records_per_list=quota)
    return KeySuggestion(
        schema=direct.model_copy(update={"keys": tuple(map(subjects.named, keys))}),
        fields=tuple(subjects.used(keys)),
        keys=tuple(_choice(subjects, choosing, chosen, n) for n in every),
        passed_over=tuple(
            passed_over(choosing, chosen, n)
            for n in range(len(choosing.rehearsal.candidates))
            if n not in every
        ),
        options=tuple(_options(subjects, choosing, chosen, quota)),
        rate=choosing.rate(chosen),
        elements=choosing.width(every),
        rows=choosing.rehearsal.rows,
        people=choosing.rehearsal.people,
        households=choosing.rehearsal.households,
        bound=tuple(
            (n, told_by_records(direct, choosing.rehearsal.fields, _CODES, n)) for n in _PURSUITS
        ),
    )


def _choice(subjects: Subjects, choosing: Choosing, chosen: Numbers, number: int) -> KeyChoice:
    return KeyChoice(
        subjects.named(choosing.key(number)),
        choosing.rehearsal.candidates[number].unchecked,
        met(choosing, number),
        proposed(choosing, chosen, number),
    )


def _options(
    subjects: Subjects, choosing: Choosing, chosen: Numbers, quota: int
) -> Iterator[AloneOption]:
    """What a weak key would buy and cost if it opened alone; of keys not chosen, if it is worth."""
    r = choosing.rehearsal
    for number in (n for n, c in enumerate(r.candidates) if c.key.weak):
        together = {*chosen, number}
        opened = choosing.rate(together, alone=[number])
        gain = opened.found - choosing.rate(chosen).found
        few = choosing.width(together) <= MOST_ELEMENTS and choosing.estimable([number])
        worth = gain >= LEAST_GAIN and opened.tolerable and few
        hits = min(1.0, r.made_up[number] * r.scale)
        reach = min(r.rows, int(quota * choosing.width([number]) * hits))
        if worth or number in chosen:
            key = subjects.named(choosing.key(number)).model_copy(update={"alone": True})
            yield AloneOption(key, number in chosen, gain, opened.strangers, reach, worth)


def _nothing(subjects: Subjects) -> Remark:
    seen = ", ".join(sorted(f.name for f in subjects.chosen.values())) or "–"
    return Remark(
        f"Tidak ada kunci yang dapat disarankan dari ruas bersama ({seen}) untuk registri sebesar "
        "ini: perlu nomor identitas dan nama, atau nama, tanggal lahir dan tempat; atau lebih "
        "banyak baris registri untuk latihan.",
        f"No key can be proposed for the common fields ({seen}) and a registry of this size: an "
        "identifier and a name are needed, or name, birth date and place; or more rows of the "
        "registry to rehearse with.",
    )

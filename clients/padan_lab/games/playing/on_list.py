"""Games `on_list_unit`, `on_list_provider` and `crooked_table`: is this person on the list?

The attacker knows every value of a target and has no key. In one world the target is on two lists
and asked about in real time; in the other somebody stands in for it whom sizes and matches keep
alike (:mod:`.casting`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from padan.v1.reason_texts import ServerKind
from padan_lab.games.judging.contest import Plays, Result, contest
from padan_lab.games.judging.outcome import Outcome
from padan_lab.games.playing.casting import Casting
from padan_lab.games.playing.listing import SeenSlots, Slot
from padan_lab.games.seeing.rows import whole_rows
from padan_lab.games.seeing.transcript import RecordedCall, Transcript
from padan_linkage.answering.outcomes import MATCHED
from padan_linkage.schema import Schema

_ASK = "ConfirmationService.ConfirmRecords"
#: Times are told apart by so many seconds.
_TICK = 0.05

Told = dict[str, float]
#: Plays to train on, and plays to judge by.
Sides: TypeAlias = Sequence[SeenSlots]
#: What is seen of a play, by name.
Teller: TypeAlias = Callable[[Casting, Slot], Told]


def unit_game(schema: Schema, sides: Sides, seed: int) -> Outcome:
    """What the unit can tell."""
    tell = unit_teller(schema)
    rng = np.random.default_rng(seed)
    parts = {"lists and question": _contest(tell, sides, seed)}
    control = _contest(tell, [unasked(schema, seen, rng) for seen in sides], seed)
    return Outcome("unit", "unit", parts, {"a pass without the fields is not asked": control})


def provider_game(unit: Sides, direct: Sides, seed: int) -> Outcome:
    """What the provider can tell: in unit mode of minutes, in direct mode of what it is sent."""
    rng = np.random.default_rng(seed)
    parts = {
        "unit mode: minutes": _contest(minutes_told, unit, seed),
        "direct mode: minutes": _contest(minutes_told, direct, seed),
        "direct mode: list and question": _contest(sent_told, direct, seed),
    }
    controls = {
        "a count of every code": _contest(minutes_told, [counted(s, rng) for s in unit], seed),
        "a key less": _contest(sent_told, [a_key_less(s, rng) for s in direct], seed),
    }
    return Outcome("provider", "unit, direct", parts, controls)


def crooked_game(sides: Sides, seed: int) -> Outcome:
    """What a provider learns by labels that it left out or bent, alone and with the unit."""
    rng = np.random.default_rng(seed)
    parts = {
        "provider": _contest(sent_told, sides, seed),
        "provider and unit": _contest(_together_told, sides, seed),
    }
    leaking = [a_key_less(seen, rng) for seen in sides]
    controls = {"a key less": _contest(sent_told, leaking, seed)}
    return Outcome("provider", "direct, auto", parts, controls)


def _contest(tell: Teller, sides: Sides, seed: int) -> Result:
    told_of = [[tell(seen.casting, slot) for slot in seen.slots] for seen in sides]
    names = sorted({name for told in told_of for one in told for name in one})
    plays = [
        Plays.of(
            {name: np.array([one.get(name, -1.0) for one in told]) for name in names},
            seen.truth,
            seen.clusters,
        )
        for told, seen in zip(told_of, sides, strict=True)
    ]
    return contest(plays[0], plays[1], seed)


def unit_teller(schema: Schema) -> Teller:
    """What the unit sees of a play, beside what it knows of the target."""
    ids = [p.id for p in schema.passes]
    of_list: dict[int, Told] = {}

    def listed(transcript: Transcript) -> Told:
        if id(transcript) not in of_list:
            of_list[id(transcript)] = _list_told(transcript)
        return of_list[id(transcript)]

    def tell(casting: Casting, slot: Slot) -> Told:
        takes, registered = casting.takes[slot.target], casting.codes[slot.target] != ""
        told = {"takes part": float(takes.sum()), "registered": float(registered)}
        told |= question_told(ids, takes, registered, slot.question)
        for name, one in zip(("list", "next"), slot.lists, strict=True):
            told |= {f"{name} {key}": value for key, value in listed(one).items()}
        return told

    return tell


def question_told(
    ids: list[str], takes: NDArray[np.bool_], registered: bool, question: Transcript
) -> Told:
    """A question in real time beside what the target's fields would make of it."""
    asked: dict[str, int] = {}
    found: dict[str, bool] = {}
    for call in question.of(_ASK):
        p = call.sent[0].pass_id  # type: ignore[attr-defined]
        asked[p] = asked.get(p, 0) + call.sent[0].rows.row_count  # type: ignore[attr-defined]
        answered = [bytes(answer.rows.outcomes) for answer in call.answered]  # type: ignore[attr-defined]
        found[p] = MATCHED in b"".join(answered)
    expected = dict(zip(ids, takes.tolist(), strict=True))
    order = [ids.index(p) for p in asked]
    return {
        "asked": float(len(asked)),
        "asked as expected": float(sum((p in asked) == expected[p] for p in ids)),
        "rows asked": float(sum(asked.values())),
        "found as expected": float(
            sum(found.get(p, False) == (expected[p] and registered) for p in ids)
        ),
        "first asked": float(order[0]) if order else -1.0,
        "in order": float(order == sorted(order)),
        **traffic(question.calls, "question"),
    }


def traffic(calls: list[RecordedCall], name: str) -> Told:
    """Number, size, order, coarse time and refusals of calls; each method's calls and answers."""
    told = {
        f"{name} calls": float(len(calls)),
        f"{name} bytes": float(sum(call.size for call in calls)),
        f"{name} ticks": float(sum(call.seconds for call in calls) // _TICK),
        f"{name} refusals": float(sum(call.refusal != "" for call in calls)),
        f"{name} messages": float(sum(len(call.sent) for call in calls)),
        f"{name} largest": float(max((call.size for call in calls), default=0)),
    }
    for call in calls:
        for what, value in (("calls", 1), ("answers", len(call.answered)), ("sent", call.size)):
            key = f"{name} {call.method} {what}"
            told[key] = told.get(key, 0.0) + value
    return told


def _list_told(transcript: Transcript) -> Told:
    """A list: its traffic and its tables."""
    return {**traffic(transcript.calls, "traffic"), **_table_told(transcript)}


def _table_told(transcript: Transcript) -> Told:
    """By pass how many rows there are, how many matched, and how many are in company."""
    told: Told = {}
    outcomes = transcript.outcomes()
    tables = transcript.tables()
    for p, columns in tables.items():
        _, number, count = np.unique(
            whole_rows(columns["keys"]), return_inverse=True, return_counts=True
        )
        told[f"{p} rows"] = float(len(columns["keys"]))
        told[f"{p} matched"] = float((outcomes[p] == MATCHED).sum())
        told[f"{p} in company"] = float((count[number] > 1).sum())
    if tables:
        told["first pass"] = float(sorted(tables).index(next(iter(tables))))
    return told


def unasked(schema: Schema, seen: SeenSlots, rng: np.random.Generator) -> SeenSlots:
    """In every second play a pass is left out that the person who is asked about has no row in."""
    ids = [p.id for p in schema.passes]

    def leak(slot: Slot) -> Slot:
        takes = dict(zip(ids, seen.casting.takes[slot.asked].tolist(), strict=True))
        calls = [
            call
            for call in slot.question.calls
            if call.method != _ASK or takes[call.sent[0].pass_id]  # type: ignore[attr-defined]
        ]
        return replace(slot, question=Transcript(calls))

    return _every_second(seen, leak, rng)


def sent_told(casting: Casting, slot: Slot) -> Told:
    """What the provider's server gets of a play in direct mode."""
    told = {"registered": float(casting.codes[slot.target] != "")}
    for name, one in zip(("list", "next", "question"), (*slot.lists, slot.question), strict=True):
        told |= traffic(one.to(ServerKind.PROVIDER), name)
    return told


def _together_told(casting: Casting, slot: Slot) -> Told:
    """The same, and what the unit gets in mode auto."""
    told = sent_told(casting, slot)
    for name, one in zip(("list", "next"), slot.lists, strict=True):
        told |= traffic(one.to(ServerKind.UNIT), f"{name} unit")
        told |= {f"{name} {key}": value for key, value in _table_told(one).items()}
    return told


def a_key_less(seen: SeenSlots, rng: np.random.Generator) -> SeenSlots:
    """In every second play the question of a registered target ends a call earlier, as once."""

    def leak(slot: Slot) -> Slot:
        if not slot.there or not seen.casting.codes[slot.target]:
            return slot
        sent = slot.question.to(ServerKind.PROVIDER)
        return replace(slot, question=Transcript(sent[:-1]))

    return _every_second(seen, leak, rng)


def minutes_told(casting: Casting, slot: Slot) -> Told:
    """What minutes say, and of the target's code above all; the others on the list are known."""
    told = {f"minutes {name}": value for name, value in _numbers(slot.told)}
    code = casting.codes[slot.target]
    counts = slot.told.get("counts")
    cell = counts.get(code) if isinstance(counts, dict) else None
    known = sum(casting.codes[who] == code for who in slot.others)
    shown = float(cell) if isinstance(cell, int) else -1.0
    return {"cell": shown, "cell beyond the others": shown - known if shown >= 0 else 0.0, **told}


def _numbers(value: object, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number in a document, by where it stands."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _numbers(part, f"{name}.{key}")
    elif isinstance(value, int | float):
        yield name, float(value)


def counted(seen: SeenSlots, rng: np.random.Generator) -> SeenSlots:
    """In every second play the minutes count each code exactly, as they once did."""

    def leak(slot: Slot) -> Slot:
        codes = [seen.casting.codes[who] for who in (*slot.others, slot.asked)]
        counts = {code: codes.count(code) for code in set(codes)}
        return replace(slot, told={**slot.told, "counts": counts})

    return _every_second(seen, leak, rng)


def _every_second(
    seen: SeenSlots, leak: Callable[[Slot], Slot], rng: np.random.Generator
) -> SeenSlots:
    chosen = rng.random(len(seen.slots)) < 0.5
    slots = [leak(slot) if c else slot for slot, c in zip(seen.slots, chosen, strict=True)]
    return replace(seen, slots=tuple(slots))

"""Vectors of decisions: whom a record met, by which keys, and its answer (spec 60, "Answers").

With weights ("Score") and without; what ties is among them, and what is just enough.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from padan_linkage.answering.outcomes import OUTCOME_WORDS, REASON_WORDS
from padan_linkage.direct.labelling.deciding import Acquaintances, Encounters, Said, decide
from padan_linkage.direct.labelling.rarity import NONE, RAREST
from padan_linkage.direct.schema import DirectSchema

KEYS: list[dict[str, Any]] = [
    {"id": "nik-nama", "exact": ["nik", "nama:words"], "values": 2},
    {"id": "nik-bulan", "exact": ["nik", "tanggal_lahir:year_month"], "without": ["nama"]},
    {"id": "wilayah", "exact": ["nik:area", "nama:phonetic", "tanggal_lahir:year_month"],
     "weak": True},
    {"id": "tempat", "exact": ["nama:words", "tanggal_lahir|nik:birth_date", "tempat_lahir"],
     "values": 2, "weak": True},
    {"id": "dua-kata", "exact": ["nama:pairs", "tanggal_lahir|nik:birth_date"], "weak": True,
     "alone": True},
]  # fmt: skip
SCORE: dict[str, Any] = {
    "threshold": 118,
    "rows": 1_000_000,
    "margin": 9,
    "parts": {"nik": 82, "nik:area": 15, "nama:words": 4, "nama:phonetic": 11, "nama:pairs": 12,
              "tanggal_lahir:year_month": 20, "tanggal_lahir|nik:birth_date": 25,
              "tempat_lahir": 9},
    "missed": {"nik-nama": -12, "tempat": -6, "dua-kata": 3},
    "names": 7,
    "places": 5,
}  # fmt: skip
#: Of a base table: at, just below and beyond the next halving and doubling, very small, very large.
ROWS = [1_000_000, 999_999, 840_897, 840_896, 1_189_207, 1_189_208, 500_000, 4, 1 << 40]
RECORDS = 120


def decisions() -> dict[str, Any]:
    """Every record twice, weighed and not."""
    drawn = random.Random(6013)  # noqa: S311 - cases, no secrets
    records = [_record(drawn) for _ in range(RECORDS)]
    weighed = DirectSchema.model_validate(_schema(SCORE))
    return {
        "spec": "proto/spec/60-direct-mode.md",
        "keys": KEYS,
        "score": SCORE,
        "thresholds": [[rows, _threshold(weighed, rows)] for rows in ROWS],
        "records": [
            record
            | {
                "unweighed": _answer(DirectSchema.model_validate(_schema(None)), record),
                "weighed": _answer(weighed.at(record["rows"]), record),
            }
            for record in records
        ],
    }


def _schema(score: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"keys": KEYS, "records_per_day": 1, "records_per_list": 1, "score": score}


def _threshold(schema: DirectSchema, rows: int) -> int:
    score = schema.at(rows).score
    assert score is not None
    return score.threshold


def _record(drawn: random.Random) -> dict[str, Any]:
    """The keys that a record asks, and up to four persons whom it met by some of them."""
    ids = [key["id"] for key in KEYS]
    asked = [i for i in ids if drawn.random() < 0.85] or ids[:1]
    persons = []
    for _ in range(drawn.choice((1, 1, 2, 3, 4))):
        met = [i for i in asked if drawn.random() < 0.6] or [drawn.choice(asked)]
        persons.append(
            {
                "met": {i: _rarity(drawn, i) for i in met},
                "code": drawn.choice((1, 1, 2)),
                "set_aside": drawn.random() < 0.08,
            }
        )
    rows = drawn.choice((1_000, 1_000_000, 90_000_000))
    return {"rows": rows, "asked": asked, "persons": persons}


def _rarity(drawn: random.Random, key: str) -> int:
    """The byte of the value: of its name below, of its place above."""
    name = NONE if key == "nik-bulan" else drawn.randint(0, RAREST)
    place = drawn.randint(0, RAREST) if key == "tempat" else NONE
    return name | place << 4


def _answer(schema: DirectSchema, record: Mapping[str, Any]) -> dict[str, Any]:
    number = {key.id: n for n, key in enumerate(schema.keys)}
    persons: Sequence[Mapping[str, Any]] = record["persons"]
    meetings = [(p, number[k], r) for p, one in enumerate(persons) for k, r in one["met"].items()]
    person, key, rarity = (np.array(column) for column in zip(*meetings, strict=True))
    asked = np.array([[key.id in record["asked"] for key in schema.keys]])
    nobody = np.zeros(len(person), np.int64)
    met, _ = Acquaintances.of(
        schema, Encounters(nobody, person, key, rarity.astype(np.uint8)), asked
    )
    said = Said(
        np.array([0 if p["set_aside"] else p["code"] for p in persons], np.uint64),
        np.array([p["set_aside"] for p in persons]),
        np.zeros(len(persons), np.bool_),
    )
    made = decide(schema, 1, met, said)
    answers, matched = made.answers, OUTCOME_WORDS[made.answers.outcome[0]] == "ditemukan"
    way = made.ways[answers.answered_by[0]] if matched else ()
    return {
        "weights": met.score.tolist() if schema.score else [],
        "outcome": OUTCOME_WORDS[answers.outcome[0]],
        "reason": REASON_WORDS[answers.reason[0]],
        "code": int(answers.code[0]),
        "way": [schema.keys[n].id for n in way],
    }

"""One file against itself: what its owner, who alone holds it, gives the linker.

Beside the tables of every pass that is what no linkage unit gets to see: which records share an
exact key, and strangers made for the purpose. Spec: ``proto/spec/35-matching.md``, "One table".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.rehearse.sides import Keys, Records
from padan_linkage.answering.estimates import Expected, PassEstimate, Share
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.matching import OwnFile, OwnTable, WithinResult
from padan_linkage.matching.result import MOST_NATS, Scoring
from padan_linkage.merging.union import poisson_above, poisson_below
from padan_linkage.normalise import derive, sound_values
from padan_linkage.schema import Kind, Pass, Schema, SchemaField, Segment

#: Groups of strangers, each under a salt of its own, and records in them all together.
GROUPS, STRANGERS = 40, 16_000
#: How many times more or fewer wrong pairs there may be than expected.
UNSURE = 2.0
#: Values of one segment of several fields are told apart by this.
_APART = "\x1f"
#: The field that salts strangers.
_GROUP = "padan_group"


def own_file(
    schema: Schema, keys: Keys, records: Records, turn: Callable[[Pass], None], threads: int = 1
) -> OwnFile:
    """The file as its owner has it; ``turn`` hears of every pass when it is its turn."""
    bare = _bare(schema)

    def tables() -> Iterator[OwnTable]:
        for p, whole in zip(bare.passes, schema.passes, strict=True):
            turn(whole)
            encoded = keys.encode(
                p, records, provider=False, threads=threads, schema=bare, cover=False
            )
            yield OwnTable(p, encoded.table, encoded.record_of_row, encoded.tokens)

    return OwnFile(
        records=len(records),
        passes=tables(),
        strangers=[_strangers(bare, keys, p, records) for p in _covering(bare)],
        values=_values(schema, records),
    )


def _bare(schema: Schema) -> Schema:
    """The same as its owner compares it: no fields beside others, and names in parts everywhere.

    Fields beside would make several segments differ together, which counts them several times.
    Names that stand as one where a unit must not see their parts are compared by those at home.
    """
    parts = _parts_of_names(schema)
    fields = [{n for s in p.similar for n in s.fields} for p in schema.passes]
    told = {n for s in parts for n in s.fields}
    beside_parts = {n for names in fields if told <= names for n in names}

    def segments(p: Pass) -> Iterator[Segment]:
        for s in p.similar:
            name = schema.kind(s.fields[0]) is Kind.PERSON_NAME and len(s.fields) == 1
            as_one = name and s.fields[0] not in beside_parts
            yield from parts if parts and as_one else (s,)

    passes = tuple(
        p.model_copy(
            update={"similar": tuple(s.model_copy(update={"beside": ()}) for s in segments(p))}
        )
        for p in schema.passes
    )
    return schema.model_copy(update={"passes": passes})


def _parts_of_names(schema: Schema) -> tuple[Segment, ...]:
    """Segments of given name and surname, from the first pass that has them; none if none has."""
    for p in schema.passes:
        parts = [s for s in p.similar if s.group and schema.kind(s.fields[0]) is Kind.PERSON_NAME]
        if len(parts) > 1:
            return tuple(parts)
    return ()


def _covering(schema: Schema) -> list[Pass]:
    """As few passes as hold every kind of segment that there is."""
    chosen: list[Pass] = []
    known: set[str] = set()
    for p in sorted(schema.passes, key=lambda p: -len(p.similar)):
        new = {s.model_dump_json() for s in p.similar} - known
        if new:
            chosen.append(p)
            known |= new
    return chosen


def _strangers(schema: Schema, keys: Keys, p: Pass, records: Records) -> OwnTable:
    """Records in random groups, each group salted as if its members shared the exact fields.

    The table never leaves the house: it would lay the whole file open to comparison.
    """
    order = _drawn(len(records), keys.randomness(f"strangers {p.id}"))
    groups = np.arange(len(order)) * GROUPS // len(order)
    salted = schema.model_copy(
        update={
            "fields": (*schema.fields, SchemaField(name=_GROUP, kind=Kind.CODE)),
            "passes": (p.model_copy(update={"exact": (_GROUP,)}),),
            "decoy_share": 0.0,
        }
    )
    fields = {name: column.take(pa.array(order)) for name, column in records.fields.items()}
    fields[_GROUP] = pa.array([str(g) for g in groups.tolist()])
    group = replace(
        records,
        ids=pa.array([str(i) for i in range(len(order))]),
        rows=np.arange(len(order), dtype=np.int64),
        fields=fields,
    )
    encoded = keys.encode(
        salted.passes[0], group, provider=False, threads=1, schema=salted, cover=False
    )
    whose = np.where(encoded.record_of_row >= 0, order[encoded.record_of_row], -1)
    return OwnTable(salted.passes[0], encoded.table, whose, encoded.tokens)


def _drawn(records: int, drbg: Drbg) -> NDArray[np.int64]:
    """Records in random order, a small file's over and over."""
    rounds = max(1, STRANGERS // max(1, records))
    orders = [drbg.permutation(records) for _ in range(rounds)]
    return np.concatenate(orders)[:STRANGERS]


def _values(schema: Schema, records: Records) -> dict[str, NDArray[np.int64]]:
    """Equal numbers for equal values: of every exact key, and of every segment's fields."""
    found = {}
    beside = [name for p in schema.passes for s in p.similar for name in s.beside]
    for key in dict.fromkeys([*(key for p in schema.passes for key in p.exact), *beside]):
        name, _, derivation = key.partition(":")
        values = records.fields[name]
        found[key] = _numbered(derive(schema.kind(name), derivation, values)
                               if derivation else sound_values(values))  # fmt: skip
    for fields in dict.fromkeys(s.fields for p in schema.passes for s in p.similar):
        found["+".join(fields)] = _numbered(_joined([records.fields[f] for f in fields]))
    return found


def _joined(columns: list[pa.StringArray]) -> pa.StringArray:
    """One value for those of all columns, missing where all are."""
    if len(columns) == 1:
        return columns[0]
    empty = pa.array(np.logical_and.reduce([_is_empty(c) for c in columns]))
    return pc.if_else(empty, "", pc.binary_join_element_wise(*columns, _APART))


def _is_empty(column: pa.StringArray) -> NDArray[np.bool_]:
    empty: NDArray[np.bool_] = pc.equal(column, "").to_numpy(zero_copy_only=False)
    return empty


def _numbered(values: pa.StringArray) -> NDArray[np.int64]:
    """Numbers of the values, int64[n], -1 for a missing one."""
    coded = values.dictionary_encode()
    numbers = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return np.where(_is_empty(values), -1, numbers)


def expected_of(result: WithinResult) -> Expected:
    """What to expect of the pairs: nothing can be said of a tiny file.

    The posteriors rest on what is taken for a match, of which nobody has an example; so the bounds
    are those of half and of double the wrong pairs that they expect. Of the matches that no pass
    can see there is no knowing, so that recall has an upper bound alone.
    """
    number, wrong = len(result.error), float(result.error.sum())
    if not number or not result.estimated:
        return Expected(Share(), Share(), 0)
    precision = Share(
        1 - wrong / number,
        max(0.0, 1 - poisson_above(UNSURE * wrong) / number),
        1 - poisson_below(wrong / UNSURE) / number,
    )
    right = number - wrong
    most = right / (right + poisson_below(result.unanswered / UNSURE))
    return Expected(precision, Share(None, None, most), 0)


def estimate_of(result: WithinResult, number: int, p: Pass, records: int) -> PassEstimate:
    """What to expect of the pairs that met in pass ``number``."""
    error = result.error[result.met[:, number]]
    known = bool(len(error)) and result.estimated
    precision = 1 - float(error.mean()) if known else None
    return PassEstimate(p.id, records, records, len(error), 0, precision, None)


def scoring_of(result: WithinResult, number: int) -> Scoring:
    """How the pairs that met in pass ``number`` were scored."""
    score = score_of(result.error[result.met[:, number]])
    return Scoring(float(score.min(initial=np.inf)), "within", int(result.seen[number]))


def score_of(error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log odds of being right, nats, from chances of being wrong."""
    wrong = np.maximum(error, math.exp(-MOST_NATS))
    nats: NDArray[np.float64] = np.log1p(-np.minimum(wrong, 1 - 1e-9)) - np.log(wrong)
    return nats

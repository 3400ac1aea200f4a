"""Splink on DuckDB, on plain values: what an agency could do if it might see both files.

It gets the fields that the schema has, normalised as Padan normalises them, and meets pairs by the
same exact keys, so that scoring is what is compared. Trained as its manual advises: u from random
pairs, m by EM over two blockings, term frequencies where a field has returning values.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.rehearse.sides import Records
from padan_linkage.normalise import exact_values, similar_values
from padan_linkage.schema import Kind, Schema

#: Pairs for u, share of matches that the strictest rules are said to find, posterior of a match.
_U_PAIRS, _RULE_RECALL, _BLIND = 1e7, 0.7, 0.95
_ID = "unique_id"
_APART = "\x1f"
_WORDY = frozenset({Kind.ADDRESS, Kind.TEXT, Kind.PLACE, Kind.COMPANY_NAME})
_FEW = frozenset({Kind.SEX, Kind.NATIONALITY, Kind.KBLI})
_NAME_PARTS = 2


@dataclass(frozen=True, repr=False)
class Scored:
    """Pairs of usable record positions with their posterior, best first.

    ``a``, ``b``: int64[k]; ``probability``: float64[k]. One to one unless it is one file.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    probability: NDArray[np.float64]

    def blind(self) -> Scored:
        """What one would accept without knowing the truth."""
        return self.first(int((self.probability >= _BLIND).sum()))

    def first(self, count: int) -> Scored:
        """The ``count`` best pairs."""
        return Scored(self.a[:count], self.b[:count], self.probability[:count])


def link(schema: Schema, a: Records, b: Records | None, seed: int) -> Scored:
    """Score all pairs that share an exact key of some pass. Needs the extra ``bench``."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    fields = compared(schema)
    database = DuckDBAPI()
    tables = [_table(schema, fields, side) for side in (a, b) if side is not None]
    registered = [database.register(t, table_name=f"side_{n}") for n, t in enumerate(tables)]
    keys = [f"key_{n}" for n in range(len(schema.passes))]
    settings = SettingsCreator(
        link_type="link_only" if b is not None else "dedupe_only",
        comparisons=list(_comparisons(schema, fields)),
        blocking_rules_to_generate_predictions=[block_on(key) for key in keys],
        retain_matching_columns=False,
    )
    linker = Linker(registered if b is not None else registered[0], settings, log_level=None)
    _train(linker, schema, fields, seed)
    predicted = linker.inference.predict(threshold_match_probability=1e-4, warning_mode="never")
    found = predicted.as_duckdbpyrelation().arrow()
    table = found.read_all() if isinstance(found, pa.RecordBatchReader) else found
    left, right, probability = (
        table.column(name).to_numpy() for name in (f"{_ID}_l", f"{_ID}_r", "match_probability")
    )
    if b is not None and "source_dataset_l" in table.column_names:
        turned = np.array(table.column("source_dataset_l").to_pylist()) == "side_1"
        left, right = np.where(turned, right, left), np.where(turned, left, right)
    return _ordered(left, right, probability, one_to_one=b is not None)


def compared(schema: Schema) -> list[str]:
    """Fields to compare: all but a whole name whose parts are there too."""
    used = {n for p in schema.passes for s in p.similar for n in s.named}
    names = [f.name for f in schema.fields if f.kind is Kind.PERSON_NAME]
    joined = {n for n in names if n not in used} if len(names) > _NAME_PARTS else set()
    return [f.name for f in schema.fields if f.name not in joined]


def _table(schema: Schema, fields: list[str], side: Records) -> pa.Table:
    """Values and blocking keys as columns, missing ones null."""
    columns: dict[str, pa.Array] = {_ID: pa.array(np.arange(len(side)))}
    for name in fields:
        columns[name] = _null_where_empty(similar_values(side.fields[name]))
    for n, p in enumerate(schema.passes):
        parts = map(_null_where_empty, exact_values(schema, p, side.fields))
        columns[f"key_{n}"] = pc.binary_join_element_wise(*parts, _APART)
    return pa.table(columns)


def _null_where_empty(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)


def _comparisons(schema: Schema, fields: list[str]) -> Iterator[Any]:
    """Splink's own comparison for every kind of field, with its own thresholds."""
    from splink import comparison_library as library

    for name in fields:
        kind = schema.kind(name)
        if kind is Kind.PERSON_NAME:
            yield library.NameComparison(name)
        elif kind is Kind.DATE:
            yield library.DateOfBirthComparison(name, input_is_string=True)
        elif kind in _WORDY:
            yield library.JaroWinklerAtThresholds(name, [0.9, 0.7]).configure(
                term_frequency_adjustments=True
            )
        elif kind in _FEW:
            yield library.ExactMatch(name)
        else:
            yield library.LevenshteinAtThresholds(name, [1, 2]).configure(
                term_frequency_adjustments=True
            )


def _train(linker: Any, schema: Schema, fields: list[str], seed: int) -> None:
    """Prior from strict rules, u from random pairs, m from two blockings that complement."""
    from splink import block_on

    strict, blockings = _rules(schema, fields)
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on(*rule) for rule in strict], recall=_RULE_RECALL
    )
    training.estimate_u_using_random_sampling(max_pairs=_U_PAIRS, seed=seed)
    for rule in blockings:
        training.estimate_parameters_using_expectation_maximisation(
            block_on(*rule), record_sample_proportion=1.0
        )


def _rules(schema: Schema, fields: list[str]) -> tuple[list[list[str]], list[list[str]]]:
    """Rules that hardly any stranger meets, and two sets of fields to block on for EM."""
    names = [n for n in fields if schema.kind(n) in {Kind.PERSON_NAME, Kind.COMPANY_NAME}]
    dates = [n for n in fields if schema.kind(n) is Kind.DATE][:1]
    others = [n for n in fields if n not in {*names, *dates} and schema.kind(n) not in _FEW]
    numbers = [[n] for n in others if schema.kind(n) not in _WORDY][:1]
    first = names[:_NAME_PARTS] or others[:1]
    second = dates or others[-1:]
    return [*([n, *second] for n in first), *numbers], [second, first]


def _ordered(
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    probability: NDArray[np.float64],
    *,
    one_to_one: bool,
) -> Scored:
    order = np.lexsort((b, a, -probability))
    a, b, probability = a[order].astype(np.int64), b[order].astype(np.int64), probability[order]
    if not one_to_one:
        return Scored(a, b, probability)
    taken_a: set[int] = set()
    taken_b: set[int] = set()
    kept = np.zeros(len(a), np.bool_)
    for n, (i, j) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        if i not in taken_a and j not in taken_b:
            taken_a.add(i)
            taken_b.add(j)
            kept[n] = True
    return Scored(a[kept], b[kept], probability[kept])

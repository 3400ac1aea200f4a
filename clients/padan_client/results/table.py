"""From merged answers to the table that an officer reads.

Columns of a result table: ``row`` (as in the quarantine), ``id``, ``hasil`` (what came of the row),
``kode`` and ``keterangan`` (the agreement's code and exact wording), ``alasan`` and ``penjelasan``
(why, as a stable code and as a sentence in the officer's language, where the outcome alone does not
say it: a row that is undecided or in quarantine), ``jalur`` (the pass that answered, in direct mode
the keys that met the person, joined by «+»),
``per_tanggal`` (the day that the code states, where the agreement derives codes from dates),
``periksa_<field>`` for every confirmed field, ``perbaiki_<field>`` (who has to correct a value that
differs, where the agreement names an authority), ``jawaban_<group>`` for codes of further groups,
``edisi`` and ``registri`` (what answered), in a list's result ``sidik`` (the row digest), and
``catatan``. The names are the same in every language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.records.lists import RequestList
from padan_client.records.messages import UNMATCHABLE
from padan_client.records.notes import NOTE
from padan_client.records.preparing import noted_rows
from padan_client.results.reasons import EXPLANATION, REASON, quarantine_reasons, rejected_rows
from padan_client.results.wording import reason_texts
from padan_linkage.agreement import Code, Flow
from padan_linkage.answering.answers import PassCounts, RecordAnswers
from padan_linkage.answering.estimates import Expected
from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    CHECK_WORDS,
    DIFFERENT,
    FIELDS_MISSING,
    MATCHED,
    NO_REASON,
    NOT_MATCHED,
    OUTCOME_WORDS,
    QUARANTINED,
    REASON_WORDS,
    UNDECIDED,
)
from padan_linkage.answering.payloads import day_text

S = TypeVar("S", bound=np.generic)

STATUS_GROUP = "status"
#: Columns of confirmed fields: what came of each, and who corrects it where values differ.
CHECK, CORRECT = "periksa_", "perbaiki_"
AS_OF = "per_tanggal"
#: What answered a row, and what was asked: by these a result can be looked at again (spec 80).
EDITION, REGISTRY, ASKED = "edisi", "registri", "sidik"


@dataclass(frozen=True)
class AnsweredBy:
    """What answered a row: the id of a registry, and of the edition that its deltas share.

    In direct mode those of the newest label table and its base; "" where nothing did.
    """

    edition: str = ""
    registry: str = ""


#: Of rows that were asked of nobody.
NOBODY = AnsweredBy()


@dataclass(frozen=True)
class KeyCounts:
    """What one key of direct mode did: blinded elements sent for it, answered rows that it met."""

    key_id: str
    evaluated: int
    matched_rows: int
    ambiguous_rows: int


@dataclass(frozen=True)
class ControlReport:
    """How planted control records were answered; ``wrong`` holds their row numbers, from 1."""

    planted: int
    wrong: tuple[int, ...]


@dataclass(frozen=True, repr=False)
class ConfirmResult:
    """Everything that a confirmation brought home.

    ``table`` has a row for every row of the list, in order; ``counts`` maps each code, and the
    words of outcomes that have none, to rows; ``passes`` is how each pass of the unit answered,
    ``keys`` what each key of direct mode did; ``unopened_by_pass`` counts answers of the unit that
    were not for the row they came with and were not believed; ``expected`` says how right the
    unit's answers are, all passes together, where that can be told; ``controls`` is there if
    control records were planted; ``skipped`` says why the residue was not sent through the unit
    where mode auto would have. ``run`` is the resource name of the run, in direct mode of the label
    table; ``edition`` names the edition that the unit's answers rest on, ``tables`` is the
    fingerprint of the label tables that answered. A run was ``charged`` so many records, of which
    ``cover`` were added to a list shorter than the agreement's minimum.
    ``closed``: the unit closed the list, and no row of it is answered.
    """

    table: pa.Table
    quarantine: pa.Table
    counts: Mapping[str, int]
    passes: tuple[PassCounts, ...] = ()
    keys: tuple[KeyCounts, ...] = ()
    unopened_by_pass: Mapping[str, int] = field(default_factory=dict)
    expected: Expected | None = None
    run: str = ""
    edition: str = ""
    tables: str = ""
    controls: ControlReport | None = None
    skipped: str = ""
    cover: int = 0
    charged: int = 0
    closed: bool = False

    @property
    def unopened(self) -> int:
        """Answers of the unit that were not believed, of all its passes."""
        return sum(self.unopened_by_pass.values())

    @property
    def usable(self) -> int:
        """Rows that could be matched."""
        return int(self.table.num_rows) - len(rejected_rows(self.quarantine))

    @property
    def reasons(self) -> dict[str, int]:
        """Undecided rows by the word of their reason, those that there are."""
        return count_reasons(self.table)

    @property
    def evaluated(self) -> dict[str, int]:
        """Direct mode's blinded elements by key, those that had any."""
        return {key.key_id: key.evaluated for key in self.keys if key.evaluated}

    def __repr__(self) -> str:
        return (
            f"ConfirmResult(rows={self.table.num_rows}, quarantined={noted_rows(self.quarantine)})"
        )


def corrector(flow: Flow, field: str) -> str:
    """The party that corrects the field where values differ: the one without authority over it.

    Empty where the agreement names nobody.
    """
    authority = flow.field_authority.get(field)
    if authority is None:
        return ""
    return flow.requester if authority == flow.provider else flow.provider


def result_table(
    flow: Flow,
    pass_ids: Sequence[str],
    requested: RequestList,
    answers: RecordAnswers,
    names: Mapping[str, str] | None = None,
    by: AnsweredBy = NOBODY,
) -> pa.Table:
    """The table of all rows of a list; ``answers`` are to its records, by ``pass_ids``.

    ``names`` are what people call the parties; ``by`` answered.
    """

    def every(values: NDArray[S]) -> NDArray[S]:
        """The values of all rows, 0 for those that no pass can use."""
        full = np.zeros(len(requested.ids), values.dtype)
        full[requested.usable] = values
        return full

    outcomes, reason, masks = every(answers.outcome), every(answers.reason), every(answers.code)
    # Spec 60, "Sizes": nobody was asked, and nothing can be said of a row that no pass is for.
    lacking = rejected_rows(requested.quarantine, UNMATCHABLE) - 1
    outcomes[lacking], reason[lacking] = UNDECIDED, FIELDS_MISSING
    kode, keterangan = _status(flow, outcomes, masks)
    reasons, explanations = _reasons(requested, reason)
    through = np.where(answers.outcome == MATCHED, answers.answered_by + 1, 0)
    asked = every(np.ones(len(answers), np.bool_))
    columns: dict[str, pa.Array] = {
        "row": requested.rows,
        "id": requested.ids,
        "hasil": _choose(OUTCOME_WORDS, outcomes),
        "kode": kode,
        "keterangan": keterangan,
        REASON: reasons,
        EXPLANATION: explanations,
        "jalur": _choose(["", *pass_ids], every(through)),
    }
    if flow.registry_date:
        columns[AS_OF] = _days(every(answers.day))
    for index, name in enumerate(flow.confirm):
        checks = every(answers.checks[:, index] + np.uint8(1))
        columns[CHECK + name] = _choose(("", *CHECK_WORDS), checks)
        if party := corrector(flow, name):
            action = f"perbaiki di {(names or {}).get(party, party.upper())}"
            columns[CORRECT + name] = _choose(("", action), checks == 1 + DIFFERENT)
    for group in dict.fromkeys(code.group for code in flow.codes):
        if group != STATUS_GROUP:
            columns[f"jawaban_{group}"] = _wording(flow, group, masks)[0]
    columns[EDITION] = _choose(["", by.edition], asked)
    columns[REGISTRY] = _choose(["", by.registry], asked)
    columns[NOTE] = _choose([""], np.zeros(len(requested.ids), np.int64))
    if requested.notes is not None:
        columns[NOTE] = requested.notes
    return pa.table(columns)


def with_digests(table: pa.Table, digests: pa.StringArray | None) -> pa.Table:
    """A list's result with the row digests, before the notes."""
    return table.add_column(table.column_names.index(NOTE), ASKED, digests)


def count_codes(flow: Flow, table: pa.Table) -> dict[str, int]:
    """Rows by code, in the agreement's order; outcomes without one by their words."""
    counts = {code.code: 0 for code in flow.codes if code.group == STATUS_GROUP}
    counts |= {code.code: 0 for code in flow.written}
    shown = pc.if_else(pc.equal(table["kode"], ""), table["hasil"], table["kode"])
    for entry in pc.value_counts(shown).to_pylist():
        for name in entry["values"].split("; "):
            counts[name] = counts.get(name, 0) + entry["counts"]
    return counts


def count_reasons(table: pa.Table) -> dict[str, int]:
    """Undecided rows of a result by the word of their reason."""
    undecided = table.filter(pc.equal(table["hasil"], OUTCOME_WORDS[UNDECIDED]))
    counted = {e["values"]: e["counts"] for e in pc.value_counts(undecided[REASON]).to_pylist()}
    return {word: counted[word] for word in REASON_WORDS if word in counted}


def _reasons(requested: RequestList, reason: NDArray[np.uint8]) -> tuple[pa.Array, pa.Array]:
    """Codes and sentences of all rows; ``reason``: uint8[rows], of those that are undecided."""
    codes, texts = quarantine_reasons(requested.quarantine, len(requested.ids))
    at, sentences = pa.array(reason != NO_REASON), reason_texts()
    general = _choose([sentences[word] for word in REASON_WORDS], reason)
    return (
        pc.if_else(at, _choose(REASON_WORDS, reason), codes),
        # What the quarantine says of a row's own values says more.
        pc.if_else(pc.equal(texts, ""), general, texts),
    )


def _status(
    flow: Flow, outcomes: NDArray[np.uint8], masks: NDArray[np.uint64]
) -> tuple[pa.Array, pa.Array]:
    """Codes and wordings of the status group, the client's own where no code came."""
    codes, texts = _wording(flow, STATUS_GROUP, masks)
    written = (
        (NOT_MATCHED, flow.not_found),
        (AMBIGUOUS, flow.ambiguous),
        (UNDECIDED, flow.undecided),
        (QUARANTINED, None),
    )
    for outcome, code in written:
        at = pa.array(outcomes == outcome)
        codes = pc.if_else(at, code.code if code else "", codes)
        texts = pc.if_else(at, code.text if code else "", texts)
    return codes, texts


def _days(numbers: NDArray[np.uint16]) -> pa.StringArray:
    """Dates of day numbers, "" for none."""
    distinct, where = np.unique(numbers, return_inverse=True)
    return _choose([day_text(int(n)) for n in distinct], where.reshape(-1))


def _wording(flow: Flow, group: str, masks: NDArray[np.uint64]) -> tuple[pa.Array, pa.Array]:
    """Codes and wordings of one group for every mask; several are joined by a semicolon."""
    members = sum(1 << i for i, code in enumerate(flow.codes) if code.group == group)
    distinct, where = np.unique(masks & np.uint64(members), return_inverse=True)
    sets: list[tuple[Code, ...]] = [flow.codes_of(int(mask)) for mask in distinct]
    codes = ["; ".join(c.code for c in s) for s in sets]
    texts = ["; ".join(c.text for c in s) for s in sets]
    return _choose(codes, where.reshape(-1)), _choose(texts, where.reshape(-1))


def _choose(
    texts: Sequence[str], index: NDArray[np.integer[Any]] | NDArray[np.bool_]
) -> pa.StringArray:
    """The text of every index."""
    return pa.array(list(texts), pa.string()).take(pa.array(index.astype(np.int64)))

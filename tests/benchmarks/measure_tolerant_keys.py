"""What the keys of direct mode find together, and what each adds: the tables of spec 60.

    python tests/benchmarks/measure_tolerant_keys.py [--population 200000] [--candidates 100000]
        [--seed 5] [--level real] [--choices] [FLOW …]

FLOW names flows of the example agreements; by default all that have direct keys. People are
generated, half of the list is registered. Answers are those of the decision itself ("Answers"), and
count as right only if they are of the very same person. ``--choices``: sets of keys that were
considered for ``asn-status``. The registry is read in batches, so that 8 million people fit.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_client.records import prepare
from padan_lab.generate.plans import Making
from padan_lab.generate.rates import Level
from padan_lab.generate.scenarios import flow_making
from padan_linkage.agreement import EXAMPLE_IDS, Flow, example, load_agreement
from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED
from padan_linkage.direct.inputs import key_inputs, requester_inputs
from padan_linkage.direct.labelling.deciding import Acquaintances, Said, decide
from padan_linkage.direct.schema import MOST_LABELS, DirectKey, DirectSchema

BATCH = 1 << 16


# Meeting


@dataclass
class KeyMeetings:
    """Whom a list meets under one key: pairs of ``record`` and ``person``, int64[m] each.

    ``values``: labels a registered person.
    """

    record: np.ndarray
    person: np.ndarray
    values: float


class AskedKey:
    """A list's values under a key, looked for in a registry that comes in batches."""

    def __init__(self, flow: Flow, key: DirectKey, listed: dict[str, pa.StringArray]) -> None:
        inputs = requester_inputs(flow.schema, key, listed)
        encoded = inputs.messages.dictionary_encode()
        self.fields, self.key, self.record = flow.schema, key, inputs.record
        self.wanted, self.value = encoded.dictionary, encoded.indices.to_numpy().astype(np.int64)
        self.found: list[np.ndarray] = []
        self.labels = 0

    def look(self, registry: dict[str, pa.StringArray], first: int) -> None:
        """Note who of a batch, numbered from ``first``, has a value that is asked for."""
        inputs = key_inputs(self.fields, self.key, registry)
        self.labels += len(inputs)
        at = pc.fill_null(pc.index_in(inputs.messages, value_set=self.wanted), -1).to_numpy()
        there = np.flatnonzero(at >= 0)
        self.found.append(np.stack([at[there].astype(np.int64), first + inputs.record[there]]))

    def meetings(self, people: int) -> KeyMeetings:
        """Of each value as many people as there are labels for."""
        value, person = np.concatenate(self.found, axis=1)
        order = np.argsort(value, kind="stable")
        sizes = np.bincount(value, minlength=len(self.wanted))
        among = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        person = person[order[among < MOST_LABELS]]
        sizes = np.minimum(sizes, MOST_LABELS)
        starts, each = (np.cumsum(sizes) - sizes)[self.value], sizes[self.value]
        within = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
        whom = person[np.repeat(starts, each) + within]
        return KeyMeetings(np.repeat(self.record, each), whom, self.labels / people)


@dataclass
class PlayedKeys:
    """A list and a registry; ``truth``: int64, the registry row of each listed row or -1."""

    truth: np.ndarray
    meetings: dict[str, KeyMeetings]

    @classmethod
    def of(cls, flow: Flow, keys: Sequence[DirectKey], making: Making) -> Self:
        """Generate both files and let the list ask all keys."""
        listed = pa.concat_tables(b.table for b in making.list(BATCH))
        fields = prepare(listed, flow.schema).fields
        asked, people = [AskedKey(flow, key, fields) for key in keys], 0
        for batch in making.registry(BATCH):
            registry = prepare(batch.table, flow.schema).fields
            for each in asked:
                each.look(registry, people)
            people += batch.table.num_rows
        truth = np.full(listed.num_rows, -1)
        pairs = making.seating.pairs
        truth[pairs[::-1, 1]] = pairs[::-1, 0]
        return cls(truth, {each.key.id: each.meetings(people) for each in asked})

    def own(self, key: DirectKey) -> float:
        """Share of the registered whose own label the key meets."""
        met = self.meetings[key.id]
        right = np.unique(met.record[self.truth[met.record] == met.person])
        return len(right) / (self.truth >= 0).sum()


# Judging


@dataclass
class KeysScore:
    """What some keys come to; ``strangers``: share of the unregistered who are answered."""

    recall: float
    precision: float
    strangers: float
    unclear: float
    values: float

    @classmethod
    def of(cls, played: PlayedKeys, keys: Sequence[DirectKey]) -> Self:
        """Decide with these keys alone."""
        met = [played.meetings[key.id] for key in keys]
        schema = DirectSchema(keys=tuple(keys), records_per_day=1, records_per_list=1)
        persons, _ = Acquaintances.of(
            schema,
            np.concatenate([m.record for m in met]),
            np.concatenate([m.person for m in met]),
            np.repeat(np.arange(len(met)), [len(m.record) for m in met]),
        )
        nothing = np.zeros(len(persons), np.bool_)
        # Codes name the person, so that no answer is right by being somebody else's too.
        said = Said((persons.person + 1).astype(np.uint64), nothing, nothing)
        answers = decide(schema, len(played.truth), persons, said).answers
        found = answers.outcome == MATCHED
        right = found & (answers.code.astype(np.int64) - 1 == played.truth)
        known = played.truth >= 0
        return cls(
            right.sum() / known.sum(),
            right.sum() / max(1, found.sum()),
            (found & ~known).sum() / (~known).sum(),
            (answers.outcome == AMBIGUOUS).mean(),
            sum(m.values for m in met),
        )

    def __str__(self) -> str:
        return (
            f"{self.values:.1f} | {100 * self.recall:.2f} | {self.precision:.4f} | "
            f"{100 * self.strangers:.3f} % | {100 * self.unclear:.2f} %"
        )


# Tables


def shown(key: DirectKey) -> str:
    """The key as the spec writes it."""
    parts = " · ".join(f"`{part}`" for part in key.exact).replace("|", "\\|")
    return parts + (f", {key.values} values" if key.values else "")


def opens(key: DirectKey) -> str:
    """What it takes for the key to open a label."""
    if key.without:
        return "without " + ", ".join(key.without)
    return "two" if key.shared else "alone, weak" if key.weak else "alone"


def tell(flow: Flow, played: PlayedKeys) -> None:
    """The flow's keys, each with what the others find without it, and all together."""
    keys = flow.direct.keys
    for key in keys:
        rest = KeysScore.of(played, [k for k in keys if k is not key])
        own = f"{100 * played.own(key):.2f} | {100 * rest.recall:.2f}"
        values = f"{played.meetings[key.id].values:.1f}"
        print(f"| `{flow.id}` | {shown(key)} | {opens(key)} | {values} | {own} |")  # noqa: T201
    print(f"| `{flow.id}` | all | {KeysScore.of(played, keys)} |", flush=True)  # noqa: T201


def changed(key: DirectKey, **more: object) -> DirectKey:
    """The key with something else about it, and that in its id."""
    name = "-".join([key.id, *more])
    return key.model_copy(update={"id": name, **more})


def choices(flow: Flow) -> dict[str, list[DirectKey]]:
    """Sets of keys that were considered, by what is different in them."""
    chosen = {key.id: key for key in flow.direct.keys}
    area, month = chosen["nik-wilayah"], chosen["nik-bulan"]
    open_area, all_month = changed(area, alone=True), changed(month, without=())
    first = DirectKey(id="nik-depan", exact=("nik", "nama:phonetic_first"))
    alone = {k.id: changed(k, alone=True) for k in chosen.values() if k.shared}

    def but(*left_out: str, **replaced: DirectKey) -> list[DirectKey]:
        by_id = {name.replace("_", "-"): key for name, key in replaced.items()}
        return [by_id.get(name, key) for name, key in chosen.items() if name not in left_out]

    return {
        "as agreed": but(),
        "without `nama-bulan`": but("nama-bulan"),
        "without `nama-lahir`": but("nama-lahir"),
        "without `nama-tempat`": but("nama-tempat"),
        "`nik-bulan` for every row": but(nik_bulan=all_month),
        "`nik-bulan` for every row, without `nama-bulan`": but("nama-bulan", nik_bulan=all_month),
        "`nik-wilayah` opens alone": but(nik_wilayah=open_area),
        "`nik-wilayah`, `nama-tempat` open alone": but(
            nik_wilayah=open_area, nama_tempat=alone["nama-tempat"]
        ),
        "every weak key opens alone": [alone.get(name, key) for name, key in chosen.items()],
        "of before: first name, month of birth, district": [first, all_month, open_area],
    }


def compare(played: PlayedKeys, considered: dict[str, list[DirectKey]]) -> None:
    """One line for each set of keys."""
    for name, keys in considered.items():
        print(f"| {name} | {KeysScore.of(played, keys)} |", flush=True)  # noqa: T201


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("flows", nargs="*")
    parser.add_argument("--population", type=int, default=200_000)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--level", type=Level, default=Level.REAL, choices=list(Level))
    parser.add_argument("--choices", action="store_true")
    options = parser.parse_args()
    flows = [f for i in EXAMPLE_IDS for f in load_agreement(example(i)).flows if f.direct]
    wanted = options.flows or ["asn-status"] if options.choices else options.flows
    for flow in (f for f in flows if not wanted or f.id in wanted):
        started = time.perf_counter()
        size = options.population, options.candidates
        making = flow_making(flow, *size, options.seed, options.level)
        if options.choices:
            considered = choices(flow)
            keys = {key.id: key for some in considered.values() for key in some}
            compare(PlayedKeys.of(flow, list(keys.values()), making), considered)
        else:
            tell(flow, PlayedKeys.of(flow, flow.direct.keys, making))
        print(f"({time.perf_counter() - started:.0f} s)")  # noqa: T201


if __name__ == "__main__":
    main()

"""What the keys of direct mode find together, and what each adds: the tables of spec 60.

    python tests/benchmarks/measure_tolerant_keys.py [--population 200000] [--candidates 100000]
        [--seed 5] [--level real] [--choices] [--weigh] [FLOW …]

FLOW names flows of the example agreements; by default all that have direct keys. People are
generated, half of the list is registered. Answers are those of the decision itself ("Answers"), and
count as right only if they are of the very same person. ``--choices``: sets of keys that were
considered for ``asn-status``. ``--weigh``: weights of a score for the keys where weak ones open
alone, learned on one half of the list and judged on the other; every row is there twice, once
without some of its fields. The registry is read in batches, so that 8 million people fit.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from weighing import weighed

from padan_client.records import prepare
from padan_lab.generate.plans import Making
from padan_lab.generate.rates import Level
from padan_lab.generate.scenarios import flow_making
from padan_linkage.agreement import EXAMPLE_IDS, Flow, example, load_agreement
from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED
from padan_linkage.direct.inputs import key_inputs, requester_inputs
from padan_linkage.direct.labelling.deciding import Acquaintances, Encounters, Said, decide
from padan_linkage.direct.labelling.meeting import KeyLabels
from padan_linkage.direct.labelling.rarity import COUNT, WORDS, Rarities, value_words
from padan_linkage.direct.labelling.scoring import rarest
from padan_linkage.direct.schema import DirectKey, DirectSchema, DirectScore
from padan_linkage.direct.table import padded_rows

BATCH = 1 << 16
#: Share of unregistered people who may be answered, by the half of the list that is learned from.
TOLERATED = 0.0009


# Meeting


@dataclass
class KeyMeetings:
    """Whom a list meets under one key: pairs of ``record`` and ``person``, int64[m] each.

    ``rarity``: uint8[m], of the words of the value; ``asked``: int64, the records that have one;
    ``values``: labels a registered person.
    """

    record: np.ndarray
    person: np.ndarray
    rarity: np.ndarray
    asked: np.ndarray
    values: float


class AskedKey:
    """A list's values under a key, looked for in a registry that comes in batches."""

    def __init__(
        self, flow: Flow, key: DirectKey, number: int, listed: dict[str, pa.StringArray]
    ) -> None:
        inputs = requester_inputs(flow.schema, key, listed)
        encoded = inputs.messages.dictionary_encode()
        self.fields, self.key, self.record = flow.schema, key, inputs.record
        self.wanted, self.value = encoded.dictionary, encoded.indices.to_numpy().astype(np.int64)
        self.number, self.words = number, np.zeros(len(self.wanted), WORDS)
        self.words[self.value] = value_words(self.fields, key, number, inputs)
        none = np.zeros(1, np.uint64)
        both = np.unique(np.concatenate([none, *(self.words[name] for name in WORDS.names)]))
        self.common = np.zeros(len(both), COUNT)
        self.common["words"] = both
        self.found: list[np.ndarray] = []
        self.labels = 0

    def look(self, registry: dict[str, pa.StringArray], first: int) -> None:
        """Note who of a batch, numbered from ``first``, has a value that is asked for."""
        inputs = key_inputs(self.fields, self.key, registry)
        self.labels += len(inputs)
        at = pc.fill_null(pc.index_in(inputs.messages, value_set=self.wanted), -1).to_numpy()
        there = np.flatnonzero(at >= 0)
        self.found.append(np.stack([at[there].astype(np.int64), first + inputs.record[there]]))
        words = value_words(self.fields, self.key, self.number, inputs)
        for name in WORDS.names:
            have = np.unique(np.stack([words[name], inputs.record.astype(np.uint64)]), axis=1)[0]
            at = np.minimum(np.searchsorted(self.common["words"], have), len(self.common) - 1)
            known = (self.common["words"][at] == have) & (have != 0)
            self.common["people"] += np.bincount(at[known], minlength=len(self.common))

    def meetings(self, people: int) -> KeyMeetings:
        """Of each value as many people as there are labels for."""
        value, person = np.concatenate(self.found, axis=1)
        at, whom = KeyLabels.held(self.wanted, value, person).whose(self.value)
        rarity = Rarities.of(self.common, people).of_values(self.words)[self.value]
        return KeyMeetings(
            self.record[at],
            whom,
            rarity[at],
            np.unique(self.record),
            self.labels / people,
        )


def always_there(keys: Sequence[DirectKey]) -> set[str]:
    """What every weak key compares: rows without it are strong keys' affair, and not weighed."""
    return set.intersection(*({*key.named} for key in keys if key.weak))


def _twice(
    fields: dict[str, pa.StringArray], kept: set[str], rng: np.random.Generator
) -> tuple[dict[str, pa.StringArray], np.ndarray]:
    """Every row, and then every row without one or more of its fields, and without which."""
    names, count = [name for name in fields if name not in kept], len(next(iter(fields.values())))
    kinds = [c for size in range(1, len(names)) for c in combinations(names, size)]
    kind = rng.integers(len(kinds), size=count)
    made = {}
    for name, column in fields.items():
        taken = pa.array([name in c for c in kinds]).take(pa.array(kind))
        made[name] = pa.concat_arrays([column, pc.if_else(taken, "", column)])
    without = ["+".join(c) for c in kinds]
    return made, np.array([""] * count + [without[k] for k in kind], object)


@dataclass
class PlayedKeys:
    """A list and a registry; ``truth``: int64, the registry row of each listed row or -1.

    ``blank``: the fields that were taken from each row; ``people``: of the registry.
    """

    truth: np.ndarray
    meetings: dict[str, KeyMeetings]
    blank: np.ndarray
    people: int

    @classmethod
    def of(
        cls, flow: Flow, keys: Sequence[DirectKey], making: Making, twice: int | None = None
    ) -> Self:
        """Generate both files and let the list ask all keys; ``twice``: a seed for blank fields."""
        listed = pa.concat_tables(b.table for b in making.list(BATCH))
        fields, blank = prepare(listed, flow.schema).fields, np.full(listed.num_rows, "", object)
        if twice is not None:
            fields, blank = _twice(fields, always_there(keys), np.random.default_rng(twice))
        asked, people = [AskedKey(flow, key, n, fields) for n, key in enumerate(keys)], 0
        for batch in making.registry(BATCH):
            registry = prepare(batch.table, flow.schema).fields
            for each in asked:
                each.look(registry, people)
            people += batch.table.num_rows
        truth = np.full(listed.num_rows, -1)
        pairs = making.seating.pairs
        truth[pairs[::-1, 1]] = pairs[::-1, 0]
        truth = np.tile(truth, len(blank) // len(truth))
        met = {each.key.id: each.meetings(people) for each in asked}
        return cls(truth, met, blank, people)

    def acquaintances(self, schema: DirectSchema) -> tuple[Acquaintances, np.ndarray, np.ndarray]:
        """Whom the list meets under the schema's keys.

        And of each pair the keys that were asked, as bits, and the rarest words, int64[p, 2].
        """
        met = [self.meetings[key.id] for key in schema.keys]
        asked = np.zeros((len(self.truth), len(met)), np.bool_)
        for number, each in enumerate(met):
            asked[each.asked, number] = True
        meetings = Encounters(
            np.concatenate([m.record for m in met]),
            np.concatenate([m.person for m in met]),
            np.repeat(np.arange(len(met)), [len(m.record) for m in met]),
            np.concatenate([m.rarity for m in met]),
        )
        persons, pair = Acquaintances.of(schema, meetings, asked)
        bits = (asked * (1 << np.arange(len(met)))).sum(axis=1)
        return persons, bits[persons.record], rarest(len(persons), pair, meetings.rarity)

    def rows(self, flow: Flow) -> int:
        """Of the table that the registry makes."""
        labels = sum(met.values for met in self.meetings.values()) * self.people
        return padded_rows(round(labels), flow.direct.dummy_share)

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
    def of(
        cls,
        played: PlayedKeys,
        keys: Sequence[DirectKey],
        score: DirectScore | None = None,
        rows: np.ndarray | None = None,
    ) -> Self:
        """Decide with these keys alone; ``rows``: bool, of the list, those that are judged."""
        schema = schema_of(keys, score)
        persons, _, _ = played.acquaintances(schema)
        nothing = np.zeros(len(persons), np.bool_)
        # Codes name the person, so that no answer is right by being somebody else's too.
        said = Said((persons.person + 1).astype(np.uint64), nothing, nothing)
        answers = decide(schema, len(played.truth), persons, said).answers
        judged = np.ones(len(played.truth), np.bool_) if rows is None else rows
        found = (answers.outcome == MATCHED) & judged
        right = found & (answers.code.astype(np.int64) - 1 == played.truth)
        known = (played.truth >= 0) & judged
        return cls(
            right.sum() / known.sum(),
            right.sum() / max(1, found.sum()),
            (found & ~known).sum() / (~known & judged).sum(),
            (answers.outcome == AMBIGUOUS)[judged].mean(),
            sum(played.meetings[key.id].values for key in keys),
        )

    def __str__(self) -> str:
        return (
            f"{self.values:.1f} | {100 * self.recall:.2f} | {self.precision:.4f} | "
            f"{100 * self.strangers:.3f} % | {100 * self.unclear:.2f} %"
        )


def schema_of(keys: Sequence[DirectKey], score: DirectScore | None = None) -> DirectSchema:
    """What is decided by."""
    return DirectSchema(keys=tuple(keys), records_per_day=1, records_per_list=1, score=score)


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
    score = flow.direct.score and flow.direct.score.at(played.rows(flow))
    for key in keys:
        rest = KeysScore.of(played, [k for k in keys if k is not key], score)
        own = f"{100 * played.own(key):.2f} | {100 * rest.recall:.2f}"
        values = f"{played.meetings[key.id].values:.1f}"
        print(f"| `{flow.id}` | {shown(key)} | {opens(key)} | {values} | {own} |")  # noqa: T201
    print(f"| `{flow.id}` | all | {KeysScore.of(played, keys, score)} |", flush=True)  # noqa: T201


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
        "without `nik-paruh`": but("nik-paruh"),
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


def weigh(flow: Flow, played: PlayedKeys, seed: int) -> None:
    """Weights for the keys, learned on a half of the list; what they come to on the other."""
    rows = len(played.truth) // 2
    learning = np.tile(np.random.default_rng(seed).random(rows) < 0.5, 2)
    keys, table = flow.direct.keys, played.rows(flow)
    alone = [key.model_copy(update={"alone": key.weak}) for key in keys]
    met = played.acquaintances(schema_of(alone))
    made = weighed(flow.schema, schema_of(alone), *met, played.truth, learning, TOLERATED, table)
    print(made.model_dump())  # noqa: T201
    agreed = flow.direct.score and flow.direct.score.at(table)
    for name, chosen in (("as they are", keys), ("alone", alone)):
        for how, score in (("unweighed", None), ("learned", made), ("agreed", agreed)):
            for blank in np.unique(played.blank):
                judged = ~learning & (played.blank == blank)
                found = KeysScore.of(played, chosen, score, judged)
                print(f"| {name} | {how} | {blank} | {found} |", flush=True)  # noqa: T201


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("flows", nargs="*")
    parser.add_argument("--population", type=int, default=200_000)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--level", type=Level, default=Level.REAL, choices=list(Level))
    parser.add_argument("--choices", action="store_true")
    parser.add_argument("--weigh", action="store_true")
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
        elif options.weigh:
            played = PlayedKeys.of(flow, flow.direct.keys, making, twice=options.seed)
            weigh(flow, played, options.seed)
        else:
            tell(flow, PlayedKeys.of(flow, flow.direct.keys, making))
        print(f"({time.perf_counter() - started:.0f} s)")  # noqa: T201


if __name__ == "__main__":
    main()

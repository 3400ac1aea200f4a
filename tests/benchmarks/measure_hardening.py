"""The frontier of spec 15: what attacks find, and what matching loses, by hardening.

    python tests/benchmarks/measure_hardening.py attacks out.json     minutes to an hour
    python tests/benchmarks/measure_hardening.py shipped out.json     the example agreements' passes
    python tests/benchmarks/measure_hardening.py whole out.json       1,000 and 5,000 records
    python tests/benchmarks/measure_hardening.py quality DATA out.json
    python tests/benchmarks/measure_hardening.py table out.json out.svg

All but the last add to ``out.json``; the last prints the tables in Markdown and draws the plot.
DATA is a folder of linkage sets, each with a.csv, b.csv and truth.csv (rec_id_a, rec_id_b).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from frontier_plot import frontier_plot
from registry_part import registry_part

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.groups import GroupAttack
from padan_lab.assess.material.population import grouped_people
from padan_lab.assess.material.schemes import Fields, PassScheme, PlainScheme
from padan_lab.assess.suite import Attack, attack_groups, attack_table, strangers
from padan_lab.demo.flows import with_filters
from padan_linkage.advice import profiles
from padan_linkage.advice.profiles import PROFILES, Hardening, ProfileName
from padan_linkage.agreement import example, load_agreement
from padan_linkage.schema import Kind, Layout, Pass, Schema, SchemaField, Segment

#: What was measured of one configuration, by what it is.
Found: TypeAlias = dict[str, dict[str, float]]

KEYS, VICTIMS, PEOPLE, SHIPPED_PEOPLE = 4, 2, 600, 2_500
KETAT_NAME, SEIMBANG_NAME = ProfileName.KETAT.value, ProfileName.SEIMBANG.value
#: Share of the people without a number, so that presence masks and random filling differ.
GAPS = 0.1

FIELDS = (
    SchemaField(name="nik", kind=Kind.NIK),
    SchemaField(name="nama", kind=Kind.PERSON_NAME),
    SchemaField(name="tanggal_lahir", kind=Kind.DATE),
)


#: How the example agreements make a segment of name and number.
PAIRS = Hardening(512, 200, 10)


@dataclass(frozen=True)
class Configuration:
    """One way of hardening.

    ``pairs``: how a name and a number in one segment are made, or None for segments of their own;
    ``merged``: all fields of a pass in one segment made like ``names``.
    """

    names: Hardening
    dates: Hardening
    codes: Hardening
    pairs: Hardening | None = PAIRS
    merged: bool = False
    presence: bool = False
    decoys: float = 0.25

    def similar(self, fields: tuple[str, ...]) -> tuple[Segment, ...]:
        """The segments over ``fields``."""
        if self.merged:
            return (self.names.segment(*fields),)
        if self.pairs and set(fields) == {"nama", "nik"}:
            return (self.pairs.segment(*fields),)
        kinds = {f.name: f.kind for f in FIELDS}
        made = {Kind.PERSON_NAME: self.names, Kind.DATE: self.dates, Kind.NIK: self.codes}
        return tuple(made[kinds[name]].segment(name) for name in fields)


def alike(weight: int, diffusion: int, bits: int = 512, **more: bool) -> Configuration:
    """Every segment made the same."""
    each = Hardening(bits, weight, diffusion)
    return Configuration(each, each, each, each, **more)


def _of(name: ProfileName) -> Configuration:
    shipped = PROFILES[name]
    return Configuration(
        shipped.names,
        shipped.dates,
        shipped.codes,
        presence=shipped.presence,
        decoys=shipped.decoy_share,
    )


KETAT, SEIMBANG = _of(ProfileName.KETAT), _of(ProfileName.SEIMBANG)
APART = replace(KETAT, pairs=None)
CONFIGURATIONS = {
    "ketat": KETAT,
    "seimbang": SEIMBANG,
    "salt alone": alike(100, 0),
    "name, number apart": APART,
    "apart, number T100 t10": replace(APART, codes=Hardening(512, 100, 10)),
    "T60 t8": alike(60, 8),
    "T100 t10": alike(100, 10),
    "T200 t16": alike(200, 16),
    "m256 T100 t16": alike(100, 16, 256),
    "ketat, 100 % decoys": replace(KETAT, decoys=1.0),
    "ketat, no decoys": replace(KETAT, decoys=0.0),
    "merged T200 t10": alike(200, 10, merged=True),
}


@dataclass(frozen=True)
class Place:
    """A pass, and the size of its groups."""

    name: str
    exact: tuple[str, ...]
    fields: tuple[str, ...]
    size: int


_FIRST = ("tanggal_lahir", "nama:phonetic_first")
_YEAR = ("nama:phonetic", "tanggal_lahir:year")
PLACES = (
    Place("birth 46", ("tanggal_lahir",), ("nama",), 46),
    Place("birth 110", ("tanggal_lahir",), ("nama",), 110),
    Place("birth+first 20", _FIRST, ("nama", "nik"), 20),
    Place("name+year 20", _YEAR, ("tanggal_lahir", "nik"), 20),
)


def scheme_of(configuration: Configuration, place: Place) -> PassScheme:
    """The pass of ``place``, hardened; with fields that it uses alone."""
    used = {k.partition(":")[0] for k in place.exact} | set(place.fields)
    p = Pass(id="p", exact=place.exact, similar=configuration.similar(place.fields), bucket_bits=8)
    schema = Schema(
        fields=tuple(f for f in FIELDS if f.name in used),
        passes=(p,),
        presence=configuration.presence,
        decoy_share=configuration.decoys,
    )
    return PassScheme(schema, p)


def with_gaps(made: dict[str, pa.StringArray], seed: int) -> Fields:
    """Some numbers missing, as in real registers."""
    rng, gapped = np.random.default_rng(seed), dict(made)
    for name in {"nik", "nip", "paspor", "npwp"}.intersection(made):
        missing = rng.random(len(made[name])) < GAPS
        values = ["" if m else v for v, m in zip(made[name].to_pylist(), missing, strict=True)]
        gapped[name] = pa.array(values, pa.string())
    return gapped


def attacked(configuration: Configuration, place: Place) -> dict[str, float]:
    """Mean rates of the group attack over some victims."""
    scheme = scheme_of(configuration, place)
    born = grouped_people(scheme.schema, scheme.p, place.size, PEOPLE, 1)
    return in_groups(scheme, with_gaps(born, 2))


def in_groups(scheme: PassScheme, residents: Fields) -> dict[str, float]:
    """Mean rates of the group attack on these people, over some victims."""
    attack = GroupAttack(Attacker(scheme, residents, KEYS))
    rates = [list(attack_groups(attack, scheme.encode(residents, v), v)) for v in range(VICTIMS)]
    return {
        "persons": float(np.mean([given.persons for given, _ in rates])),
        "groups": float(np.mean([given.groups or 0 for given, _ in rates])),
        "known": float(np.mean([given.known or 0 for given, _ in rates])),
        "linked": float(np.mean([found.persons for _, found in rates])),
        "asked": float(rates[0][0].asked),
    }


def measure_attacks(path: Path) -> None:
    """Every configuration at every place."""
    for name, configuration in CONFIGURATIONS.items():
        for place in PLACES:
            if place.name not in measured(path, name):
                note(path, name, place.name, attacked(configuration, place))
        scheme = scheme_of(configuration, PLACES[2])
        width = Layout.of(scheme.schema, scheme.p, provider=False).row_bytes
        note(path, name, "cost", {"bytes": width})


def measure_shipped(path: Path) -> None:
    """The passes with a filter that a flow accepts, in part of a registry as it expects."""
    for (flow, schema, p), rows in sorted(_shipped().items(), key=lambda item: -item[1]):
        for name, tried in ((KETAT_NAME, schema), (SEIMBANG_NAME, balanced(schema))):
            what = f"{flow} {p.id} {rows:,}"
            if what in measured(path, f"shipped {name}"):
                continue
            scheme = PassScheme(tried, tried.get_pass(p.id))
            residents = with_gaps(registry_part(schema, p, rows, SHIPPED_PEOPLE, 1), 2)
            salts = scheme.salts(residents)
            sizes = np.bincount(salts[salts >= 0])
            found = in_groups(scheme, residents)
            found |= {"people": len(salts), "largest": int(sizes.max())}
            found["mean"] = float((sizes.astype(float) ** 2).sum() / sizes.sum())
            note(path, f"shipped {name}", what, found)


def _shipped() -> dict[tuple[str, Schema, Pass], int]:
    """Flow, schema and pass, with the size of the registry; no example has a filter by itself."""
    flow = load_agreement(with_filters(example("kemnaker-bkn-2024"))).flow("asn-status")
    assert flow.schema is not None
    rows = max(flow.expected_records or 0, flow.quota.records_per_list if flow.quota else 0)
    return {(flow.id, flow.schema, p): rows for p in flow.schema.filtered}


def balanced(schema: Schema) -> Schema:
    """The schema as profile ``seimbang`` would have it."""
    strict, names = PROFILES[ProfileName.KETAT].names, PROFILES[ProfileName.SEIMBANG].names
    softer = {"weight": names.weight, "diffusion": names.diffusion}
    passes = tuple(
        p.model_copy(
            update={
                "similar": tuple(
                    s.model_copy(update=softer)
                    if (s.weight, s.diffusion) == (strict.weight, strict.diffusion)
                    else s
                    for s in p.similar
                )
            }
        )
        for p in schema.passes
    )
    return schema.model_copy(update={"presence": True, "passes": passes})


def measure_quality(data: Path, path: Path) -> None:
    """F1 of advised schemas, hardened like each configuration, on every set of ``data``."""
    from padan_client.rehearse import SchemaFile, run_rehearsal
    from padan_client.rehearse.advice import advise
    from padan_linkage.advice import Wishes

    for name, c in CONFIGURATIONS.items():
        if name == "salt alone" or any(w.startswith("F1") for w in measured(path, name)):
            continue
        for folder in sorted(f for f in data.iterdir() if (f / "truth.csv").is_file()):
            strict = PROFILES[ProfileName.KETAT]
            profiles.PROFILES[ProfileName.KETAT] = replace(
                strict, names=c.names, dates=c.dates, codes=c.codes, presence=c.presence,
                decoy_share=c.decoys,
            )  # fmt: skip
            try:
                files = [folder / "a.csv", folder / "b.csv"]
                advice = SchemaFile.suggested(advise(*files, Wishes(), None))
            finally:
                profiles.PROFILES[ProfileName.KETAT] = strict
            if c.merged:
                advice = replace(advice, schema=merged(advice.schema, c.names))
            found = run_rehearsal(*files, advice, truth=folder / "truth.csv", seed=1)
            assert found.quality is not None
            note(path, name, f"F1 {folder.name}", {"f1": found.quality.f1})


def merged(schema: Schema, made: Hardening) -> Schema:
    """The schema with one segment a pass."""
    passes = []
    for p in schema.passes:
        fields = tuple(dict.fromkeys(n for s in p.similar for n in s.fields))
        one = (made.segment(*fields),) if fields else ()
        passes.append(p.model_copy(update={"similar": one}))
    return schema.model_copy(update={"passes": tuple(passes)})


def measure_whole(path: Path) -> None:
    """Attacks on whole tables: the profiles, plain filters, an attacker who knows others."""
    place = Place("birth 4", ("tanggal_lahir",), ("nama",), 4)
    strict, softer = scheme_of(KETAT, place), scheme_of(SEIMBANG, place)
    plain = PlainScheme(("nama", "tanggal_lahir"))
    for count in (1_000, 5_000):
        born = grouped_people(strict.schema, strict.p, place.size, count, 1)
        others = strangers(born, 5)
        for name, tried, known in (
            ("ketat", strict, born),
            ("plain", plain, born),
            ("seimbang", softer, born),
            ("plain, others known", plain, others),
        ):
            attacker, victim = Attacker(tried, known, KEYS), tried.encode(born, 1)
            for attack in (Attack.SIG, Attack.GMA, Attack.PM, Attack.FREQ):
                if f"{attack} {count}" in measured(path, f"whole {name}"):
                    continue
                (rate,) = attack_table(attacker, victim, 1, frozenset({attack}))
                note(path, f"whole {name}", f"{attack} {count}", {"persons": rate.persons})


def measured(path: Path, name: str) -> Found:
    """What the file already says of a configuration."""
    known: dict[str, Found] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return known.get(name, {})


def note(path: Path, name: str, what: str, values: dict[str, float]) -> None:
    """Add one measurement to the file, and say so."""
    known = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    known.setdefault(name, {})[what] = {k: round(v, 5) for k, v in values.items()}
    path.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
    sys.stdout.write(f"{name} | {what} | {known[name][what]}\n")
    sys.stdout.flush()


def print_tables(path: Path, plot: Path) -> None:
    """The measurements as Markdown, and the frontier as a plot."""
    known = json.loads(path.read_text("utf-8"))
    for lines in (_frontier(known), _passes(known), _whole(known)):
        sys.stdout.write("\n".join(lines) + "\n\n")
    worst = PLACES[2].name
    points = [
        (name, known[name][worst]["known"], score)
        for name in CONFIGURATIONS
        if (score := _score(known.get(name, {}))) is not None
    ]
    plot.write_text(frontier_plot(points), "utf-8")


def _score(found: Found) -> float | None:
    scores = [v["f1"] for k, v in found.items() if k.startswith("F1")]
    return sum(scores) / len(scores) if scores else None


def _frontier(known: Mapping[str, Found]) -> Iterator[str]:
    """A line a configuration."""
    yield f"|  | {' | '.join(p.name for p in PLACES)} | delivered, worst | mean F1 | bytes |"
    yield "| --- " * (len(PLACES) + 4) + "|"
    for name in CONFIGURATIONS:
        found = known[name]
        rates = [found[p.name] for p in PLACES]
        cells = [f"{100 * r['persons']:.1f} ({100 * r['known']:.0f})" for r in rates]
        cells.append(f"{100 * max(r['linked'] for r in rates):.1f}")
        score = _score(found)
        cells += ["–" if score is None else f"{score:.3f}", f"{found['cost']['bytes']:.0f}"]
        yield f"| {name} | {' | '.join(cells)} |"


def _passes(known: Mapping[str, Found]) -> Iterator[str]:
    """A line a shipped pass, both profiles in it."""
    yield (
        "| flow, pass, records | mean | largest | `ketat` told | delivered | `seimbang` told "
        "| delivered |"
    )
    yield "| --- " * 7 + "|"
    softer = known[f"shipped {SEIMBANG_NAME}"]
    for name, strict in known[f"shipped {KETAT_NAME}"].items():
        rates = [r[k] for r in (strict, softer[name]) for k in ("persons", "linked")]
        cells = [f"{strict['mean']:.1f}", f"{strict['largest']:.0f}"]
        cells += [f"{100 * r:.1f}" for r in rates]
        yield f"| {name} | {' | '.join(cells)} |"


def _whole(known: Mapping[str, Found]) -> Iterator[str]:
    """A line a kind of table and size."""
    attacks = (Attack.FREQ, Attack.PM, Attack.GMA, Attack.SIG)
    yield f"| | {' | '.join(attacks)} |"
    yield "| --- " * 5 + "|"
    for name in (n for n in known if n.startswith("whole ")):
        for count in (1_000, 5_000):
            found = [known[name].get(f"{attack} {count}") for attack in attacks]
            cells = ["–" if f is None else f"{100 * f['persons']:.2f} %" for f in found]
            yield f"| {name.removeprefix('whole ')}, {count:,} records | {' | '.join(cells)} |"


def main(arguments: list[str]) -> None:
    """See the module's docstring."""
    command, *rest = arguments
    paths = [Path(a) for a in rest]
    commands = {
        "attacks": measure_attacks,
        "shipped": measure_shipped,
        "quality": measure_quality,
        "whole": measure_whole,
        "table": print_tables,
    }
    commands[command](*paths)


if __name__ == "__main__":
    main(sys.argv[1:])

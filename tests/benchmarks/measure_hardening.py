"""The frontier of spec 15: what attacks find, and what matching loses, by hardening.

    python tests/benchmarks/measure_hardening.py attacks out.json     minutes to an hour
    python tests/benchmarks/measure_hardening.py quality DATA out.json
    python tests/benchmarks/measure_hardening.py whole out.json       1,000 and 5,000 records
    python tests/benchmarks/measure_hardening.py table out.json out.svg

The first three add to ``out.json``; the last prints the table in Markdown and draws the plot. DATA
is a folder of linkage sets, each with a.csv, b.csv and truth.csv (rec_id_a, rec_id_b).
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from padan_client.assess.attacker import Attacker
from padan_client.assess.groups import GroupAttack
from padan_client.assess.plots import frontier_plot
from padan_client.assess.schemes import Fields, PassScheme, PlainScheme
from padan_client.assess.suite import attack_groups, attack_table
from padan_client.assess.town import grouped_people, people
from padan_linkage import profiles
from padan_linkage.profiles import PROFILES, Hardening, ProfileName
from padan_linkage.schema import Kind, Layout, Pass, Schema, SchemaField, Segment

KEYS, VICTIMS, PEOPLE = 4, 2, 600
#: Share of the people without a number, so that presence masks and random filling differ.
GAPS = 0.1

FIELDS = (
    SchemaField(name="nik", kind=Kind.NIK),
    SchemaField(name="nama", kind=Kind.PERSON_NAME),
    SchemaField(name="tanggal_lahir", kind=Kind.DATE),
)


@dataclass(frozen=True)
class Configuration:
    """One way of hardening. ``merged``: all fields of a pass in one segment made like ``names``."""

    names: Hardening
    dates: Hardening
    codes: Hardening
    merged: bool = False
    presence: bool = False
    decoys: float = 0.25

    def similar(self, fields: tuple[str, ...]) -> tuple[Segment, ...]:
        """The segments over ``fields``."""
        kinds = {f.name: f.kind for f in FIELDS}
        made = {Kind.PERSON_NAME: self.names, Kind.DATE: self.dates, Kind.NIK: self.codes}
        if self.merged:
            return (self.names.segment(*fields),)
        return tuple(made[kinds[name]].segment(name) for name in fields)


def alike(weight: int, diffusion: int, bits: int = 512, **more: bool) -> Configuration:
    """Every segment made the same."""
    each = Hardening(bits, weight, diffusion)
    return Configuration(each, each, each, **more)


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
_FORMER = Hardening(512, 100, 10)
CONFIGURATIONS = {
    "salt alone": alike(100, 0),
    "ketat": KETAT,
    "seimbang": SEIMBANG,
    "ketat, no decoys": replace(KETAT, decoys=0.0),
    "ketat, 100 % decoys": replace(KETAT, decoys=1.0),
    "names T100 t10": replace(KETAT, names=_FORMER),
    "names, codes T100 t10": replace(KETAT, names=_FORMER, codes=_FORMER),
    "T60 t8": alike(60, 8),
    "T100 t8": alike(100, 8),
    "T100 t10": alike(100, 10),
    "T100 t16": alike(100, 16),
    "T150 t12": alike(150, 12),
    "T200 t16": alike(200, 16),
    "m256 T100 t16": alike(100, 16, 256),
    "merged T200 t10": alike(200, 10, merged=True),
    "merged m256 T100 t10": alike(100, 10, 256, merged=True),
}


@dataclass(frozen=True)
class Place:
    """A pass, and the size of its groups."""

    name: str
    exact: tuple[str, ...]
    fields: tuple[str, ...]
    size: int


_FIRST = ("tanggal_lahir", "nama:phonetic_first")
PLACES = (
    Place("birth 46", ("tanggal_lahir",), ("nama",), 46),
    Place("birth 110", ("tanggal_lahir",), ("nama",), 110),
    Place("birth+first 3", _FIRST, ("nama", "nik"), 3),
    Place("birth+first 20", _FIRST, ("nama", "nik"), 20),
    Place("name+year 5", ("nama:phonetic", "tanggal_lahir:year"), ("tanggal_lahir", "nik"), 5),
    Place("name+year 20", ("nama:phonetic", "tanggal_lahir:year"), ("tanggal_lahir", "nik"), 20),
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
    """Some NIKs missing, as in real registers."""
    if "nik" not in made:
        return made
    missing = np.random.default_rng(seed).random(len(made["nik"])) < GAPS
    values = ["" if m else v for v, m in zip(made["nik"].to_pylist(), missing, strict=True)]
    return {**made, "nik": pa.array(values, pa.string())}


def attacked(configuration: Configuration, place: Place) -> dict[str, float]:
    """Mean rates of the group attack over some victims."""
    scheme = scheme_of(configuration, place)
    born = grouped_people(scheme.schema, scheme.p, place.size, PEOPLE, 1)
    residents = with_gaps(born, 2)
    attack = GroupAttack(Attacker(scheme, residents, KEYS))
    rates = [list(attack_groups(attack, scheme.encode(residents, v), v)) for v in range(VICTIMS)]
    return {
        "persons": float(np.mean([given.persons for given, _ in rates])),
        "groups": float(np.mean([given.groups or 0 for given, _ in rates])),
        "known": float(np.mean([given.known or 0 for given, _ in rates])),
        "linked": float(np.mean([found.persons for _, found in rates])),
    }


def cost(configuration: Configuration) -> dict[str, float]:
    """Bytes of a row and records encoded a second, in the pass of name and number."""
    scheme = scheme_of(configuration, PLACES[3])
    residents = people(scheme.schema, 20_000, 1)
    scheme.encode(residents, 1)
    began = time.perf_counter()
    scheme.encode(residents, 2)
    rate = len(residents["nama"]) / (time.perf_counter() - began)
    return {
        "bytes": Layout.of(scheme.schema, scheme.p, provider=False).row_bytes,
        "rate": rate,
    }


def measure_attacks(path: Path) -> None:
    """Every configuration at every place."""
    for name, configuration in CONFIGURATIONS.items():
        if "cost" in measured(path, name):
            continue
        for place in PLACES:
            if configuration.merged and len(place.fields) == 1 and "birth" in place.name:
                configuration_ = replace(configuration, merged=False)
            else:
                configuration_ = configuration
            note(path, name, place.name, attacked(configuration_, place))
        note(path, name, "cost", cost(configuration))


def measure_quality(data: Path, path: Path) -> None:
    """F1 of advised schemas, hardened like each configuration, on every set of ``data``."""
    from padan_client.rehearse import SchemaFile, run_rehearsal
    from padan_client.rehearse.advising import advise
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
    """Attacks on whole tables: plain filters, no diffusion, the profile."""
    place = Place("birth 4", ("tanggal_lahir",), ("nama",), 4)
    for count in (1_000, 5_000):
        scheme = scheme_of(KETAT, place)
        residents = grouped_people(scheme.schema, scheme.p, place.size, count, 1)
        keys = 4 if count == 1_000 else 2
        for name, tried in (("plain", PlainScheme(("nama", "tanggal_lahir"))), ("ketat", scheme)):
            attacker = Attacker(tried, residents, keys)
            for rate in attack_table(attacker, tried.encode(residents, 1), 1):
                note(path, f"whole {name}", f"{rate.attack} {count}", {"persons": rate.persons})


def measured(path: Path, name: str) -> dict[str, dict[str, float]]:
    """What the file already says of a configuration."""
    known: dict[str, dict[str, dict[str, float]]] = (
        json.loads(path.read_text("utf-8")) if path.is_file() else {}
    )
    return known.get(name, {})


def note(path: Path, name: str, what: str, values: dict[str, float]) -> None:
    """Add one measurement to the file, and say so."""
    known = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    known.setdefault(name, {})[what] = {k: round(v, 5) for k, v in values.items()}
    path.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
    sys.stdout.write(f"{name} | {what} | {known[name][what]}\n")
    sys.stdout.flush()


def print_table(path: Path, plot: Path) -> None:
    """The measurements as Markdown, and the frontier as a plot."""
    known = json.loads(path.read_text("utf-8"))
    head = ["configuration", *(f"{p.name}: persons (known)" for p in PLACES)]
    head += ["mean F1", "bytes", "records/s"]
    lines = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
    points = []
    for name in CONFIGURATIONS:
        found = known.get(name, {})
        cells = [name]
        for place in PLACES:
            rate = found.get(place.name)
            cells.append(
                "–" if rate is None else f"{100 * rate['persons']:.1f} ({100 * rate['known']:.1f})"
            )
        scores = [v["f1"] for k, v in found.items() if k.startswith("F1")]
        mean = sum(scores) / len(scores) if scores else None
        cells.append("–" if mean is None else f"{mean:.4f}")
        spent = found.get("cost")
        cells += ["–", "–"] if spent is None else [f"{spent['bytes']:.0f}", f"{spent['rate']:,.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
        worst = found.get(PLACES[3].name)
        if mean is not None and worst is not None:
            points.append((name, worst["known"], mean))
    sys.stdout.write("\n".join(lines) + "\n")
    plot.write_text(frontier_plot(points), "utf-8")


def main(arguments: list[str]) -> None:
    """See the module's docstring."""
    command, *rest = arguments
    paths = [Path(a) for a in rest]
    commands = {
        "attacks": measure_attacks,
        "quality": measure_quality,
        "whole": measure_whole,
        "table": print_table,
    }
    commands[command](*paths)


if __name__ == "__main__":
    main(sys.argv[1:])

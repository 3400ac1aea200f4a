"""``padan bench quality``: Padan on encodings beside Splink on plain values, in the same run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from padan_client.cli.commands.schema import (
    KindsOption,
    OnlyOption,
    ProfileOption,
    SignableOption,
    SizeOption,
    wishes,
)
from padan_client.cli.common import reports_errors
from padan_client.cli.options import JsonFlag
from padan_lab.bench.report import BenchReport, absence, announce, peer, rounded
from padan_linkage.advice import Size
from padan_linkage.advice.profiles import ProfileName
from padan_linkage.normalise import exact_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from padan_client.rehearse import Quality, SchemaFile
    from padan_client.rehearse.sides import Records
    from padan_client.rehearse.tables import Truth
    from padan_lab.bench.peers.splink import Scored


@reports_errors
def command(
    a: Annotated[Path, typer.Argument(help="Daftar. / The list.")],
    b: Annotated[Path | None, typer.Argument(help="Registri. / The registry.")] = None,
    *,
    truth: Annotated[Path, typer.Option(help="Pasangan benar. / The true pairs.")],
    schema: Annotated[
        Path | None, typer.Option(help="Berkas skema; tanpa ini disarankan. / Else advised.")
    ] = None,
    profile: ProfileOption = ProfileName.SEIMBANG,
    size: SizeOption = Size.THOROUGH,
    kind: KindsOption = None,
    fields: OnlyOption = None,
    own_files: SignableOption = True,
    id_column: Annotated[
        str | None, typer.Option("--id", help="Kolom id (bawaan rec_id, id). / Id column.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Agar terulang persis. / To repeat it.")] = 1,
    json_: JsonFlag = False,
) -> None:
    """Mutu: Padan tersandi di samping Splink atas data terbuka. / Quality beside Splink."""
    from padan_client.rehearse import SchemaFile, load_schema_file
    from padan_client.rehearse.advice import advise

    if schema is not None:
        file = load_schema_file(schema)
    else:
        asked = wishes(profile, size, kind, fields, own_files=own_files)
        file = SchemaFile.suggested(advise(a, b, asked, id_column))
    _report(file, (a, b), truth, id_column, seed, json_=json_).publish(json_=json_)


def _report(
    file: SchemaFile,
    files: tuple[Path, Path | None],
    truth_file: Path,
    id_column: str | None,
    seed: int,
    *,
    json_: bool,
) -> BenchReport:
    from padan_client.rehearse import run_rehearsal
    from padan_client.rehearse.sides import read_side
    from padan_client.rehearse.tables import Truth

    a_file, b_file = files
    a = read_side(a_file, file.schema, file.columns_a, id_column)
    b = None if b_file is None else read_side(b_file, file.schema, file.columns_b, id_column)
    known = Truth.read(truth_file, a, b or a, within=b is None)
    report = BenchReport("quality")
    announce(json_, "Padan")
    begin = time.perf_counter()
    ours = run_rehearsal(a_file, b_file, file, id_column=id_column, truth=truth_file, seed=seed)
    seconds = time.perf_counter() - begin
    assert ours.quality is not None
    report.measured |= {
        "rows": [len(r.ids) for r in (a, b) if r is not None],
        "true_pairs": known.pairs,
        "passes": len(file.schema.passes),
        "recall_ceiling": rounded(recall_ceiling(file, known, a, b or a)),
        "quality": {
            "padan": _line(ours.quality, seconds, ours.estimated_precision),
        },
    }
    if peer("splink") is None:
        report.absent.append(absence("Splink"))
        return report
    announce(json_, "Splink")
    _beside(report, file, known, (a, b), ours.quality, seed)
    return report


def _beside(
    report: BenchReport,
    file: SchemaFile,
    known: Truth,
    sides: tuple[Records, Records | None],
    ours: Quality,
    seed: int,
) -> None:
    """Add Splink's lines and the ratios of F1."""
    from padan_lab.bench.peers.splink import link

    a, b = sides
    begin = time.perf_counter()
    scored = link(file.schema, a, b, seed)
    seconds = time.perf_counter() - begin
    right = _right(scored, known, a, b or a)
    blind = _quality(right[: len(scored.blind().a)], known)
    oracle = _oracle(right, known)
    lines = report.measured["quality"]
    assert isinstance(lines, dict)
    lines["splink blind"] = _line(blind, seconds)
    lines["splink oracle"] = _line(oracle, seconds)
    compared = {
        "f1_vs_splink_blind": (ours.f1, blind.f1),
        "f1_vs_splink_oracle": (ours.f1, oracle.f1),
        "precision_vs_splink_blind": (ours.precision, blind.precision),
        "recall_vs_splink_blind": (ours.recall, blind.recall),
    }
    report.ratios |= {
        name: float(f"{mine / theirs:.4g}")
        for name, (mine, theirs) in compared.items()
        if mine is not None and theirs
    }


def _line(q: Quality, seconds: float, estimated: float | None = None) -> dict[str, object]:
    shares = {"precision": q.precision, "recall": q.recall, "f1": q.f1}
    line: dict[str, object] = {
        name: None if value is None else round(value, 4) for name, value in shares.items()
    }
    if estimated is not None:
        line["estimated_precision"] = round(estimated, 4)
    return line | {"seconds": rounded(seconds)}


def recall_ceiling(file: SchemaFile, known: Truth, a: Records, b: Records) -> float:
    """Share of the true pairs whose exact fields agree in some pass: no score can find others."""
    place_a, place_b = _places(a), _places(b)
    left, right = (place_a[known.codes // known.width], place_b[known.codes % known.width])
    there = (left >= 0) & (right >= 0)
    met = np.zeros(len(known.codes), np.bool_)
    for p in file.schema.passes:
        agree = there.copy()
        columns = (exact_values(file.schema, p, side.fields) for side in (a, b))
        for mine, theirs in zip(*columns, strict=True):
            x = np.array(mine.to_pylist(), object)[left]
            y = np.array(theirs.to_pylist(), object)[right]
            agree &= (x == y) & (x != "")
        met |= agree
    return float(met.mean()) if len(met) else 0.0


def _places(side: Records) -> NDArray[np.int64]:
    """Position among the usable records of every row of the file, -1 where it is not usable."""
    places = np.full(len(side.ids), -1, np.int64)
    places[side.rows] = np.arange(len(side))
    return places


def _right(scored: Scored, known: Truth, a: Records, b: Records) -> NDArray[np.bool_]:
    """Which pairs are true, in their order."""
    ends = np.stack([a.rows[scored.a], b.rows[scored.b]])
    ends = np.sort(ends, axis=0) if known.within else ends
    found: NDArray[np.bool_] = np.isin(ends[0] * known.width + ends[1], known.codes)
    return found


def _quality(right: NDArray[np.bool_], known: Truth) -> Quality:
    from padan_client.rehearse import Quality

    return Quality.of(int(right.sum()), len(right), known.pairs)


def _oracle(right: NDArray[np.bool_], known: Truth) -> Quality:
    """The best F1 of any threshold, which only somebody who knows the truth could choose."""
    found = np.cumsum(right)
    f1 = 2 * found / (np.arange(1, len(right) + 1) + known.pairs)
    return _quality(right[: int(np.argmax(f1)) + 1 if len(right) else 0], known)

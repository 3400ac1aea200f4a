"""What a rehearsal found, as ``padan rehearse`` shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_client.base.numbers import decimal, number
from padan_client.cli.common import out
from padan_client.cli.views import estimates as shares
from padan_client.cli.views.sheet import Sheet

if TYPE_CHECKING:
    from padan_client.rehearse import Rehearsal
    from padan_client.rehearse.linking import PassReport


#: How a threshold was found, as the JSON names it.
_METHODS = {
    "tokens": "kunci sama",
    "decoys": "umpan",
    "within": "dalam registri",
    "priors": "dugaan awal",
}


def as_json(result: Rehearsal) -> dict[str, object]:
    """The keys that scripts rely on, then the details."""
    value: dict[str, object] = {
        "pairs": result.pairs.num_rows,
        "threshold": result.threshold,
        **shares.as_json(result.expected),
    }
    if result.quality is not None:
        value |= {
            "precision": result.quality.precision,
            "recall": result.quality.recall,
            "f1": result.quality.f1,
        }
    if result.counts is not None:
        value["counts"] = result.counts
    value["registry_copies"] = result.copies
    value["one_to_one"] = result.one_to_one
    value["suggested"] = {"one_to_one": result.single}
    value["rows"] = [{"usable": good, "quarantined": bad} for good, bad in result.rows]
    value["passes"] = [_pass_json(p) for p in result.passes]
    return value


def _pass_json(p: PassReport) -> dict[str, object]:
    finite = p.scoring.threshold != float("inf")
    return {
        "id": p.estimate.pass_id,
        "matched": p.estimate.matched_rows,
        "ambiguous": p.estimate.ambiguous_rows,
        "unopened": p.unopened,
        "threshold": p.scoring.threshold if finite else None,
        "estimated_precision": p.estimate.precision,
        "estimated_recall": p.estimate.recall,
        "method": p.scoring.method,
        "pairs_compared": p.scoring.pairs,
        "registry_duplicates": p.scoring.duplicates,
    }


def show(result: Rehearsal) -> None:
    """The two tables for a reader."""
    passes = Sheet(t("Jalur", "Passes"))
    for name in (
        t("jalur", "pass"),
        t("cocok", "matched"),
        t("ganda", "ambiguous"),
        t("ambang", "threshold"),
        t("taksiran presisi", "estimated precision"),
        t("taksiran perolehan", "estimated recall"),
        t("cara", "method"),
    ):
        passes.add_column(name)
    for p in result.passes:
        e, scoring = p.estimate, p.scoring
        method = t(_METHODS.get(scoring.method, scoring.method), scoring.method)
        passes.add_row(
            e.pass_id, number(e.matched_rows), number(e.ambiguous_rows), _number(scoring.threshold),
            shares.shown(e.precision), shares.shown(e.recall), method,
        )  # fmt: skip
    out.print(passes)
    total = Sheet(t("Hasil", "Result"), show_header=False)
    total.add_column()
    total.add_column()
    total.add_row(t("pasangan", "pairs"), number(result.pairs.num_rows))
    for word, count in (result.counts or {}).items():
        total.add_row(word.replace("_", " "), number(count))
    total.add_row(
        t("taksiran presisi", "estimated precision"), shares.with_bounds(result.expected.precision)
    )
    total.add_row(
        t("taksiran perolehan", "estimated recall"), shares.with_bounds(result.expected.recall)
    )
    if result.quality is not None:
        total.add_row(t("presisi", "precision"), shares.shown(result.quality.precision))
        total.add_row(t("perolehan (recall)", "recall"), shares.shown(result.quality.recall))
        total.add_row("F1", shares.shown(result.quality.f1))
    for name, (_, bad) in zip("AB", result.rows, strict=False):
        if bad:
            total.add_row(t(f"baris {name} tak terpakai", f"unusable rows of {name}"), number(bad))
    if result.copies:
        name = t("registri: baris ganda", "registry: repeated people")
        total.add_row(name, number(result.copies))
    out.print(total)
    for note in _notes(result):
        out.print(note)


def _notes(result: Rehearsal) -> Iterator[str]:
    """What a reader should know of the figures."""
    if result.counts is not None:
        yield _about_runs(result.copies or 0)
        return
    yield f"[dim]{shares.about_recall(result.expected.recall)}[/]"
    if result.single or result.one_to_one:
        yield _about_one_to_one(result)
    if result.copies:
        yield _about_copies(result.copies)
    elif result.copies is None and len(result.rows) > 1:
        yield t(
            "Registri sebesar ini tidak diperiksa apakah memuat orang yang sama berulang kali.",
            "A registry this large is not looked through for people named more than once.",
        )


def _about_one_to_one(result: Rehearsal) -> str:
    """Whether a registry row answered once at most, and whether it should."""
    if not result.one_to_one:
        return t(
            "Tidak ada orang yang tampak tercatat dua kali di kedua berkas: --one-to-one akan "
            "menjawab lebih tepat.",
            "Neither file is seen to name anybody twice: --one-to-one would answer more rightly.",
        )
    reason = (
        t("kedua berkas tampak tanpa salinan", "both files look free of copies")
        if result.single
        else t("diminta begitu", "as asked for")
    )
    return t(
        f"Satu baris registri menjawab paling banyak satu baris daftar: {reason}. Pelaksanaannya "
        "begitu hanya bila perjanjian menyebut one_to_one = true.",
        f"A registry row answered one row of the list at most: {reason}. A run does so only if "
        "the agreement says one_to_one = true.",
    )


def _about_runs(copies: int) -> str:
    """That rows were answered as a run would, and what was done about copies."""
    answered = t(
        "Tiap baris dijawab seperti dalam pelaksanaan: menurut edisi registri, apa pun baris lain "
        "di daftar.",
        "Every row was answered as in a run: by the registry's edition, whatever else is listed.",
    )
    if not copies:
        return answered
    return f"{answered} " + t(
        f"{number(copies)} salinan di registri digabung lebih dahulu, seperti saat diterbitkan.",
        f"{number(copies)} copies in the registry were merged first, as when it is published.",
    )


def _about_copies(copies: int) -> str:
    """What was done about people whom the registry names twice, and what a run does."""
    return t(
        f"Registri memuat orang yang sama lebih dari sekali: {number(copies)} baris disisihkan "
        "sebelum pemadanan dan digabungkan lagi sesudahnya. Penerbitan menggabungkan salinan yang "
        "jelas saja; uji coba dengan --agreement menunjukkan berapa banyak.",
        f"The registry names people more than once: {number(copies)} rows were set aside before "
        "linking and joined to the answers afterwards. Publishing merges clear copies alone; a "
        "rehearsal with --agreement shows how many.",
    )


def _number(value: float) -> str:
    return "–" if value == float("inf") else decimal(value, 2)

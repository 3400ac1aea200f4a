"""What came of the games, as one HTML file that needs nothing else, and as JSON."""

from __future__ import annotations

from html import escape

from padan_client.base.language import t
from padan_client.base.numbers import decimal
from padan_lab.games.judging.contest import Result
from padan_lab.games.judging.outcome import Outcome
from padan_lab.games.program import Bench

_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem;
  color: #1c2430; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; font-size: .9rem;
  font-variant-numeric: tabular-nums; line-height: 1.35; }
th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid #d9dee6; }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
th { font-weight: 600; background: #f4f6f9; } .wide { overflow-x: auto; }
.verdict { padding: .8rem 1rem; border-left: 6px solid #2a7d4f; background: #eef7f1; }
.verdict.bad { border-color: #b3261e; background: #fdeeed; }
.above { color: #b3261e; font-weight: 600; } .note { color: #55606e; font-size: .92rem; }
"""


def as_json(bench: Bench) -> dict[str, object]:
    """What scripts rely on."""
    return {
        "held": bench.held,
        "games": {name: outcome.as_json() for name, outcome in bench.games.items()},
        "bounds": {name: bound.as_json() for name, bound in bench.bounds.items()},
        "high": bench.scale.high,
        "seed": bench.seed,
        "seconds": dict(bench.seconds),
    }


def verdict(bench: Bench) -> str:
    """One sentence on the whole."""
    fallen = [n for n, outcome in bench.games.items() if not outcome.holds(bench.scale.high)]
    fallen += [name for name, bound in bench.bounds.items() if not bound.holds()]
    if not fallen:
        return t(
            "Bertahan: tidak ada yang dapat membedakan, dan setiap kebocoran buatan ditemukan.",
            "Held: nobody could tell, and every leak that was put in was found.",
        )
    names = ", ".join(fallen)
    return t(f"TIDAK BERTAHAN: {names}.", f"DID NOT HOLD: {names}.")


def render(bench: Bench) -> str:
    """The report: a page of HTML with no external resource."""
    title = t("Permainan: siapa dapat membedakan apa", "Games: who can tell what apart")
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="verdict{"" if bench.held else " bad"}">{escape(verdict(bench))}</p>',
        f'<p class="note">{escape(_explained(bench))}</p>',
        *(_game(name, outcome, bench.scale.high) for name, outcome in bench.games.items()),
        _bounds(bench),
    ]
    return (
        f'<!doctype html>\n<html lang="{t("id", "en")}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _explained(bench: Bench) -> str:
    high = decimal(bench.scale.high, 2)
    return t(
        f"AUC ,5 berarti menebak. Interval 99,9 %-nya harus memuat ,5 dan berakhir pada {high} "
        "atau di bawahnya. Pada pembanding, kebocoran lama dimasukkan ke setiap permainan kedua; "
        "intervalnya harus seluruhnya di atas ,55. Baris yang cocok tidak dimainkan: kecocokan "
        "boleh diketahui unit.",
        f"An AUC of .5 is guessing. Its 99.9 % interval must contain .5 and end at {high} or "
        "below. In a control an old leak is put into every second play; its interval must lie "
        "above .55. Rows that matched are not played: match structure is what a unit may know.",
    )


def _game(name: str, outcome: Outcome, high: float) -> str:
    rows = [
        _row(part, result, bad=not (result.area.chance and result.area.high <= high))
        for part, result in outcome.parts.items()
    ]
    controls = [_row(part, result, bad=False) for part, result in outcome.controls.items()]
    who = t(f"pemain: {outcome.party}", f"player: {outcome.party}")
    return (
        f'<h2>{escape(name)}</h2><p class="note">{escape(who)}</p>'
        f"{_table(t('yang terlihat', 'what is seen'), rows)}"
        f"{_table(t('pembanding', 'control'), controls)}"
    )


def _table(first: str, rows: list[str]) -> str:
    names = (
        first, "AUC", t("dari", "from"), t("sampai", "to"), t("permainan", "plays"),
        t("pengklasifikasi dan ciri", "classifier and features"),
    )  # fmt: skip
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _row(part: str, result: Result, *, bad: bool) -> str:
    area, mark = result.area, ' class="above"' if bad else ""
    told = ", ".join(f"{name} {decimal(auc, 3)}" for name, auc in result.told)
    plays = " + ".join(map(str, result.plays))
    return (
        f"<tr><td>{escape(part)}</td><td{mark}>{decimal(area.auc, 3)}</td>"
        f"<td>{decimal(area.low, 3)}</td><td>{decimal(area.high, 3)}</td><td>{plays}</td>"
        f"<td>{escape(result.classifier)}; {escape(told)}</td></tr>"
    )


def _bounds(bench: Bench) -> str:
    if not bench.bounds:
        return ""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{decimal(b.bits, 4)}</td><td>{decimal(b.limit, 4)}</td>"
        f"<td>{decimal(b.control, 4)}</td></tr>"
        for name, b in bench.bounds.items()
    )
    names = (
        t("batas", "bound"), t("bit per rekaman terhitung", "bits a charged record"),
        t("paling banyak", "at most"), t("tanpa batas", "unbounded"),
    )  # fmt: skip
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

"""Keys that the advisor proposes for direct mode: for a reader, and for programs."""

from __future__ import annotations

from padan_client.base.language import t
from padan_client.base.numbers import decimal
from padan_client.cli.common import out
from padan_client.cli.views.sheet import Sheet
from padan_client.rehearse.advice import say
from padan_client.rehearse.direct_keys import told_bound, told_option
from padan_linkage.advice.direct.suggest import KeyChoice, KeySuggestion


def show_keys(s: KeySuggestion) -> None:
    """Keys with their reasons, what was passed over, and what opening alone would buy and cost."""
    keys = Sheet(t("Kunci mode direct", "Keys of direct mode"))
    for heading in (
        t("kunci", "key"),
        t("harus sama", "must agree"),
        t("membuka", "opens"),
        t("bertemu %", "meets %"),
        t("alasan", "why"),
    ):
        keys.add_column(heading)
    for c in s.keys:
        met = decimal(100 * c.met, 1)
        keys.add_row(c.chosen.id, _exact(c), _opens(c), met, say(c.said))
    out.print(keys)
    for said in s.passed_over:
        out.print(f"  {say(said)}", style="dim", markup=False, highlight=False)
    for line in (say(s.rehearsed()), told_bound(s), *map(told_option, s.options)):
        out.print(line, highlight=False, markup=False)


def keys_json(s: KeySuggestion) -> dict[str, object]:
    """Every choice with its reason, for programs."""
    return {
        "rows": s.rows,
        "people": s.people,
        "found": round(s.rate.found, 6),
        "strangers": round(s.rate.strangers, 9),
        "strangers_seen": s.rate.seen,
        "swaps": round(s.rate.swaps, 9),
        "households": s.households,
        "elements": s.elements,
        "fields": [
            {"name": f.name, "kind": f.kind, "columns_a": f.columns_a, "columns_b": f.columns_b}
            for f in s.fields
        ],
        "keys": [
            {**c.chosen.model_dump(mode="json"), "met": round(c.met, 6), "unchecked": c.unchecked,
             "reason": say(c.said)}
            for c in s.keys
        ],
        "passed_over": [say(said) for said in s.passed_over],
        "options": [
            {"key": o.key.model_dump(mode="json"), "proposed": o.proposed, "worth": o.worth,
             "gain": round(o.gain, 6), "strangers": round(o.strangers, 9), "reach": o.reach}
            for o in s.options
        ],
        "bound": [{"records": n, "bits": round(bits, 2)} for n, bits in s.bound],
        "records_per_day": s.schema.records_per_day,
        "records_per_list": s.schema.records_per_list,
    }  # fmt: skip


def _exact(c: KeyChoice) -> str:
    counted = t(f" ({c.chosen.values} nilai)", f" ({c.chosen.values} values)")
    return ", ".join(c.chosen.exact) + (counted if c.chosen.values else "")


def _opens(c: KeyChoice) -> str:
    if c.unchecked:
        named = ", ".join(c.chosen.without)
        return t(f"tanpa pemeriksaan, tanpa {named}", f"unchecked, without {named}")
    return t("berdua", "two together") if c.chosen.weak else t("sendiri", "alone")

"""Negative vectors of labels: those of one person that one record met, and what does not open."""

from __future__ import annotations

from typing import Any

from faults import Faults, flip
from material import key_bytes

from padan_linkage.direct.table import TAG_BYTES

#: Where a row has what, behind its tag.
PSEUDONYM, OPENER, RARITY, ANSWER = (TAG_BYTES + at for at in (0, 8, 24, 25))


def labels(made: dict[str, Any]) -> Faults:
    """Labels of one person, of a strong key and of two weak ones, as a record meets them."""
    person = next(i for i, each in enumerate(made["persons"]) if each["codes"])
    mine = {label["key"]: label for label in made["labels"] if label["person"] == person}
    met = [_met(mine[key]) for key in ("nik-depan", "nik-wilayah", "paspor-salah")]
    strong, weak, other = met
    call = Faults(
        "labels",
        "Label",
        keys=made["keys"],
        codes=len(made["records"]),
        table_id=made["table_id"],
        labels=met,
    )

    def fault(name: str, *labels: dict[str, Any]) -> None:
        call.fault(name, "", labels=list(labels))

    def bent(label: dict[str, Any], at: int, mask: int = 1) -> dict[str, Any]:
        row = bytearray.fromhex(label["row"])
        row[at] ^= mask
        return label | {"row": bytes(row).hex()}

    fault("none")
    fault("one_weak_key_alone", weak)
    fault("values_of_one_weak_key", weak, weak)
    fault("tag_of_another", bent(strong, 0))
    fault("number_of_another", strong | {"number": strong["number"] ^ 1})
    fault("output_of_another", strong | {"output": weak["output"]})
    call.fault("another_table", "", table_id=key_bytes("base")[:16])
    call.fault("truncated_table_id", "ValueError", table_id=key_bytes("table")[:15])
    fault("secret_bent", bent(strong, OPENER))
    fault("share_bent", weak, bent(other, OPENER))
    fault("shares_off_the_line", strong, bent(weak, OPENER + 15), other)
    fault("strong_labels_differ", strong, bent(strong, OPENER + 7))
    fault("of_two_persons", weak, bent(other, PSEUDONYM))
    fault("answers_differ", strong, bent(weak, ANSWER + 1, 2))
    fault("rarity_unknown", bent(strong, RARITY, 9 ^ (mine["nik-depan"]["rarity"] & 15)))
    code = made["persons"][person]["codes"]
    for name, at, mask in (
        ("unknown_flag", ANSWER, 2),
        ("set_aside_with_a_code", ANSWER, 1),
        ("no_code", ANSWER + 1, code),
        ("unknown_code", ANSWER + 1, 128),
        ("unknown_code_beyond", ANSWER + 4, 1),
    ):
        fault(name, bent(strong, at, mask))
    assert flip(bytes.fromhex(strong["row"]), 0).hex() == bent(strong, 0)["row"]
    return call


def _met(label: dict[str, Any]) -> dict[str, Any]:
    return {name: label[name] for name in ("key", "output", "number", "row")}

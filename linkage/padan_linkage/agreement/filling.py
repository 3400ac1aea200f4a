"""Writes public keys and pins into a draft, line by line: nothing else of the file changes.

Spec 40, "Choices in the examples".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence

from padan_linkage.agreement.document import load_agreement
from padan_linkage.agreement.findings import AgreementError, Finding, error
from padan_linkage.agreement.model import Agreement

_HEADER = re.compile(r"^\s*\[")
_PARTY = re.compile(r'^\s*id\s*=\s*"([^"]*)"')


def fill_keys(document: bytes, keys: Mapping[str, tuple[bytes, bytes]]) -> bytes:
    """The document with parties' public keys written in.

    ``keys`` maps party ids to (Ed25519, X25519) public keys, 32 bytes each. Raises AgreementError
    if the document does not load, a party is not in it, or it lacks the lines ``sign_key = ""``
    and ``exchange_key = ""`` of its ``[[party]]`` block.
    """
    values = {
        party: {"sign_key": _base64(sign), "exchange_key": _base64(exchange)}
        for party, (sign, exchange) in keys.items()
    }
    return _filled(document, {}, values)


def fill_pins(
    document: bytes, unit: Sequence[str] = (), servers: Mapping[str, Sequence[str]] | None = None
) -> bytes:
    """The document with the pins of the linkage unit and of parties' servers written in.

    Pins are lower-case hex, 64 digits. Raises AgreementError if the document does not load then, or
    lacks the line ``pins = []`` of ``[unit]`` or ``server_pins = []`` of a ``[[party]]``.
    """
    parties = {party: {"server_pins": list(pins)} for party, pins in (servers or {}).items()}
    return _filled(document, {"pins": list(unit)} if unit else {}, parties)


def _filled(
    document: bytes, unit: Mapping[str, object], parties: Mapping[str, Mapping[str, object]]
) -> bytes:
    load_agreement(document)
    lines = document.decode("utf-8").splitlines(keepends=True)
    for start, stop in _blocks(lines, "[unit]"):
        _fill_block(lines, start, stop, unit)
    for start, stop in _blocks(lines, "[[party]]"):
        ids = [m[1] for line in lines[start:stop] if (m := _PARTY.match(line))]
        _fill_block(lines, start, stop, parties.get(ids[0], {}) if ids else {})
    filled = "".join(lines).encode("utf-8")
    missed = _missed(load_agreement(filled), unit, parties)
    if missed:
        raise AgreementError([_not_filled(*place) for place in missed.items()])
    return filled


def _blocks(lines: list[str], header: str) -> list[tuple[int, int]]:
    starts = [i for i, line in enumerate(lines) if line.strip() == header]
    heads = [i for i, line in enumerate(lines) if _HEADER.match(line)] + [len(lines)]
    return [(i, min(h for h in heads if h > i)) for i in starts]


def _fill_block(lines: list[str], start: int, stop: int, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        line = re.compile(rf'^(\s*{name}\s*=\s*)(?:"[^"]*"|\[[^\]]*\])')
        for i in range(start, stop):
            lines[i] = line.sub(rf"\g<1>{json.dumps(value)}", lines[i])


def _missed(
    agreement: Agreement,
    unit: Mapping[str, object],
    parties: Mapping[str, Mapping[str, object]],
) -> dict[str, list[str]]:
    """The lines that did not get their values, by the place of their block."""
    after = {f"party[{p.id}]": p.model_dump(mode="json") for p in agreement.parties}
    after["unit"] = agreement.unit.model_dump(mode="json") if agreement.unit else {}
    wanted = {"unit": unit} | {f"party[{party}]": values for party, values in parties.items()}
    missed = {
        where: [name for name in values if after.get(where, {}).get(name) != values[name]]
        for where, values in wanted.items()
    }
    return {where: names for where, names in missed.items() if names}


def _not_filled(where: str, names: Sequence[str]) -> Finding:
    return error(
        "key-not-filled",
        where,
        f"Tidak ada blok ini, atau blok itu tidak punya baris {', '.join(names)} (boleh kosong).",
        f"There is no such block, or it lacks the lines {', '.join(names)} (they may be empty).",
    )


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")

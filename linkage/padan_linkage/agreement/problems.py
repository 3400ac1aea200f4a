"""Turns what the typed model objects to into findings that a data officer understands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from padan_linkage.agreement.findings import Finding, error

#: pydantic error type (or its prefix) -> (code, Indonesian, English)
_TEXTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "text_unprintable",
        "value-unprintable",
        "Ada huruf yang tidak tercetak (kendali atau arah tulisan).",
        "There is an unprintable character (control or writing direction).",
    ),
    ("missing", "key-absent", "Wajib diisi.", "Required, and absent."),
    (
        "extra_forbidden",
        "key-unknown",
        "Kunci ini tidak dikenal; periksa ejaannya.",
        "Unknown key; check its spelling.",
    ),
    (
        "unexpected_keyword",
        "key-unknown",
        "Kunci ini tidak dikenal; periksa ejaannya.",
        "Unknown key; check its spelling.",
    ),
    (
        "string_pattern",
        "value-pattern",
        "Bentuknya tidak sesuai pola {pattern}.",
        "Does not fit the pattern {pattern}.",
    ),
    ("string_too_short", "value-empty", "Tidak boleh kosong.", "Must not be empty."),
    (
        "string_too_long",
        "value-long",
        "Lebih dari {max_length} huruf.",
        "More than {max_length} characters.",
    ),
    ("string_", "value-type", "Harus berupa teks.", "Must be text."),
    (
        "date",
        "value-date",
        "Harus tanggal, contoh 2024-08-15 (tanpa tanda petik).",
        "Must be a date, such as 2024-08-15 (no quotes).",
    ),
    ("int_", "value-type", "Harus bilangan bulat.", "Must be a whole number."),
    ("float_", "value-type", "Harus bilangan.", "Must be a number."),
    ("bool_", "value-type", "Harus true atau false.", "Must be true or false."),
    ("enum", "value-choice", "Harus salah satu dari {expected}.", "Must be one of {expected}."),
    ("greater_than", "value-range", "Terlalu kecil.", "Too small."),
    ("less_than", "value-range", "Terlalu besar.", "Too large."),
    (
        "multiple_of",
        "value-range",
        "Harus kelipatan {multiple_of}.",
        "Must be a multiple of {multiple_of}.",
    ),
    (
        "too_short",
        "value-empty",
        "Paling sedikit {min_length} isi.",
        "At least {min_length} entries.",
    ),
    ("too_long", "value-long", "Paling banyak {max_length} isi.", "At most {max_length} entries."),
    ("tuple_type", "value-type", "Harus berupa daftar.", "Must be a list."),
    ("dict_type", "value-type", "Harus berupa tabel.", "Must be a table."),
    ("model_type", "value-type", "Harus berupa tabel.", "Must be a table."),
    ("dataclass_type", "value-type", "Harus berupa tabel.", "Must be a table."),
)

#: What :class:`padan_linkage.schema.Schema` raises -> (code, Indonesian); the English is its own.
_SCHEMA_TEXTS: tuple[tuple[str, str, str], ...] = (
    (r"field names repeat", "field-duplicate", "Ada nama ruas yang dipakai dua kali."),
    (r"pass ids repeat", "pass-duplicate", "Ada id jalur (pass) yang dipakai dua kali."),
    (r"direct key ids repeat", "direct-key-duplicate", "Ada id kunci yang dipakai dua kali."),
    (
        r"tolerant is weak now: .*",
        "direct-key-tolerant",
        "tolerant kini bernama weak: tulis weak = true, alone = true sebagai gantinya.",
    ),
    (
        r"alone is said of weak keys; .*",
        "direct-key-alone",
        "alone hanya untuk kunci weak; kunci lain memang menjawab sendiri.",
    ),
    (
        r"pass (\S+): no field '(.*)'",
        "field-unknown",
        "Jalur {0} menyebut ruas {1} yang tidak dimiliki kedua pihak.",
    ),
    (
        r"pass (\S+): (\S+) has no derived key '(.*)'",
        "derivation-unknown",
        "Jalur {0}: jenis {1} tidak punya kunci turunan {2}.",
    ),
    (
        r"pass (\S+): segments of group '(.*)' differ in shape",
        "segment-shape",
        "Jalur {0}: segmen dalam grup {1} harus sama bits dan diffusion.",
    ),
)


def explain(failure: ValidationError, raw: Mapping[str, Any]) -> list[Finding]:
    """One finding for each error of ``failure``; ``raw`` is the parsed TOML, for the places' ids.

    No finding repeats a value of the file, only ids.
    """
    return [
        _finding(str(e["type"]), e["msg"], e.get("ctx", {}), place(e["loc"], raw))
        for e in failure.errors(include_url=False, include_input=False)
    ]


def place(loc: tuple[int | str, ...], raw: Any) -> str:
    """The place as an officer finds it: ``flow[asn-status].schema.passes[nik].exact``."""
    text, at = "", raw
    for part in loc:
        if isinstance(part, int):
            at = at[part] if isinstance(at, list | tuple) and part < len(at) else None
            text += f"[{_name_of(at, part)}]"
        else:
            at = at.get(part) if isinstance(at, Mapping) else None
            text += f".{part}" if text else part
    return text or "file"


def _name_of(entry: Any, index: int) -> str:
    if isinstance(entry, Mapping):
        for key in ("id", "code", "name"):
            if isinstance(entry.get(key), str):
                return str(entry[key])
    return str(index + 1)


def _finding(kind: str, message: str, context: Mapping[str, Any], where: str) -> Finding:
    if kind == "value_error":
        return _schema_finding(message.removeprefix("Value error, "), where)
    for prefix, code, id_text, en_text in _TEXTS:
        if kind.startswith(prefix):
            return error(code, where, id_text.format(**context), en_text.format(**context))
    return error("value-invalid", where, f"Nilai tidak sah ({kind}).", f"Invalid value ({kind}).")


def _schema_finding(message: str, where: str) -> Finding:
    for pattern, code, id_text in _SCHEMA_TEXTS:
        if m := re.fullmatch(pattern, message):
            return error(
                code, where, id_text.format(*m.groups()), message[:1].upper() + message[1:]
            )
    return error("schema-invalid", where, f"Skema tidak sah: {message}.", f"Invalid: {message}.")

"""What is wrong with a server's settings, told by name in Indonesian and English."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from padan_server.base.quantities import TOLD

#: pydantic's type of an error, or what it begins with -> Indonesian, English.
_TEXTS: tuple[tuple[str, str, str], ...] = (
    ("missing", "Wajib diisi.", "Required, and absent."),
    (
        "extra_forbidden",
        "Setelan ini tidak dikenal; periksa ejaannya.",
        "Unknown setting; check its spelling.",
    ),
    (
        "string_pattern",
        "Bentuknya tidak sesuai pola {pattern}.",
        "Does not fit the pattern {pattern}.",
    ),
    ("string_", "Harus berupa teks.", "Must be text."),
    ("literal_error", "Boleh salah satu dari {expected}.", "Allowed is one of {expected}."),
    ("bool_", "Harus true atau false.", "Must be true or false."),
    (
        "timezone",
        "Perlu zona waktu, contoh 2026-01-05T08:00:00+07:00.",
        "Needs a time zone, such as 2026-01-05T08:00:00+07:00.",
    ),
    (
        "date",
        "Harus tanggal dan jam, contoh 2026-01-05T08:00:00+07:00.",
        "Must be a date and a time, such as 2026-01-05T08:00:00+07:00.",
    ),
    ("path_", "Harus berupa jalur berkas.", "Must be a path."),
    ("list_type", "Harus berupa daftar.", "Must be a list."),
    ("dict_", "Harus berupa tabel.", "Must be a table."),
    ("model_", "Harus berupa tabel.", "Must be a table."),
)


def explained(faults: ValidationError) -> list[str]:
    """A sentence for each wrong setting, with its name; no value of theirs is repeated."""
    return [
        f"{'.'.join(map(str, fault['loc'])) or 'file'}: {_said(fault)}"
        for fault in faults.errors(include_input=False, include_url=False)
    ]


def _said(fault: ErrorDetails) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == TOLD:
        return fault["msg"]
    for beginning, indonesian, english in _TEXTS:
        if kind.startswith(beginning):
            return f"{indonesian.format(**context)} / {english.format(**context)}"
    return f"Nilai tidak sah ({kind}). / Invalid value ({kind})."

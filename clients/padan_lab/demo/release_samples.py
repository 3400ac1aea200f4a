"""Made-up files for the flows that release: applicants for counting, and reference lists."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

_YEARS, _NEXT_YEAR = ("2022", "2023", "2024"), "2025"
_AGENCIES = (
    *(f"Kementerian contoh {letter}" for letter in "ABCDEFGH"),
    *(f"Pemerintah Provinsi contoh {letter}" for letter in "ABCDEF"),
    *(f"Pemerintah Kabupaten contoh {letter}" for letter in "ABCDEFGHIJKLMNOPQRST"),
    *(f"Pemerintah Kota contoh {letter}" for letter in "ABCDEFGHIJ"),
)
_POSITIONS = (
    "Guru", "Perawat", "Bidan", "Dokter", "Analis", "Penyuluh", "Pranata Komputer", "Auditor",
    "Instruktur", "Pengantar Kerja", "Mediator Hubungan Industrial", "Arsiparis", "Pustakawan",
    "Statistisi", "Pengawas Ketenagakerjaan", "Penguji K3",
)  # fmt: skip
_EDUCATION = ("S-1", "D-III", "SMA", "S-2", "D-IV", "Profesi", "S-3")
_PROVINCES = 38
_RESULTS = ("tidak lulus", "tidak memenuhi syarat", "lulus, belum ditempatkan", "ditempatkan")

_GRADES = tuple(
    f"{level}/{letter}" for level in ("I", "II", "III") for letter in "abcd"
) + tuple(f"IV/{letter}" for letter in "abcde")  # fmt: skip
_KINDS = ("PNS", "PPPK", "CPNS")
_STATES = ("aktif", "cuti di luar tanggungan negara", "tugas belajar", "diberhentikan", "pensiun")

_FUNCTIONAL = {
    "Mediator Hubungan Industrial": ("Keahlian", ("Ahli Pertama", "Ahli Muda", "Ahli Madya")),
    "Pengawas Ketenagakerjaan": ("Keahlian", ("Ahli Pertama", "Ahli Muda", "Ahli Madya")),
    "Pengantar Kerja": ("Keahlian", ("Ahli Pertama", "Ahli Muda", "Ahli Madya")),
    "Penguji Keselamatan dan Kesehatan Kerja": (
        "Keahlian",
        ("Ahli Pertama", "Ahli Muda", "Ahli Madya"),
    ),
    "Instruktur": ("Keahlian", ("Ahli Pertama", "Ahli Muda", "Ahli Madya", "Ahli Utama")),
    "Asisten Instruktur": ("Keterampilan", ("Terampil", "Mahir", "Penyelia")),
}


def applicants(rows: int, seed: int) -> pa.Table:
    """One row an applicant, ``no`` and the dimensions of ``casn-agregat``; some kinds are rare."""
    rng = np.random.default_rng([seed, rows])
    provinces = [f"Provinsi {n:02d}" for n in range(1, _PROVINCES + 1)]
    dimensions = {
        "tahun_seleksi": (_YEARS, 0.3),
        "instansi": (_AGENCIES, 1.1),
        "jabatan": (_POSITIONS, 1.0),
        "jenjang_pendidikan": (_EDUCATION, 1.6),
        "provinsi": (provinces, 0.9),
        "hasil_seleksi": (_RESULTS, 0.8),
    }
    columns = {"no": pa.array([f"P{n:09d}" for n in range(1, rows + 1)])}
    for name, (values, skew) in dimensions.items():
        weights = 1 / np.arange(1, len(values) + 1) ** skew
        drawn = rng.choice(len(values), rows, p=weights / weights.sum())
        columns[name] = pa.array(list(values), pa.string()).take(pa.array(drawn))
    return pa.table(columns)


def more_applicants(before: pa.Table, seed: int) -> pa.Table:
    """The same table a year later: another selection, a third as many rows."""
    added = applicants(max(1, before.num_rows // 3), seed + 1)
    numbers = range(before.num_rows + 1, before.num_rows + added.num_rows + 1)
    added = added.set_column(0, "no", pa.array([f"P{n:09d}" for n in numbers]))
    year = added.column_names.index("tahun_seleksi")
    added = added.set_column(year, "tahun_seleksi", pa.array([_NEXT_YEAR] * added.num_rows))
    return pa.concat_tables([before, added])


def reference_lists() -> dict[str, tuple[pa.Table, pa.Table]]:
    """Each list of ``referensi``, and its next version: an entry more, one less, one renamed."""
    codes = [
        *((f"JENIS-{n}", "jenis ASN", kind) for n, kind in enumerate(_KINDS, 1)),
        *((f"GOL-{n:02d}", "golongan ruang", grade) for n, grade in enumerate(_GRADES, 1)),
        *((f"KED-{n}", "kedudukan hukum", state) for n, state in enumerate(_STATES, 1)),
    ]
    positions = [
        (f"JF-{a:02d}{b}", name, category, level)
        for a, (name, (category, levels)) in enumerate(_FUNCTIONAL.items(), 1)
        for b, level in enumerate(levels, 1)
    ]
    newer = ("JF-071", "Pengembang Pelatihan Kerja", "Keahlian", "Ahli Pertama")
    return {
        "asn": _versions(("kode", "jenis", "nama"), codes, ("KED-6", "kedudukan hukum", "lain")),
        "jabatan-fungsional": _versions(("kode", "nama", "kategori", "jenjang"), positions, newer),
    }


def _versions(
    names: tuple[str, ...], rows: Sequence[tuple[str, ...]], newer: tuple[str, ...]
) -> tuple[pa.Table, pa.Table]:
    renamed = (*rows[1][:-1], f"{rows[1][-1]} (baru)")
    return _table(names, rows), _table(names, [rows[0], renamed, *rows[3:], newer])


def _table(names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)})

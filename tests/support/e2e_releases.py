"""Small files for the flows that release: applicants with rare kinds, and reference lists."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

DIMENSIONS = (
    "tahun_seleksi",
    "instansi",
    "jabatan",
    "jenjang_pendidikan",
    "provinsi",
    "hasil_seleksi",
)
_SIZES = (2, 5, 4, 4, 6, 3)


def applicants(rows: int, seed: int = 1) -> pa.Table:
    """One row an applicant; some kinds are rare."""
    rng = np.random.default_rng(seed)
    columns = {"no": [f"P{i:06d}" for i in range(rows)]}
    for name, size in zip(DIMENSIONS, _SIZES, strict=True):
        weights = 1 / np.arange(1, size + 1) ** 1.5
        drawn = rng.choice(size, rows, p=weights / weights.sum())
        columns[name] = [f"{name} {i}" for i in drawn]
    return pa.table(columns)


def positions(*codes: str) -> pa.Table:
    """A reference list of functional positions."""
    return pa.table(
        {
            "kode": list(codes),
            "nama": [f"Jabatan {code}" for code in codes],
            "kategori": ["Keahlian"] * len(codes),
            "jenjang": ["Ahli Pertama"] * len(codes),
        }
    )

"""Compiles the kernels of a fresh clone once, before the workers of a parallel run all want them.

As a script: makes what one of PARTS makes, for the kernels it compiles on the way. Numba keeps them
beside their modules. What is not thought of here is compiled by the test that meets it first.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

import padan_linkage

#: Lies there once the kernels are compiled: those of encoding, matching and direct mode.
_COMPILED = (
    "encoding/__pycache__/kernel.encode_rows-*.nbi",
    "matching/kernels/__pycache__/kernel.sweep-*.nbi",
    "direct/suite/__pycache__/hashing._frame_all-*.nbi",
)
_SCHEMA = Path(__file__).with_name("residents.toml")


def warm_kernels() -> None:
    """Compile what is not there yet, every part by a process of its own."""
    package = Path(padan_linkage.__file__).parent
    if all(any(package.glob(pattern)) for pattern in _COMPILED):
        return
    running = [subprocess.Popen([sys.executable, __file__, name]) for name in PARTS]
    for process in running:
        process.wait()


def match_rows() -> None:
    """Tables of random filters are matched, tokens joined, values blinded."""
    import numpy as np

    from padan_lab.bench.rates.filters import alike
    from padan_lab.bench.rates.kernel_rates import Matching
    from padan_linkage.direct import blinding, oprf
    from padan_linkage.matching.exact import TokenIndex

    tokens = np.random.default_rng(1).integers(0, 2**64, (300, 2), dtype=np.uint64)
    TokenIndex.of(tokens, 9).find(tokens)
    Matching.of(*alike(256, 512)).kept()
    key = oprf.epoch_key(bytes(32), agreement_digest=bytes(32), flow_id="f", epoch=1, key_id="k")
    blinded = blinding.blind([b"a"], bytes(range(64)))
    evaluated, proof = key.evaluate_blinded(blinded.elements, bytes(32))
    blinded.finalise(evaluated, proof, key.public_key)


def link_people() -> None:
    """A file is read, normalised, encoded and linked with itself; copies are looked for."""
    import pyarrow as pa

    from padan_client.rehearse import load_schema_file, run_rehearsal
    from padan_linkage.merging.copies import find_copies

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "people.csv")
        with file.open("w", newline="") as written:
            writer = csv.writer(written)
            writer.writerow(("id", "nik", "nama", "tanggal_lahir"))
            for i in range(60):
                day = f"0{i % 9 + 1}"
                nik, name = f"317401{day}0590{i + 1:04d}", f"SRI AYU {'ABCDEFGHI'[i % 9]}TI"
                writer.writerow((i, nik, name, f"1990-05-{day}"))
        read = load_schema_file(_SCHEMA)
        run_rehearsal(file, file, read, seed=1)
    names = pa.array([f"SRI AYU {'ABCDE'[i % 5]}TI" for i in range(40)])
    numbers = pa.array([f"317401010590{i // 2 + 1:04d}" for i in range(40)])
    days = pa.array(["1990-05-01"] * 40)
    find_copies(read.schema, {"nik": numbers, "nama": names, "tanggal_lahir": days})


PARTS = {"rows": match_rows, "people": link_people}

if __name__ == "__main__":
    PARTS[sys.argv[1]]()

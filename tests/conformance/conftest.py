"""The second implementation, the vectors, and the official vectors beside the repository."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OFFICIAL = ROOT.parent / "shared" / "vectors"


def load(path):
    """A module from a file that no package holds."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def reference():
    return load(HERE / "reference_encoding.py")


@pytest.fixture(scope="session")
def reference_seal():
    return load(HERE / "reference_sealing.py")


@pytest.fixture(scope="session")
def reference_voprf():
    return load(HERE / "reference_voprf.py")


@pytest.fixture(scope="session")
def official():
    """The folder of official vectors; it may be absent."""
    return OFFICIAL


@pytest.fixture(scope="session")
def generator():
    folder = str(ROOT / "proto" / "vectors")
    sys.path.insert(0, folder)  # it is run as a script, beside its parts
    yield load(ROOT / "proto" / "vectors" / "generate.py")
    sys.path.remove(folder)


@pytest.fixture(scope="session")
def vectors():
    """Our own vectors: a function from a file's stem to its content."""

    def read(name):
        return json.loads((ROOT / "proto" / "vectors" / f"{name}.json").read_text("utf-8"))

    return read


@pytest.fixture(scope="session")
def wycheproof():
    """Cases of one official file: (group, case) pairs; skips where the folder is absent."""

    def read(name):
        path = OFFICIAL / f"wycheproof_{name}.json"
        if not path.exists():
            pytest.skip(f"official vectors are not beside the repository: {path.name}")
        groups = json.loads(path.read_text("utf-8"))["testGroups"]
        return [(group, case) for group in groups for case in group["tests"]]

    return read


@pytest.fixture(scope="session")
def suite(official):
    """The VOPRF suite of ristretto255 in the official file."""
    name = "rfc9497_oprf_allVectors.json"
    if not (official / name).exists():
        pytest.skip(f"official vectors are not beside the repository: {name}")
    suites = json.loads((official / name).read_text("utf-8"))
    (found,) = [s for s in suites if s["identifier"] == "ristretto255-SHA512" and s["mode"] == 1]
    return found

"""The layers of pyproject.toml hold, and a module that breaks one is found."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "padan": "proto/gen",
    "padan_linkage": "linkage",
    "padan_server": "server",
    "padan_client": "clients",
    "padan_lab": "clients",
}


@pytest.fixture
def tree(tmp_path):
    """A copy of the packages and of the layers' contracts."""
    for package, folder in PACKAGES.items():
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder / package, tmp_path / folder / package, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def findings(tree):
    """What ``lint-imports`` has against a tree: for each broken contract the text under it."""
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or "lint-imports"
    path = os.pathsep.join(str(tree / folder) for folder in PACKAGES.values())
    done = subprocess.run(
        [command, "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    broken = re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE)
    assert bool(broken) == (done.returncode != 0), done.stdout + done.stderr
    details = done.stdout.partition("Broken contracts")[2]
    ends = [details.index(f"{name}\n---") for name in broken] + [len(details)]
    return {name: details[ends[i] : ends[i + 1]] for i, name in enumerate(broken)}


def test_layers_hold(tree):
    assert findings(tree) == {}


SERVER = "The server never imports keys, sealing, encoding or normalising"
LABELS = "The server evaluates, and never makes or opens a label"
CLIENT = "The client never imports the server"
LINKAGE = "Linkage has no clock, socket, store or global randomness"
STUBS = "Stubs import nothing of ours"

#: (package, module forbidden to it, the contract that says so)
FORBIDDEN = [
    ("padan_server", "padan_linkage.crypto.keys", SERVER),
    ("padan_server", "padan_linkage.crypto.sealing", SERVER),
    ("padan_server", "padan_linkage.encoding.inner", SERVER),
    ("padan_server", "padan_linkage.normalise", SERVER),
    ("padan_server", "padan_linkage.passing_on", SERVER),
    ("padan_server", "padan_linkage.direct.labels", LABELS),
    ("padan_server", "padan_linkage.direct.registry", LABELS),
    ("padan_client", "padan_server", CLIENT),
    ("padan_client", "sqlalchemy", CLIENT),
    ("padan_linkage", "random", LINKAGE),
    ("padan_linkage", "secrets", LINKAGE),
    ("padan_linkage", "time", LINKAGE),
    ("padan_linkage", "socket", LINKAGE),
    ("padan_linkage", "sqlite3", LINKAGE),
    ("padan_linkage", "grpc", LINKAGE),
    ("padan_linkage", "padan.v1.resources_pb2", LINKAGE),
    ("padan", "padan_linkage.schema", STUBS),
]


def test_every_forbidden_import_is_found(tree):
    linkage = tree / "linkage/padan_linkage"
    (linkage / "encoding/inner.py").write_text("")
    (linkage / "passing_on.py").write_text("import padan_linkage.encoding\n")
    for i, (package, module, _) in enumerate(FORBIDDEN):
        planted = tree / PACKAGES[package] / package / f"planted{i}.py"
        planted.write_text(f"import {module}\n")
    found = findings(tree)
    missed = [
        (package, module)
        for i, (package, module, contract) in enumerate(FORBIDDEN)
        if f"{package}.planted{i} ->" not in found.get(contract, "")
    ]
    assert missed == []

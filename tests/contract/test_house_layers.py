"""The layers of pyproject.toml hold, and a module that breaks one is found."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
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
CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
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


#: (contract, module that breaks it, what it imports); a module that ends in a dot is a new one.
BREACHES = [
    ("unit-holds-no-key", "padan_server.base.", "padan_linkage.crypto.keys"),
    ("unit-holds-no-key", "padan_server.roles.", "padan_linkage.crypto.sealing"),
    ("unit-holds-no-key", "padan_server.store.", "padan_linkage.encoding.rows"),
    ("unit-holds-no-key", "padan_server.direct.", "padan_linkage.normalise"),
    ("unit-holds-no-key", "padan_server.matching.", "padan_linkage.release.envelope"),
    ("unit-holds-no-key", "padan_server.admission.", "padan_client"),
    ("unit-holds-no-key", "padan_server.app", "padan_linkage.advice"),  # and so encoding's rules
    ("provider-reads-nobody", "padan_server.direct.", "padan_linkage.direct.labelling.labels"),
    ("provider-reads-nobody", "padan_server.services.", "padan_linkage.direct.labelling.persons"),
    ("client-without-server", "padan_client.home.", "padan_server"),
    ("client-without-server", "padan_client.records.", "sqlalchemy"),
    ("client-without-server", "padan_lab.demo.", "padan_server.app"),
    ("agency-without-laboratory", "padan_client.cli.", "padan_lab.cli"),
    ("agency-without-laboratory", "padan_client.rehearse.", "padan_lab.generate"),
    ("pure-linkage", "padan_linkage.crypto.", "random"),
    ("pure-linkage", "padan_linkage.encoding.", "secrets"),
    ("pure-linkage", "padan_linkage.matching.", "time"),
    ("pure-linkage", "padan_linkage.direct.", "socket"),
    ("pure-linkage", "padan_linkage.merging.", "sqlite3"),
    ("pure-linkage", "padan_linkage.agreement.", "grpc"),
    ("pure-linkage", "padan_linkage.release.", "padan.v1.resources_pb2"),
    ("pure-linkage", "padan_linkage.advice.", "padan_lab.generate"),
    ("stubs-alone", "padan.v1.", "padan_linkage.schema"),
    ("generator-apart", "padan_lab.generate.", "padan_linkage.normalise"),
    ("generator-apart", "padan_lab.generate.noise.", "padan_client.records"),
    ("server-layers", "padan_server.base.", "padan_server.store.port"),
    ("server-layers", "padan_server.store.", "padan_server.admission.ledger"),
    ("server-layers", "padan_server.admission.", "padan_server.datasets.rows"),
    ("server-layers", "padan_server.datasets.", "padan_server.matching.indexes"),
    ("server-layers", "padan_server.datasets.", "padan_server.releases.files"),
    ("server-layers", "padan_server.matching.", "padan_server.services.convert"),
    ("server-layers", "padan_server.services.", "padan_server.roles.serving"),
    ("server-layers", "padan_server.", "padan_server.base.model"),  # a room that nobody placed
    ("client-layers", "padan_client.base.", "padan_client.records.columns"),
    ("client-layers", "padan_client.records.", "padan_client.home.jobs"),
    ("client-layers", "padan_client.home.", "padan_client.results.table"),
    ("client-layers", "padan_client.results.", "padan_client.protocol.session"),
    ("client-layers", "padan_client.protocol.", "padan_client.transport.channel"),
    ("client-layers", "padan_client.protocol.unit.", "padan_client.requester"),
    ("client-layers", "padan_client.lint.", "padan_client.rehearse.run"),
    ("client-layers", "padan_client.", "padan_client.base.errors"),
    ("protocol-layers", "padan_client.protocol.unit.", "padan_client.protocol.direct.session"),
    ("protocol-layers", "padan_client.protocol.unit.", "padan_client.protocol.releases.flow"),
    ("modes-without-releases", "padan_client.protocol.direct.", "padan_client.protocol.releases"),
    ("linkage-layers", "padan_linkage.crypto.", "padan_linkage.matching"),
    ("linkage-layers", "padan_linkage.matching.", "padan_linkage.merging.merge"),
    ("linkage-layers", "padan_linkage.agreement.", "padan_linkage.encoding"),
    ("linkage-layers", "padan_linkage.", "padan_linkage.schema"),
    ("laboratory-layers", "padan_lab.generate.", "padan_lab.demo.demonstration"),
    ("laboratory-layers", "padan_lab.assess.", "padan_lab.demo.deployment"),
    ("attacks-alone", "padan_lab.assess.attacks.graph", "padan_lab.assess.attacks.rows"),
    ("no-circles", "padan_server.store.port", "padan_server.store.sql.store"),
    ("no-circles", "padan_linkage.schema", "padan_linkage.tables"),
]


def test_every_contract_is_broken_by_somebody_here():
    assert {contract for contract, *_ in BREACHES} == set(CONTRACTS)


def test_every_breach_is_found(tree):
    """All at once: a contract that let one of its own through would not name it."""
    planted = [plant(tree, i, *breach[1:]) for i, breach in enumerate(BREACHES)]
    found = findings(tree)
    missed = [
        breach
        for breach, module in zip(BREACHES, planted, strict=True)
        if not names(found.get(CONTRACTS[breach[0]], ""), module)
    ]
    assert missed == []


def plant(tree, number, place, imported):
    """Write the import into a module, or into a new one; returns the module's name."""
    module = f"{place}planted{number}" if place.endswith(".") else place
    package = module.split(".")[0]
    path = tree / PACKAGES[package] / f"{module.replace('.', '/')}.py"
    text = path.read_text("utf-8") if path.exists() else ""
    path.write_text(f"{text}\nimport {imported}  # planted\n", "utf-8")
    return module


def names(details, module):
    """Whether a contract's findings name the breach: the import, the circle, a stray room."""
    flat = " ".join(details.split())
    hall = module.rpartition(".")[0]
    told = (f"{module} -> ", f"- {module} ", f"No cycles are allowed in {hall}. ")
    return any(part in flat for part in told)

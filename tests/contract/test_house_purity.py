"""Linkage takes time and randomness as arguments: no call fetches them from the machine.

The import contracts cannot see a call such as ``datetime.now`` of a module that linkage may import;
this reads the syntax trees.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINKAGE = ROOT / "linkage/padan_linkage"

#: Whole modules, and single names of modules that have harmless ones too.
IMPURE = (
    "Crypto.Random",
    "Crypto.Protocol.HPKE.new",  # makes the sender's ephemeral key itself
    "Crypto.PublicKey.ECC.generate",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "numpy.random",
    "os.environ",
    "os.getenv",
    "os.getrandom",
    "os.urandom",
    "random",
    "secrets",
    "socket",
    "time",
    "uuid.uuid1",
    "uuid.uuid4",
    "voprf",  # draws blinds, and the scalars of proofs, itself
)
#: Methods that make a key out of nothing, whatever they are called on.
IMPURE_METHODS = {"generate_key"}

#: RFC 9180 has the sender draw an ephemeral key for each encapsulation, and the library offers no
#: way to hand it one.
ALLOWED = {("crypto/sealing.py", "Crypto.Protocol.HPKE.new")}


def impure_names(source):
    """Dotted names in a source text that fetch time or randomness, aliases resolved."""
    tree = ast.parse(source)
    aliases = {}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                aliases[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    found.update(name for name in aliases.values() if is_impure(name))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = dotted(node, aliases)
            if is_impure(name) or node.attr in IMPURE_METHODS:
                found.add(name)
    return {shortest(name) for name in found}


def dotted(node, aliases):
    """``a.b.c`` of an attribute chain, its first name resolved; other bases become ``?``."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    first = aliases.get(node.id, node.id) if isinstance(node, ast.Name) else "?"
    return ".".join([first, *reversed(parts)])


def is_impure(name):
    return any(name == impure or name.startswith(f"{impure}.") for impure in IMPURE)


def shortest(name):
    """The entry of IMPURE that ``name`` falls under, or ``name``."""
    return next((i for i in IMPURE if name == i or name.startswith(f"{i}.")), name)


def test_linkage_fetches_neither_time_nor_randomness():
    found = {
        (path.relative_to(LINKAGE).as_posix(), name)
        for path in LINKAGE.rglob("*.py")
        for name in impure_names(path.read_text("utf-8"))
    }
    assert found <= ALLOWED


PLANTED = {
    "from datetime import datetime\ndatetime.now()": "datetime.datetime.now",
    "import datetime as dt\ndt.datetime.utcnow()": "datetime.datetime.utcnow",
    "from datetime import date\ndef f(now=date.today): ...": "datetime.date.today",
    "import numpy as np\nnp.random.default_rng(1)": "numpy.random",
    "from numpy.random import default_rng": "numpy.random",
    "from numpy import random": "numpy.random",
    "import os\nos.urandom(8)": "os.urandom",
    "from os import urandom as noise": "os.urandom",
    "import time\ntime.monotonic()": "time",
    "from Crypto.Random import get_random_bytes": "Crypto.Random",
    "from Crypto.Protocol import HPKE\nHPKE.new(receiver_key=1)": "Crypto.Protocol.HPKE.new",
    "from Crypto.PublicKey import ECC\nECC.generate(curve='x')": "Crypto.PublicKey.ECC.generate",
    "from x import AESGCM\nAESGCM.generate_key(128)": "x.AESGCM.generate_key",
    "import uuid\nuuid.uuid4()": "uuid.uuid4",
}


@pytest.mark.parametrize(("source", "name"), PLANTED.items(), ids=PLANTED.values())
def test_fetching_is_found(source, name):
    assert impure_names(source) == {name}


def test_reading_a_given_moment_is_not_held_against_a_module():
    source = "from datetime import UTC, datetime\ndef f(now: datetime): return now.astimezone(UTC)"
    assert impure_names(source) == set()

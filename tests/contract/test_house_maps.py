"""Every room says where to start and what it may import; it imports nothing else, nor says more.

More would be what the layers of ``pyproject.toml`` forbid.
"""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HALLS = {
    "padan_linkage": "linkage",
    "padan_server": "server",
    "padan_client": "clients",
    "padan_lab": "clients",
}
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
    "contracts"
]
CLAIM = re.compile(
    r"May import (?:(?P<rooms>``[^.;]+)|every (?P<all>other room))"
    r"|Imports nothing of (?:ours|the server|the client|the laboratory)"
)
START = re.compile(r"\b[Ss]tart at\s+(?::\w+:)?`")


def claimed(docstring, below):
    """Rooms that a map names, ``below`` for "every other"; None where it says nothing of it."""
    found = CLAIM.search(" ".join(docstring.split()))
    if found is None:
        return None
    return below if found["all"] else set(re.findall(r"``(\w+)``", found["rooms"] or ""))


def below(hall, room):
    """Rooms that the layers of its hall let a room import."""
    (layers,) = [c["layers"] for c in CONTRACTS if c.get("containers") == [hall]]
    groups = [set(re.findall(r"\w+", layer)) for layer in layers]
    (at,) = [i for i, group in enumerate(groups) if room in group]
    beside = groups[at] - {room} if ":" in layers[at] else set()
    return set().union(beside, *groups[at + 1 :])


def imported(source, hall):
    """Rooms of ``hall`` that a source text imports, wherever in it."""
    modules = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in modules if name.startswith(f"{hall}.")}


MAPS = {
    f"{hall}.{room.parent.name}": (
        hall,
        room.parent,
        ast.get_docstring(ast.parse(room.read_text("utf-8"))) or "",
    )
    for hall, top in HALLS.items()
    for room in sorted((ROOT / top / hall).glob("*/__init__.py"))
}


@pytest.mark.parametrize(("hall", "room", "map_"), MAPS.values(), ids=MAPS)
def test_a_room_imports_what_its_map_says_and_its_layer_allows(hall, room, map_):
    rooms = claimed(map_, below(hall, room.name))
    assert rooms is not None, "its map does not say what it may import"
    found = set()
    for path in room.rglob("*.py"):
        found |= imported(path.read_text("utf-8"), hall)
    assert found - {room.name} <= rooms
    assert rooms <= below(hall, room.name)


@pytest.mark.parametrize("map_", [map_ for *_, map_ in MAPS.values()], ids=MAPS)
def test_a_map_says_where_to_start(map_):
    assert START.search(map_)


def test_maps_are_read():
    assert len(MAPS) > 30
    text = "Start here. May import ``store`` and\n``base``, and more."
    assert claimed(text, set()) == {"store", "base"}
    assert claimed("Imports nothing of the server.", {"base"}) == set()
    assert claimed("May import every other\nroom of the client.", {"base"}) == {"base"}
    assert claimed("Start at :mod:`.here`.", {"base"}) is None
    assert START.search("start at ``here``")
    assert not START.search("It starts nowhere.")


def test_layers_are_read():
    assert below("padan_client", "home") == {"records", "base"}
    assert below("padan_linkage", "merging") >= {"direct", "matching", "schema"}
    assert below("padan_server", "datasets").isdisjoint({"direct", "releases", "matching"})
    source = "from padan_server.store import port\nimport padan_server.base.log"
    assert imported(source, "padan_server") == {"store", "base"}


def test_the_worker_of_direct_mode_loads_neither_grpc_nor_a_store():
    code = "import sys, padan_server.direct.worker; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in run.stdout.split()}
    assert loaded & {"padan_server", "grpc", "sqlalchemy"} == {"padan_server"}

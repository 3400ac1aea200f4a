"""What a room's map says it may import is what it imports, and nothing else of its package."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HALLS = {"padan_linkage": "linkage", "padan_server": "server", "padan_client": "clients"}
CLAIM = re.compile(
    r"May import (?P<rooms>``[^.;]+)|Imports nothing of (?:ours|the server|the client)"
)


def claimed(docstring):
    """Rooms that a map names, an empty set for "nothing"; None where it says nothing of it."""
    found = CLAIM.search(" ".join(docstring.split()))
    return None if found is None else set(re.findall(r"``(\w+)``", found["rooms"] or ""))


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
    f"{hall}.{room.parent.name}": (hall, room.parent, rooms)
    for hall, top in HALLS.items()
    for room in sorted((ROOT / top / hall).glob("*/__init__.py"))
    if (rooms := claimed(ast.get_docstring(ast.parse(room.read_text("utf-8"))) or "")) is not None
}


@pytest.mark.parametrize(("hall", "room", "rooms"), MAPS.values(), ids=MAPS)
def test_a_room_imports_what_its_map_says(hall, room, rooms):
    found = set()
    for path in room.rglob("*.py"):
        found |= imported(path.read_text("utf-8"), hall)
    assert found - {room.name} <= rooms
    unknown = {each for each in rooms if not (room.parent / each).is_dir()}
    assert unknown == set()


def test_maps_are_read():
    assert len(MAPS) >= 12
    assert claimed("Start here. May import ``store`` and\n``base``, and more.") == {"store", "base"}
    assert claimed("Imports nothing of the server.") == set()
    assert claimed("Start here. May import every other room.") is None
    source = "from padan_server.store import port\nimport padan_server.base.log"
    assert imported(source, "padan_server") == {"store", "base"}


def test_the_worker_of_direct_mode_loads_neither_grpc_nor_a_store():
    code = "import sys, padan_server.direct.worker; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in run.stdout.split()}
    assert loaded & {"padan_server", "grpc", "sqlalchemy", "numba"} == {"padan_server"}

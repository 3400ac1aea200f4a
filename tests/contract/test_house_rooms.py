"""No hall has too many doors, unit tests lie where the code does, and a class's name is its own."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HALLS = {
    "linkage": ROOT / "linkage/padan_linkage",
    "server": ROOT / "server/padan_server",
    "client": ROOT / "clients/padan_client",
    "lab": ROOT / "clients/padan_lab",
}
MOST = 15


def rooms(folder):
    """Modules and packages that stand in a folder."""
    return [
        path
        for path in folder.iterdir()
        if (path.suffix == ".py" and path.name != "__init__.py") or (path / "__init__.py").exists()
    ]


def halls(top):
    return [top, *(init.parent for init in top.glob("*/**/__init__.py"))]


def full(tops):
    """Folders with more than fifteen rooms, and how many each has."""
    found = {hall: len(rooms(hall)) for top in tops for hall in halls(top)}
    return {hall: number for hall, number in found.items() if number > MOST}


def homeless(tests, tops):
    """Folders of tests that no room is called as."""
    folders = {path.parent.relative_to(tests) for path in tests.rglob("*.py")}
    return {
        folder.as_posix()
        for folder in folders
        if folder.parts and not tops[folder.parts[0]].joinpath(*folder.parts[1:]).is_dir()
    }


def twice(sources):
    """Names of classes, nested ones too, that stand more than once in ``sources``: name, where."""
    found = defaultdict(list)
    for place, source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(place)
    return {name: places for name, places in found.items() if len(places) > 1}


def test_a_hall_has_at_most_fifteen_rooms():
    assert full(HALLS.values()) == {}


def test_unit_tests_lie_in_rooms_of_the_code():
    assert homeless(ROOT / "tests/unit", HALLS) == set()


def test_a_class_is_called_as_no_other():
    sources = [
        (path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
        for top in (*HALLS.values(), ROOT / "tests")
        for path in sorted(top.rglob("*.py"))
    ]
    assert twice(sources) == {}


def test_what_is_wrong_is_found(tmp_path):
    for name in [f"m{i}" for i in range(15)]:
        (tmp_path / f"{name}.py").touch()
    assert full([tmp_path]) == {}
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper/__init__.py").touch()
    assert full([tmp_path]) == {tmp_path: 16}
    (tmp_path / "tests/lab/nowhere").mkdir(parents=True)
    (tmp_path / "tests/lab/nowhere/test_it.py").touch()
    assert homeless(tmp_path / "tests", HALLS) == {"lab/nowhere"}
    nested = "class A:\n    class B: ..."
    assert twice([("x", nested), ("y", "class B: ...")]) == {"B": ["x", "y"]}

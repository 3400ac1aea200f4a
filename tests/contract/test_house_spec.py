"""What the spec's pages and the project's papers point at exists."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "proto/spec"
PAGES = sorted(SPEC.rglob("*.md"))
PAPERS = [*PAGES, *(ROOT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md"))]
TOP = ("proto/", "linkage/", "server/", "clients/", "tests/", "dev.py", ".ci/")


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("paper", PAPERS, ids=name_of)
def test_links_lead_somewhere(paper):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", paper.read_text("utf-8"))
    broken = [t for t in targets if "://" not in t and not (paper.parent / t).exists()]
    assert broken == []


@pytest.mark.parametrize("paper", PAPERS, ids=name_of)
def test_files_that_are_named_exist(paper):
    quoted = re.findall(r"`([\w./*-]+)(?:::\w+)?`", paper.read_text("utf-8"))
    missing = [q for q in quoted if q.startswith(TOP) and not any(ROOT.glob(q.rstrip("/")))]
    assert missing == []


@pytest.mark.parametrize("paper", PAPERS, ids=name_of)
def test_tests_that_are_named_exist(paper):
    cited = re.findall(r"`(tests/[\w./-]+\.py)::(\w+)`", paper.read_text("utf-8"))
    missing = [c for c in cited if f"def {c[1]}(" not in (ROOT / c[0]).read_text("utf-8")]
    assert missing == []


@pytest.mark.parametrize("paper", PAPERS, ids=name_of)
def test_code_that_is_named_exists(paper):
    names = re.findall(
        r"`(padan_(?:linkage|server|client|lab)(?:\.\w+)*)", paper.read_text("utf-8")
    )
    assert [name for name in names if not resolves(name)] == []


def test_the_readme_says_how_much_a_reviewer_reads():
    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    sizes = {
        "client and linkage": lines("clients/padan_client") + lines("linkage/padan_linkage"),
        "server": lines("server/padan_server"),
        "laboratory": lines("clients/padan_lab"),
    }
    said = re.search(
        r"alone: ([\d,]+) lines .*`padan_server` \(([\d,]+)\) .*laboratory \(([\d,]+)\)", text
    )
    assert said is not None
    told = [int(number.replace(",", "")) for number in said.groups()]
    assert told == [round(size, -3) for size in sizes.values()], sizes


def lines(folder):
    """Lines of Python below a folder."""
    return sum(path.read_text("utf-8").count("\n") for path in (ROOT / folder).rglob("*.py"))


def resolves(name):
    """Whether a dotted name is a module, or a chain of attributes of one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[cut:]:
            fields = getattr(thing, "model_fields", {}) or getattr(thing, "__annotations__", {})
            if not hasattr(thing, attribute) and attribute not in fields:
                return False
            thing = getattr(thing, attribute, None)
        return True
    return False


@pytest.mark.parametrize("letter", ["C", "R"])
def test_claims_and_risks_count_from_one(letter):
    text = (SPEC / "00-threat-model.md").read_text("utf-8")
    numbers = [int(n) for n in re.findall(rf"^\| {letter}(\d+) \|", text, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_risks_that_are_named_exist():
    text = (SPEC / "00-threat-model.md").read_text("utf-8")
    known = set(re.findall(r"^\| (R\d+) \|", text, re.MULTILINE))
    code = [p for top in ("linkage", "server", "clients") for p in (ROOT / top).rglob("*.py")]
    named = {
        (name_of(path), risk)
        for path in [*PAPERS, *code]
        for risk in re.findall(r"\bR[1-9]\d*\b", path.read_text("utf-8"))
    }
    assert sorted(each for each in named if each[1] not in known) == []


def test_the_index_lists_every_page():
    index = (SPEC / "README.md").read_text("utf-8")
    pages = [p.relative_to(SPEC).as_posix() for p in PAGES if p.name != "README.md"]
    assert [page for page in pages if f"]({page})" not in index] == []

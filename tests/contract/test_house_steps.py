"""Numbered steps of the spec and the code that does them name each other.

Code says ``# Spec 60, step 9: …``, and of a list that is not under "Steps",
``# Spec 30, "Upload", step 4: …``.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = [p for top in ("linkage", "server", "clients") for p in sorted((ROOT / top).rglob("*.py"))]
#: Their numbered lists are goods and rules, not steps.
NO_STEPS = {"00", "50"}
PAGES = {
    path.name[:2]: path.read_text("utf-8")
    for path in sorted((ROOT / "proto/spec").glob("[0-9]*.md"))
    if path.name[:2] not in NO_STEPS
}
CITED = re.compile(
    r"[Ss]pec (?P<page>\d\d)(?:, \"(?P<section>[^\"]+)\")?, "
    r"steps? (?P<first>\d+)(?:(?P<to> to )(?P<last>\d+)| and (?P<other>\d+))?"
)


def steps_of(text):
    """(section, number) of each numbered item of a page."""
    found, section = [], ""
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif number := re.match(r"(\d+)\. ", line):
            found.append((section, int(number[1])))
    return found


def cited_in(source):
    """(page, section, number) of each step that a source text names."""
    text = re.sub(r"\n\s*(?:#:? ?)?", " ", source)
    found = set()
    for each in CITED.finditer(text):
        first, last = int(each["first"]), int(each["last"] or each["first"])
        numbers = {*range(first, last + 1)} | ({int(each["other"])} if each["other"] else set())
        found |= {(each["page"], each["section"] or "Steps", n) for n in numbers}
    return found


STEPS = {(page, *step) for page, text in PAGES.items() for step in steps_of(text)}
CITATIONS = {
    (path.relative_to(ROOT).as_posix(), step)
    for path in CODE
    for step in cited_in(path.read_text("utf-8"))
}


@pytest.mark.parametrize("page", PAGES)
def test_lists_count_from_one(page):
    found = steps_of(PAGES[page])
    for section in dict.fromkeys(section for section, _ in found):
        numbers = [number for each, number in found if each == section]
        assert numbers == list(range(1, len(numbers) + 1)), section


def test_every_step_is_named_by_the_code_that_does_it():
    assert sorted(STEPS - {step for _, step in CITATIONS}) == []


def test_code_names_no_step_that_the_spec_has_not():
    assert sorted(each for each in CITATIONS if each[1] not in STEPS) == []


def test_citations_are_found_wherever_they_break():
    assert cited_in("# Spec 60, step 9: check") == {("60", "Steps", 9)}
    wrapped = '    # … (spec 30, "Upload",\n    # steps 2 to 4)'
    assert cited_in(wrapped) == {("30", "Upload", n) for n in (2, 3, 4)}
    assert cited_in('"""Spec 25, steps 1 and 5."""') == {("25", "Steps", 1), ("25", "Steps", 5)}
    assert cited_in('spec 30, "Upload"') == set()

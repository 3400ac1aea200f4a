"""The generator and the linker know nothing of each other: neither imports, tables nor data files.

Else linkage would only be tested on errors that its own rules foresee.
"""

import ast
import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from padan_lab.generate.draw.vocabulary import respelt, vocabulary
from padan_linkage.normalise import derive, normalise
from padan_linkage.schema import Kind

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT / "clients/padan_lab/generate"
LINKAGE = ROOT / "linkage/padan_linkage"
#: What the generator may know of the linkage: what a field can be.
ALLOWED = {"padan_linkage.schema"}


def imported(path):
    """Modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def literals(path):
    """Long strings and collections of constants of a file, as text."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.split()
        elif isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
            words = [ast.unparse(node)]
        else:
            continue
        if sum(map(len, words)) > 120 and not isinstance(node, ast.Constant):
            yield words[0]
        elif len(words) > 12 and "." not in node.value:
            yield " ".join(words)


@pytest.mark.parametrize("path", sorted(GENERATOR.rglob("*.py")), ids=lambda p: p.name)
def test_the_generator_imports_nothing_of_the_linkers_rules(path):
    linkage = {m for m in imported(path) if m.startswith("padan_linkage")}
    assert linkage <= ALLOWED
    assert not any(
        m.startswith(("padan_client.records", "padan_client.lint")) for m in imported(path)
    )


def test_the_linkers_rules_import_nothing_of_the_generator():
    for path in (LINKAGE / "normalise").glob("**/*.py"):
        assert not any("generate" in module for module in imported(path))


def test_no_table_stands_in_both():
    ours = {text for path in GENERATOR.rglob("*.py") for text in literals(path)}
    theirs = {text for path in (LINKAGE / "normalise").glob("**/*.py") for text in literals(path)}
    assert ours
    assert theirs
    assert ours.isdisjoint(theirs)


def test_data_files_are_the_generators_own_and_say_where_they_are_from():
    files = sorted((GENERATOR / "data").iterdir())
    assert [f.name for f in files] == [
        "companies.txt", "districts.txt", "foreigners.txt", "names.txt",
    ]  # fmt: skip
    others = [f for f in LINKAGE.glob("**/*") if f.is_file() and f.suffix not in {".py", ".pyc"}]
    digests = {hashlib.sha256(f.read_bytes()).digest() for f in others}
    for file in files:
        head = " ".join(
            line for line in file.read_text("utf-8").splitlines() if line.startswith("#")
        )
        assert "MIT" in head or "Written for this generator" in head.replace("# ", "")
        assert hashlib.sha256(file.read_bytes()).digest() not in digests


def test_the_linker_forgives_some_of_the_generators_spellings_and_not_all():
    """Tables copied from one another would forgive all; unrelated noise, none."""
    tokens = vocabulary().texts.to_pylist()[: vocabulary().base : 5]
    pairs = [(token, form) for token in tokens for form in respelt(token)]
    assert len(pairs) > 1000
    sounds = []
    for column in zip(*pairs, strict=True):
        names = normalise(Kind.PERSON_NAME, pa.array(column, pa.string())).values
        sounds.append(derive(Kind.PERSON_NAME, "phonetic", names).to_numpy(zero_copy_only=False))
    forgiven = np.mean(sounds[0] == sounds[1])
    assert 0.3 < forgiven < 0.98

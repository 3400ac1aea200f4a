"""What nobody wrote is read or refused by name: no crash, and no other error, of any parser.

A short slice of each, the same in every run; ``python3 dev.py fuzz`` goes on from there, led by
what the inputs reach.
"""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest
from parsers import TARGETS
from parsers.mutation import mutated
from parsers.target import Defect, Target

ROOT = Path(__file__).resolve().parents[2]
TRIES = 60
PACKAGES = (
    ROOT / "linkage/padan_linkage",
    ROOT / "clients/padan_client",
    ROOT / "server/padan_server",
)
#: A function that reads bytes, text or a file, by the first word of its name.
VERBS = {"read", "parse", "parsed", "load", "open", "opened", "unpack", "check", "verify", "from"}
#: What no input of another's reaches by itself, by the beginning of its name, and why.
APART = {
    "client.base.files.": "bytes as they are",
    "client.cli.": "commands, and a whole folder",
    "client.home.agreement_files.": "agreements, through their readers",
    "client.home.cover.": "behind an authenticated seal",
    "client.home.folder.": "a whole folder",
    "client.home.jobs.": "behind an authenticated seal",
    "client.home.kept_registries.": "behind an authenticated seal",
    "client.home.sealed_file.": "an authenticated seal",
    "client.protocol.direct.blocks.": "behind an authenticated seal",
    "client.provider.": "a whole folder",
    "client.releases.": "a whole folder",
    "client.requester.": "a whole folder",
    "client.records.files.layout.": "names of columns, through their files",
    "client.rehearse.sides.": "a list, then the values of its fields",
    "client.rehearse.tables.": "a list, then its ids",
    "client.results.minutes.verify": "minutes, then signatures",
    "client.transport.": "own settings and files of a connection",
    "linkage.agreement.directory.load_directory": "each of its files",
    "linkage.crypto.sealing.Opener.": "rows of one length, authenticated each",
    "linkage.crypto.signatures.": "a signature of one length",
    "linkage.crypto.merkle.": "hashes of one length",
    "linkage.crypto.tls_files.open_to_anybody": "looks at nothing",
    "linkage.direct.manifest.": "a manifest, then what it says",
    "linkage.direct.table.LabelTable.open": "rows of one length, verified each",
    "linkage.edition.levels.Levels.check": "levels that were read",
    "linkage.matching.result.check_layout": "tables that were read",
    "linkage.normalise.": "values of fields, by their kinds",
    "server.app.": "settings, through their reader",
    "server.base.ordinary.": "bytes as they are",
    "server.base.failpoints.": "names in the environment of a test",
    "server.matching.": "own files, under checksums",
    "server.releases.": "bytes as they are",
    "server.store.": "own files, under checksums",
}


def names_of(package: Path, path: Path) -> set[str]:
    """The public functions of a module that read something, as targets name them."""
    top = package.name.removeprefix("padan_")
    module = ".".join([top, *path.relative_to(package).with_suffix("").parts])
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {f"{module}.{f.name}" for f in tree.body if reads(f)}
    for owner in (c for c in tree.body if isinstance(c, ast.ClassDef)):
        if not any("Protocol" in ast.unparse(base) for base in owner.bases):
            found |= {f"{module}.{owner.name}.{f.name}" for f in owner.body if reads(f)}
    return found


def reads(node: ast.stmt) -> bool:
    """Whether it is a function of that kind: a verb, and something to read."""
    if not isinstance(node, ast.FunctionDef) or node.name.split("_")[0] not in VERBS:
        return False
    given = [ast.unparse(a.annotation) for a in node.args.args if a.annotation]
    return any(kind in {"bytes", "str", "Path", "Path | str"} for kind in given)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_what_nobody_wrote_is_read_or_refused(name):
    target, draw = TARGETS[name], random.Random(name)
    seeds = target.seeds()
    assert all(target.accepts(seed) for seed in seeds), "a seed is refused"
    refused = sum(not target.accepts(mutated(draw.choice(seeds), draw)) for _ in range(TRIES))
    assert bool(refused) == bool(target.refusals)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("charged-line", b'["bkn", "CreateRun", "r", "00ff", "runs/1", 1e300]\n'),
        ("list-file", b"\xff\xfen\x00i\x00k"),
        ("minutes", b'{"format":"padan/v1 minutes"}'),
        ("oprf-proof", b"\xe2\xf2"),
        ("part-file", b"\xff" * 6 + bytes(20)),
        ("tls-files", b"0"),
        ("unit-config", b"a." * 3000 + b"a = 1"),
        ("unit-config", b'listen = "\xb9"'),
    ],
)
def test_what_was_a_defect_is_none(name, content):
    assert TARGETS[name].accepts(content) is (name == "charged-line")


def test_no_reader_is_forgotten():
    there = {n for package in PACKAGES for p in package.rglob("*.py") for n in names_of(package, p)}
    tried = {covered for target in TARGETS.values() for covered in target.covers}
    assert {n for n in there - tried if not n.startswith(tuple(APART))} == set()
    assert {prefix for prefix in APART if not any(n.startswith(prefix) for n in there)} == set()
    assert tried - there == set()


def test_another_error_is_a_defect():
    broken = Target("broken", lambda content: content[3], lambda: [b"abcd"], (ValueError,))
    assert broken.accepts(b"abcd")
    with pytest.raises(Defect, match="IndexError"):
        broken.accepts(b"")


def test_changes_are_the_same_of_the_same_seed():
    made = [
        [mutated(b'{"a":[1,"b"]}', draw) for _ in range(200)] for draw in map(random.Random, "ab")
    ]
    again = random.Random("a")
    assert made[0] == [mutated(b'{"a":[1,"b"]}', again) for _ in range(200)] != made[1]
    assert len(set(made[0])) > 150

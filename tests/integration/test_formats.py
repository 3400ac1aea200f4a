"""Every number of a format: a later one is told as that, what is no number as damage, and both
leave everything as it is."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from at_rest import at_rest
from parsers import TARGETS
from server_fixture import NOW
from typer.testing import CliRunner

import padan_client
import padan_linkage
import padan_server
from padan.v1.reason_texts import ServerKind
from padan_client import BadInputError, Home, VerificationError
from padan_client.cli.key_changes import read_change
from padan_client.home.accepted_levels import read_levels
from padan_client.home.identity import load_identity
from padan_client.home.protection import backup, home_format
from padan_client.results import minutes
from padan_linkage.crypto.software import FormatAge, format_age, software
from padan_server.app import app
from padan_server.base.accepting import Acceptable
from padan_server.base.damage import DamagedFileError
from padan_server.store import marks
from padan_server.store.files.disk import Disk
from padan_server.store.files.sums import keep_sums, kept_sums
from padan_server.store.marks import Marks, StoreDoubtError
from padan_server.store.port import OtherVersionError
from padan_server.store.sql.store import SqlStore, data_format

NO_NUMBERS = ["1", "satu", None, -1, True, 1.5, [1], {}, 10**12, ""]
NO_NAMES = [*NO_NUMBERS, 1, 2, "padan identity", "padan identity x", "padan identity 2 3", "٢"]

#: Every module that reads a format, and is tried with others here or beside its parser.
NUMBERED = {
    "store/marks.py",
    "files/sums.py",
    "protection/home_format.py",
    "protection/known_heads.py",
}
NAMED = {"home/identity.py", "protection/backup.py", "results/minutes.py"}
#: Documents that are signed: ``tests/unit/linkage/crypto/test_document_formats.py``.
SIGNED = {
    "agreement/document.py",
    "agreement/key_changes.py",
    "direct/manifest.py",
    "edition/document.py",
    "edition/levels.py",
    "release/manifest.py",
}
#: Directories and ranges of a run are made again, bundles are read by nobody, agreements by their
#: document's module, and a sealed answer of another form does not open.
WITHOUT = {
    "agreement/model.py",
    "answering/payloads.py",
    "files/derived.py",
    "matching/directory.py",
    "matching/streaming.py",
    "unit/bundle.py",
}


def test_a_format_is_a_number_or_a_name_with_one():
    assert [format_age(n, 3) for n in (2, 3, 4)] == list(FormatAge)
    assert [format_age(f"padan identity {n}", "padan identity 3") for n in (2, 3, 4)] == list(
        FormatAge
    )
    assert format_age("padan/v2 minutes", "padan/v1 minutes") is FormatAge.LATER
    for given, present in (
        *((given, 3) for given in NO_NUMBERS),
        *((given, "padan identity 2") for given in NO_NAMES),
    ):
        with pytest.raises(ValueError, match="format"):
            format_age(given, present)


def test_no_format_is_left_out_of_these_tests():
    """Whoever brings in a format has to say here what becomes of one that is another."""
    known = NUMBERED | NAMED | SIGNED | WITHOUT
    found, by_the_rule = set(), set()
    for package in (padan_client, padan_linkage, padan_server):
        root = Path(package.__file__).parent
        for path in root.rglob("*.py"):
            source, name = path.read_text("utf-8"), "/".join(path.parts[-2:])
            if names_a_format(source):
                found.add(name)
            if re.search(r"\b(format_age|of_this_form)\(", source):
                by_the_rule.add(name)
    assert found | by_the_rule == known | {"crypto/software.py"}
    assert by_the_rule - {"crypto/software.py"} == known - WITHOUT


def names_a_format(source):
    """Whether a module writes or reads a document's ``format``: as a key, or a field of a model.

    Or has a number of one.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name)
            and target.id in {"FORMAT", "_FORMAT", "VERSION"}
            and isinstance(node.value, ast.Constant)
            for target in node.targets
        ):
            return True
        if isinstance(node, ast.Dict) and any(
            isinstance(key, ast.Constant) and key.value == "format" for key in node.keys
        ):
            return True
        if isinstance(node, ast.ClassDef) and any(
            isinstance(each, ast.AnnAssign)
            and isinstance(each.target, ast.Name)
            and each.target.id == "format"
            and node.bases
            for each in node.body
        ):
            return True
    return False


# What becomes of a file whose format is another.

LATER = "lebih baru"
DAMAGED = "rusak|tidak terbaca|bukan (cadangan|berita acara|usulan|pergantian)"


def home_file(folder, name, given):
    """Give a file of a home another format."""
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": given}))


def format_json(home, given):
    home_file(home.folder, home_format.FILE, given)
    home_format.require_known_format(home.folder)


def identity_json(home, given):
    home_file(home.folder, "identity.json", given)
    load_identity(home.folder)


def heads_json(home, given):
    (name,) = [p.relative_to(home.folder) for p in (home.folder / "heads/unit").glob("*.json")]
    home_file(home.folder, name, given)
    home.known_heads(name.stem).of(ServerKind.UNIT)


def backup_file(home, given):
    path = home.folder / "cadangan"
    head = {"format": given, "party": "bkn", "locked": {}}
    path.write_text(json.dumps(head) + "\n")
    path.chmod(0o600)
    backup._head(path.read_bytes(), path)


def minutes_file(home, given):
    path = home.folder / "berita-acara.json"
    path.write_text(json.dumps({"format": given}))
    minutes.read(path)


def levels_file(home, given):
    path = home.folder / "usulan.json"
    document = json.loads(TARGETS["levels"].seeds()[0])
    document["levels"]["version"] = given
    path.write_text(json.dumps(document))
    read_levels(path)


def key_change_file(home, given):
    path = home.folder / "perjanjian.toml.bkn.1.keys"
    document = json.loads(TARGETS["key-change"].seeds()[0])
    document["change"]["format"] = given
    path.write_text(json.dumps(document))
    read_change(path)


FILES = {
    format_json: (home_format.HOME_FORMAT + 1, NO_NUMBERS),
    heads_json: (3, NO_NUMBERS),
    identity_json: ("padan identity 3", NO_NAMES),
    backup_file: ("padan backup 2", NO_NAMES),
    minutes_file: ("padan/v2 minutes", NO_NAMES),
    levels_file: (2, NO_NUMBERS),
    key_change_file: ("padan key change 2", NO_NAMES),
}
CASES = [
    (read, given, said)
    for read, (later, none) in FILES.items()
    for given, said in ((later, LATER), *((each, DAMAGED) for each in none))
]


@pytest.fixture
def home(small_pair, tmp_path):
    folder = tmp_path / "home"
    shutil.copytree(small_pair.provider.folder, folder)
    return Home.open(folder, jitter=lambda: 0.0)


@pytest.mark.parametrize("more", [{}, {"software": None}, {"new": [1]}])
def test_of_a_later_home_only_the_number_is_known(home, more):
    (home.folder / home_format.FILE).write_text(
        json.dumps({"format": home_format.HOME_FORMAT + 1, **more})
    )
    with pytest.raises(BadInputError, match=LATER):
        home_format.require_known_format(home.folder)


@pytest.mark.parametrize(("read", "given", "said"), CASES)
def test_a_home_s_file_of_another_format_is_told_as_what_it_is(home, read, given, said):
    with pytest.raises(BadInputError, match=said) as refused:
        read(home, given)
    assert (LATER in str(refused.value)) is (said == LATER)


def test_a_home_of_the_form_before_is_taken_on_with_its_direct_epochs(home, small_pair):
    place = home.place(*small_pair.names)
    record = home.seeds().rotate(place, NOW)
    (seed,) = home.folder.rglob("1.seed")
    path = seed.with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"public_key": "ab" * 32}))
    before = {"format": home_format.HOME_FORMAT - 1, "software": "0.0.9 (abc)"}
    (home.folder / home_format.FILE).write_text(json.dumps(before))
    again = Home.open(home.folder, jitter=lambda: 0.0)
    assert json.loads((home.folder / home_format.FILE).read_text()) == {
        "format": home_format.HOME_FORMAT,
        "software": software(),
    }
    assert again.seeds().records(place) == [record]


def test_an_agreement_of_a_later_form_stops_that_agreement_and_says_why(home, small_pair, tmp_path):
    folder = tmp_path / "agreements"
    shutil.copytree(small_pair.unit.house.agreements_dir, folder)
    (path,) = folder.glob("*.toml")
    path.write_bytes(path.read_bytes().replace(b"format = 1", b"format = 2", 1))
    settings = home.folder / "client.toml"
    text = re.sub(r"(?m)^agreements = .*$", f"agreements = {json.dumps(str(folder))}",
                  settings.read_text())  # fmt: skip
    settings.write_text(text)
    with pytest.raises(VerificationError, match=LATER):
        Home.open(home.folder).signed_agreement(path.stem)


@pytest.mark.parametrize("given", [2, *NO_NUMBERS])
def test_sums_of_a_later_form_are_no_damage_and_others_are(tmp_path, given):
    keep_sums(Disk(), tmp_path, "folder", {})
    _, _, text = (tmp_path / "sums.json").read_bytes().partition(b"\n")
    text = json.dumps(json.loads(text) | {"format": given}).encode()
    whole = hashlib.sha256(text).hexdigest().encode() + b"\n" + text + b"\n"
    (tmp_path / "sums.json").write_bytes(whole)
    with pytest.raises(DamagedFileError) as refused:
        kept_sums(tmp_path, "folder")
    assert (LATER in refused.value.problem[0]) is (given == 2)
    assert (tmp_path / "sums.json").read_bytes() == whole


@pytest.mark.parametrize("given", NO_NUMBERS)
def test_a_directory_whose_format_is_none_is_doubted_and_left_as_it_is(small_pair, tmp_path, given):
    doubted(small_pair, tmp_path, given, StoreDoubtError, "mark.json tidak terbaca")


def test_a_directory_of_a_later_format_is_refused_and_left_as_it_is(small_pair, tmp_path):
    doubted(small_pair, tmp_path, data_format() + 1, OtherVersionError, LATER)


@pytest.mark.parametrize("command", [["fsck"], *(["accept", what] for what in Acceptable)])
def test_no_command_of_the_server_takes_a_later_directory_for_its_own(
    small_pair, tmp_path, command
):
    data = tmp_path / "data"
    at_rest(small_pair.unit.server)
    shutil.copytree(small_pair.unit.house.data_dir, data)
    path = data / "mark.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": data_format() + 1}))
    before = sorted(p.name for p in data.iterdir())
    told = CliRunner().invoke(app, [*command, "--data-dir", str(data)])
    assert told.exit_code == 2
    assert LATER in told.stderr
    assert sorted(p.name for p in data.iterdir()) == before


def look_at(data):
    marks.require_known_format(data)
    store = SqlStore(f"sqlite:///{data / 'unit.sqlite'}")
    Marks(store, data, Disk()).begin(holds_files=lambda: True)


def doubted(pair, folder, given, error, said):
    """Look at a copy of the unit's directory, as every start does first."""
    data = folder / "data"
    at_rest(pair.unit.server)
    shutil.copytree(pair.unit.house.data_dir, data, ignore=shutil.ignore_patterns("*.sqlite*"))
    path = data / "mark.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": given}))
    before = path.read_bytes()
    with pytest.raises(error, match=said):
        look_at(data)
    assert path.read_bytes() == before

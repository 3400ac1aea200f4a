"""Documents that are signed: one of a later form is told as that, what is no form as damage."""

from __future__ import annotations

import json

import pytest
from parsers import TARGETS

from padan_linkage.agreement import AgreementError
from padan_linkage.agreement.document import parse_agreement
from padan_linkage.agreement.key_changes import SignedKeyChange
from padan_linkage.crypto.software import FormatAge
from padan_linkage.direct.manifest import ManifestError, parse_manifest
from padan_linkage.edition.document import VERSION, Edition, EditionVersionError
from padan_linkage.edition.levels import LevelsError, SignedLevels
from padan_linkage.release.manifest import parse_release

NO_NUMBERS = ["1", None, -1, True, 1.0, [1], {}, 10**12]


def seed(name):
    return TARGETS[name].seeds()[0]


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def with_given(name, *path):
    """A document whose ``path`` holds what is given; with what else a later form may bring."""

    def make(given):
        whole = json.loads(seed(name))
        part = whole
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = given
        part["new"] = ["of a later form"]
        return canonical(whole)

    return make


def agreement(given):
    lines = f"format = {json.dumps(given)}".encode(), b'new = "of a later form"'
    return seed("agreement").replace(b"format = 1", b"\n".join(lines), 1)


def of_manifest(read):
    def is_later(document):
        with pytest.raises(ManifestError) as refused:
            read(document)
        return refused.value.later

    return is_later


def of_edition(document):
    with pytest.raises(ValueError, match=r"edition|format") as refused:
        Edition.read(document)
    return isinstance(refused.value, EditionVersionError) and refused.value.age is FormatAge.LATER


def of_levels(document):
    with pytest.raises(LevelsError) as refused:
        SignedLevels.read(document)
    return refused.value.later


def of_agreement(read):
    def is_later(document):
        with pytest.raises(AgreementError) as refused:
            read(document)
        codes = [f.code for f in refused.value.findings]
        return codes == ["format-later"]

    return is_later


NAMES = [*NO_NUMBERS, "", "padan/v label table", "padan/vx release", "٢"]
CASES = {
    "label-manifest": (
        with_given("label-manifest", "format"),
        of_manifest(parse_manifest),
        ("padan/v3 label table", "padan/v1 label table"),
        NAMES,
    ),
    "release": (
        with_given("release", "format"),
        of_manifest(parse_release),
        ("padan/v9 release", "padan/v0 release"),
        NAMES,
    ),
    "edition": (
        with_given("edition", "version"),
        of_edition,
        (VERSION + 1, VERSION - 1),
        NO_NUMBERS,
    ),
    "levels": (with_given("levels", "levels", "version"), of_levels, (2, 0), NO_NUMBERS),
    "key-change": (
        with_given("key-change", "change", "format"),
        of_agreement(SignedKeyChange.read),
        ("padan key change 2", "padan key change 0"),
        NAMES,
    ),
    "agreement": (
        agreement,
        of_agreement(parse_agreement),
        (2, 0),
        ["1", -1, True, 1.5, [1], 10**12],  # TOML has no null
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_later_form_is_told_as_that_and_nothing_else_is(name):
    make, is_later, (later, former), none = CASES[name]
    assert is_later(make(later))
    for given in (former, *none):
        assert not is_later(make(given)), given

"""Nothing rests on an edition that is damaged, somebody else\'s, or that no matcher could use."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import partial

import pytest

from padan_lab.bench.rates.unmeasured import open_edition, priors_of, signed_edition
from padan_lab.demo.flows import with_filters
from padan_linkage.agreement import example, load_agreement
from padan_linkage.crypto import signatures
from padan_linkage.edition.checking import (
    MOST_CALIBRATIONS_BYTES,
    MOST_EDITION_BYTES,
    EditionError,
    Wanted,
    checked_calibrations,
    checked_edition,
)
from padan_linkage.edition.document import SIGNED, calibrations_document, digest

FLOW = load_agreement(with_filters(example("kemnaker-bkn-2024"))).flow("asn-status")
SCHEMA, AGREEMENT, KEY = FLOW.schema, b"a" * 32, b"k" * 32
SIGN = partial(signatures.sign, KEY)
RATE = FLOW.match.max_false_match_rate
WANTED = Wanted(AGREEMENT.hex(), FLOW.id, SCHEMA, RATE, (signatures.public_key(KEY),))
PRIORS = priors_of(SCHEMA)
EDITION = open_edition(SCHEMA, AGREEMENT, FLOW.id, FLOW.match, PRIORS)
FIRST = next(iter(PRIORS))


def check(edition=EDITION, calibrations=None):
    """Both checks, as the unit does them; what they read."""
    given = PRIORS if calibrations is None else calibrations
    if given is not PRIORS:
        edition = replace(edition, calibrations=digest(calibrations_document(given)))
    sent = signed_edition(edition, given, SIGN)
    read = checked_edition(sent.document, sent.signature, WANTED)
    return read, checked_calibrations(sent.calibrations, read, SCHEMA)


def test_what_a_provider_makes_is_read_back():
    assert check() == (EDITION, PRIORS)


def given(**changes):
    """The edition with its first combination of fields changed."""
    return replace(EDITION, given=(replace(EDITION.given[0], **changes), *EDITION.given[1:]))


@pytest.mark.parametrize(
    ("edition", "differs"),
    [
        (replace(EDITION, agreement="b" * 64), "agreement"),
        (replace(EDITION, flow="jf-binaan"), "flow"),
        (replace(EDITION, schema="0" * 64), "schema"),
        (replace(EDITION, rate=RATE * 2), "rate"),
        (replace(EDITION, rate=True), "rate"),
        (replace(EDITION, rate="0"), "rate"),
        (replace(EDITION, records=-1), "document"),
        (replace(EDITION, levels=5), "document"),
        (replace(EDITION, given=()), "given"),
        (replace(EDITION, given=EDITION.given * 2), "given"),
        (given(fields=("umur",)), "given"),
        (given(fields=("tempat_lahir",)), "given"),  # of direct mode's keys alone
        (given(fields=("nama", "nik")), "given"),
        (given(telling=-2), "given"),
        (given(telling=True), "given"),
        (given(usable=("nobody",)), "given"),
        (given(usable=()), "given"),
        (given(answering=("nobody",)), "given"),
        (given(answering=(FIRST,), silent=(FIRST,)), "given"),
        (given(answering=([],)), "given"),
        (given(silent=(1,)), "given"),
        (given(fields=([],)), "given"),
        (given(answered=1.5), "given"),
        (given(noticed=2), "given"),
        (given(wrong=-0.1), "given"),
        (given(damaged="x"), "given"),
        (replace(EDITION, common=((5,),)), "document"),
        (given(asked=0.5), "given"),
    ],
)
def test_what_is_of_something_else_or_cannot_be_is_refused_by_its_part(edition, differs):
    with pytest.raises(EditionError) as caught:
        check(edition)
    assert caught.value.differs == differs


def test_an_edition_of_another_version_is_told_as_such_if_the_provider_signed_it():
    older = EDITION.document().replace(b'"version":2', b'"version":1')
    with pytest.raises(EditionError, match="version"):
        checked_edition(older, SIGN(SIGNED + older), WANTED)
    with pytest.raises(EditionError, match="signature"):
        checked_edition(older, bytes(64), WANTED)


def test_a_document_is_bounded_canonical_and_signed():
    document = EDITION.document()
    for damaged in (b"", b"x" * (MOST_EDITION_BYTES + 1), document + b" ", b"[" * 9000):
        with pytest.raises(EditionError, match="document"):
            checked_edition(damaged, SIGN(SIGNED + damaged), WANTED)
    for signature in (
        b"",
        bytes(64),
        SIGN(document),
        signatures.sign(b"o" * 32, SIGNED + document),
    ):
        with pytest.raises(EditionError, match="signature"):
            checked_edition(document, signature, WANTED)


def calibrations(**changes):
    """The calibrations with the first one changed."""
    return {**PRIORS, FIRST: replace(PRIORS[FIRST], **changes)}


def kind(**changes):
    """The calibrations with the first one\'s only kind of strangers changed."""
    return calibrations(kinds=(replace(PRIORS[FIRST].kinds[0], **changes),))


def zero(table):
    """The table with an impossible probability."""
    return ((0.0, *table[0][1:]), *table[1:])


ONE = PRIORS[FIRST]
UNUSABLE = {
    "a pass missing": {name: c for name, c in PRIORS.items() if name != FIRST},
    "a pass too many": {**PRIORS, "nobody": ONE},
    "other bits": calibrations(bits=(*ONE.bits[1:], 64)),
    "other fill": calibrations(random_fill=not ONE.random_fill),
    "a fill that is a number": calibrations(random_fill=int(ONE.random_fill)),
    "m of nothing": calibrations(m=zero(ONE.m)),
    "m too short": calibrations(m=ONE.m[1:]),
    "a level missing": calibrations(m=tuple(row[1:] for row in ONE.m)),
    "u of nothing": kind(u=zero(ONE.kinds[0].u)),
    "no stranger": kind(mean=0.0),
    "strangers without number": kind(mean=1e300),
    "negative shape": kind(clumping=-1.0),
    "no kinds": calibrations(kinds=()),
    "kinds without end": calibrations(kinds=ONE.kinds * 17),
    "every match certain": calibrations(match_rate=1.0),
    "no screen": calibrations(screen=0.0),
    "answers beyond the reach": calibrations(screen=512 * (1 - 2 * 0.37) ** 2),
    "negative company": calibrations(company=-1.0),
    "a threshold beyond": calibrations(threshold=1e300),
    "a doubt that is a word": calibrations(doubt="x"),
    "a method that is none": calibrations(method=3),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_calibrations_that_no_matcher_could_use_are_refused(name):
    with pytest.raises(EditionError, match="calibrations"):
        check(calibrations=UNUSABLE[name])


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"[]",
        b'{"a":' * 9000,
        b"x" * (MOST_CALIBRATIONS_BYTES + 1),
        calibrations_document(PRIORS).replace(b"0.5", b"1" + b"0" * 400, 1),
        calibrations_document(PRIORS).replace(b"0.5", b"NaN", 1),
        json.dumps(json.loads(calibrations_document(PRIORS))).encode(),
        json.dumps({name: [] for name in PRIORS}).encode(),
        json.dumps(dict.fromkeys(PRIORS, math.pi)).encode(),
    ],
)
def test_calibrations_that_are_none_are_refused(document):
    edition = replace(EDITION, calibrations=digest(document))
    with pytest.raises(EditionError, match="calibrations"):
        checked_calibrations(document, edition, SCHEMA)


def test_calibrations_of_another_edition_are_refused():
    with pytest.raises(EditionError, match="calibrations"):
        checked_calibrations(calibrations_document(calibrations(screen=50.0)), EDITION, SCHEMA)

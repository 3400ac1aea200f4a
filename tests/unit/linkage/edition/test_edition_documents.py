"""An edition is read back exactly, equal editions are equal bytes, and anything else is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from padan_linkage.edition.document import SHIPPED, Edition, GivenFields

WHOLE = GivenFields(("nik", "nama"), 1000, 0.998, 1e-4, ("nik",), ("nik", "nama"))
EDITION = Edition("ab" * 32, "asn-status", "cd" * 32, 5e-4, 1000, SHIPPED, "ef" * 32, (WHOLE,))


def test_an_edition_is_read_back_and_its_name_says_what_it_is():
    again = Edition.read(EDITION.document())

    assert again == EDITION
    assert again.name() == EDITION.name()
    assert replace(EDITION, rate=1e-4).name() != EDITION.name()


def test_it_tells_what_holds_for_a_combination_of_fields():
    assert EDITION.of(("nik", "nama")) == WHOLE
    assert EDITION.of(("nik",)) is None


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"[]",
        b"[" * 5000,
        EDITION.document() + b" ",
        EDITION.document().replace(b'"version":1', b'"version":2'),
        EDITION.document().replace(b'"rate"', b'"ratio"'),
        json.dumps(json.loads(EDITION.document())).encode(),
    ],
)
def test_anything_else_is_refused(damaged):
    with pytest.raises(ValueError, match=r"edition|JSON|canonical"):
        Edition.read(damaged)

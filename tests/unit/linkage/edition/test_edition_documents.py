"""An edition is read back exactly, equal editions are equal bytes, and anything else is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from padan_linkage.edition.document import ANY, SHIPPED, Edition, GivenFields

WHOLE = GivenFields(
    fields=("nik", "nama"),
    telling=ANY,
    asked=1000,
    answered=0.998,
    noticed=0.999,
    wrong=1e-4,
    answering=("nik",),
    usable=("nik", "nama"),
)
EDITION = Edition(
    agreement="ab" * 32,
    flow="asn-status",
    schema="cd" * 32,
    rate=5e-4,
    records=1000,
    levels=SHIPPED,
    calibrations="ef" * 32,
    common=(("siti",), ("basri", "dewi")),
    given=(WHOLE,),
)


def test_an_edition_is_read_back_and_its_name_says_what_it_is():
    again = Edition.read(EDITION.document())

    assert again == EDITION
    assert again.name() == EDITION.name()
    assert replace(EDITION, rate=1e-4).name() != EDITION.name()


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"[]",
        b"[" * 5000,
        EDITION.document() + b" ",
        EDITION.document().replace(b'"version":2', b'"version":1'),
        EDITION.document().replace(b'"rate"', b'"ratio"'),
        json.dumps(json.loads(EDITION.document())).encode(),
    ],
)
def test_anything_else_is_refused(damaged):
    with pytest.raises(ValueError, match=r"edition|JSON|canonical"):
        Edition.read(damaged)

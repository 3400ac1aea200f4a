"""Numbers as the chosen language writes them."""

from __future__ import annotations

import pytest

from padan.v1.reason_texts import Reason
from padan_client.base.language import set_language
from padan_client.base.numbers import decimal, indonesian, number, percent
from padan_client.base.reasons import explain


@pytest.mark.parametrize(
    ("language", "texts"),
    [("id", ["1.234.567", "0,9980", "-1.234,5", "98,0\u00a0%"]),
     ("en", ["1,234,567", "0.9980", "-1,234.5", "98.0\u00a0%"])],
)  # fmt: skip
def test_numbers_have_one_style_a_language(language, texts):
    set_language(language)
    try:
        assert [number(1234567), decimal(0.998, 4), decimal(-1234.5, 1), percent(0.98)] == texts
        assert indonesian(1234567) == "1.234.567"
        used = explain(Reason.STORAGE_SHARE_EXCEEDED, {"limit": "12000000", "used": "7"})
        assert number(12000000) in used
    finally:
        set_language("id")

"""A passphrase that is tried first is refused, and one drawn at random is not."""

from __future__ import annotations

import random
import string

import pytest

from padan_client.base.errors import BadInputError
from padan_client.home.protection.passphrase import (
    LEAST_CHARACTERS,
    MOST_CHARACTERS,
    require_strong,
    unforeseen,
)

OWN = ("kemnaker", "kemnaker-bkn-2024")


@pytest.mark.parametrize(
    "typed",
    [
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "kambing kambing",
        "AbAbAbAbAbAbAbAb",
        "123456789012",
        "98765432109876",
        "31122026 31122026",
        "qwertyuiop[]",
        "asdfghjkl;'zxcv",
        "1qaz2wsx3edc4rfv",
        "abcd1234efgh5678",
        "Password12345!",
        "rahasia negara 123",
        "kemnaker-bkn-2024",
        "KEMNAKER2024kemnaker",
        "bkn kemnaker bkn kemnaker",
        "            ",
    ],
)
def test_what_is_tried_first_is_refused(typed):
    assert len(typed) >= LEAST_CHARACTERS
    with pytest.raises(BadInputError, match=r"mudah ditebak.*lima kata") as refused:
        require_strong(typed, OWN)
    assert typed not in str(refused.value)


@pytest.mark.parametrize("typed", ["Xq7!mK2v#pL", "x" * (MOST_CHARACTERS + 1)])
def test_too_short_or_too_long_says_how_long(typed):
    with pytest.raises(BadInputError, match=rf"yang ini {len(typed)}\b"):
        require_strong(typed)


def test_an_empty_one_is_not_none():
    with pytest.raises(BadInputError, match="--no-passphrase"):
        require_strong("")


@pytest.mark.parametrize(
    "typed",
    [
        "sapi goreng merah tua hujan",
        "correct horse battery staple",
        "Xq7!mK2v#pL9",
        "तीन छोटे पत्थर नदी में",
        "kuda lari pagi buta kemnaker",
    ],
)
def test_words_at_random_and_what_a_manager_makes_will_do(typed):
    require_strong(typed, OWN)


def test_random_passphrases_are_hardly_ever_refused():
    draw, alphabet = random.Random(4), string.ascii_letters + string.digits + "!#%+?@"
    made = ["".join(draw.choices(alphabet, k=16)) for _ in range(500)]
    assert min(map(unforeseen, made)) >= 8


def test_adding_what_is_foreseen_adds_nothing():
    for typed in ("Xq7!mK2v#pL9", "sapi goreng merah"):
        for more in (typed, "kemnaker", "padan", typed[-1] * 9):
            assert unforeseen(typed + more, OWN) <= unforeseen(typed, OWN) + 1

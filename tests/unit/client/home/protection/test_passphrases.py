"""A passphrase that is tried first is refused, and one drawn at random is not."""

from __future__ import annotations

import random
import string

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from padan_client.base.errors import BadInputError
from padan_client.home.protection.passphrase import (
    LEAST_CHARACTERS,
    LEAST_GUESSES,
    MOST_CHARACTERS,
    guessing,
    require_strong,
)

OWN = ("kemnaker", "kemnaker-bkn-2024", "Balai Uji Terampil")


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
        "kementerian ketenagakerjaan",
        "Kementerian-Ketenagakerjaan",
        "kementerianketenagakerjaan",
        "P@ssw0rd2024!",
        "K3mn4k3r@2024!",
        "bismillahirrahmanirrahim",
        "B1sm1ll4h#2024",
        "badan kepegawaian negara 2024",
        "bpjs kesehatan jakarta",
        "perjanjian kerja sama 2024",
        "januari februari maret",
        "aku cinta kamu selamanya",
        "Budi Santoso 1980",
        "17 Agustus 1945 merdeka",
        "balai uji terampil 2025",
        "monkey dragon sunshine football",
        "correct horse battery staple",
        "Correct-Horse-Battery-Staple",
        "the quick brown fox jumps",
        "ketuhanan yang maha esa",
        "Ketuhanan Yang Maha Esa 2026",
        "keadilan sosial bagi seluruh rakyat indonesia",
        "indonesia tanah airku tanah tumpah darahku",
        "Kemnaker!BKN!2026!",
        "Kemnaker#BKN#2024",
        "Ramadhan1447Hijriah",
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
        "pencil gravel orbit saddle",
        "Xq7!mK2v#pL9",
        "तीन छोटे पत्थर नदी में",
        "kuda lari pagi buta kemnaker",
    ],
)
def test_words_at_random_and_what_a_manager_makes_will_do(typed):
    require_strong(typed, OWN)


def test_random_characters_are_never_refused():
    draw, alphabet = random.Random(4), string.ascii_letters + string.digits + "!#%+?@-_."
    for length in (14, 20):
        for _ in range(60):
            require_strong("".join(draw.choices(alphabet, k=length)), OWN)


def test_four_words_drawn_from_thousands_are_never_refused():
    words = FREQUENCY_LISTS["english_wikipedia"]
    words = words.split(",") if isinstance(words, str) else list(words)
    draw = random.Random(5)
    for separator in (" ", "-", ""):
        for _ in range(30):
            require_strong(separator.join(draw.sample(words[1000:9000], 4)), OWN)


def test_the_message_says_what_is_weak_about_it():
    for typed, what in (
        ("kementerian ketenagakerjaan", "kata umum, nama, atau instansi"),
        ("Xq7!Xq7!Xq7!Xq7!", "ulangan"),
        ("31129999 2345678", "urutan"),
        ("kambing kambing kambing", "ulangan"),
    ):
        with pytest.raises(BadInputError, match=what):
            require_strong(typed, OWN)


def test_adding_what_is_foreseen_makes_nothing_weak_strong():
    for weak in ("P@ssw0rd", "kambing", "bismillah", "kemnaker bkn"):
        for more in (weak, "kemnaker", "padan", weak[-1] * 9, "2024", "123"):
            assert guessing(weak + more, OWN).guesses < LEAST_GUESSES, weak + more


def test_a_long_one_is_judged_in_no_time_by_its_beginning():
    require_strong("sapi goreng merah tua hujan " * 30, OWN)
    with pytest.raises(BadInputError, match="ulangan"):
        require_strong("a" * MOST_CHARACTERS, OWN)

"""What a new passphrase must be: twelve characters, and eight left of them that cannot be foreseen.

Whoever has the disk tries words, names, rows of keys and repetitions first. So those are taken away
before what is left is counted: a known word counts as one character, and so does any character that
follows from those before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from padan_client.base.errors import BadInputError
from padan_client.base.language import t

LEAST_CHARACTERS, MOST_CHARACTERS = 12, 1024
LEAST_UNFORESEEN = 8

#: Words that are tried first, by whoever knows what the file is.
_WORDS = (
    *("padan", "pemadanan", "password", "passphrase", "passwd", "pass", "frasa", "sandi", "kata"),
    *("kunci", "rahasia", "negara", "secret", "admin", "administrator", "indonesia", "merdeka"),
    *(
        "jakarta",
        "kementerian",
        "instansi",
        "agency",
        "welcome",
        "letmein",
        "iloveyou",
        "bismillah",
    ),
)
_LEAST_WORD = 3
_KEYS = ("`1234567890-=", "qwertyuiop[]\\", "asdfghjkl;'", "zxcvbnm,./", "1qaz2wsx3edc4rfv5tgb")


def require_strong(passphrase: str, own_words: Iterable[str] = ()) -> None:
    """Raise BadInputError unless ``passphrase`` will do; the message says how to do better.

    ``own_words`` are words that are easily guessed of this agency: ids of party and agreements.
    """
    typed = unicodedata.normalize("NFKC", passphrase)
    if not typed:
        raise BadInputError(
            t(
                "Frasa sandi kosong. Isi, atau pakai --no-passphrase bila berkas kunci memang "
                "hanya dilindungi izin berkas.",
                "The passphrase is empty. Give one, or use --no-passphrase if file permissions "
                "alone are to protect the keys.",
            )
        )
    if not LEAST_CHARACTERS <= len(typed) <= MOST_CHARACTERS:
        raise BadInputError(
            t(
                f"Frasa sandi harus {LEAST_CHARACTERS} sampai {MOST_CHARACTERS} karakter; yang ini "
                f"{len(typed)}. ",
                f"A passphrase has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters; this one "
                f"has {len(typed)}. ",
            )
            + _advice()
        )
    if unforeseen(typed, own_words) < LEAST_UNFORESEEN:
        raise BadInputError(
            t(
                "Frasa sandi mudah ditebak: sebagian besar berupa ulangan, urutan (abc, 123, "
                "qwerty), kata umum, atau nama instansi dan perjanjian. ",
                "The passphrase is easily guessed: most of it is repetition, a sequence (abc, 123, "
                "qwerty), a common word, or the name of the agency or an agreement. ",
            )
            + _advice()
        )


def unforeseen(passphrase: str, own_words: Iterable[str] = ()) -> int:
    """Characters that do not follow from those before them, nor from a word that is guessed."""
    left = passphrase.casefold()
    parts = {part for word in own_words for part in (word, *re.split(r"[-_ ]", word))}
    for word in sorted({*_WORDS, *(p.casefold() for p in parts)}, key=len, reverse=True):
        if len(word) >= _LEAST_WORD:
            left = left.replace(word, "\x00")
    left = "".join(left.split())
    left = left[: (left + left).find(left, 1)]  # once, if it is the same again and again
    pairs = [left[at - 1 : at + 1] for at in range(1, len(left))]
    follow = [_follows(*pair) or pair in pairs[:at] for at, pair in enumerate(pairs)]
    return len(left) - sum(follow)


def _follows(before: str, after: str) -> bool:
    """Whether ``after`` is the same character, the next or last of a count, or a key beside it."""
    if abs(ord(before) - ord(after)) <= 1:
        return True
    return any(before + after in row or after + before in row for row in _KEYS)


def _advice() -> str:
    return t(
        "Pakai lima kata atau lebih yang diambil acak (dengan dadu dari sebuah buku, misalnya), "
        "atau buatan pengelola sandi.",
        "Take five words or more at random (with dice from a book, for instance), or what a "
        "password manager makes.",
    )

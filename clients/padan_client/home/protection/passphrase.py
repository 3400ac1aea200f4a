"""What a new passphrase must be: twelve characters, and dear to guess.

Whoever has the disk tries words, names, dates, rows of keys and repetitions first. The zxcvbn
library (Wheeler, USENIX Security 2016) finds these; ``guessed_words.txt`` and the words of this
home are what it does not know of Indonesia's agencies. Spec 20, "Passphrase".
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from padan_client.base.errors import BadInputError
from padan_client.base.language import t

LEAST_CHARACTERS, MOST_CHARACTERS = 12, 1024
#: Guesses that it must cost, as a power of ten; each costs 128 MiB and some tenths of a second.
LEAST_GUESSES = 10.5
#: What stands behind these characters is not judged: those before have to do.
_MOST_JUDGED = 72
_LEAST_WORD = 3
#: What people put between words, and what guessing another sign costs, as a power of ten.
_FREE, _SIGN = frozenset(" _.,-"), 1.5


@dataclass(frozen=True, repr=False)
class Guessing:
    """What guessing costs, as a power of ten, and the kinds of parts that make it cheap."""

    guesses: float
    kinds: frozenset[str]


def require_strong(passphrase: str, own_words: Iterable[str] = ()) -> None:
    """Raise BadInputError unless ``passphrase`` will do; the message says how to do better.

    ``own_words`` are words that are easily guessed of this agency: ids and names of parties and
    agreements.
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
    found = guessing(typed, own_words)
    if found.guesses < LEAST_GUESSES:
        raise BadInputError(f"{_why(found)} {_advice()}")


def guessing(passphrase: str, own_words: Iterable[str] = ()) -> Guessing:
    """What guessing it costs, the cheaper of as it is typed and without what parts its words.

    Spaces and strokes between words cost nothing to guess, other signs once for each kind of them.
    """
    words = list(dict.fromkeys((*_parts(own_words), *_guessed_words())))
    bare = re.sub(r"[\W_]+", "", passphrase)
    signs = {c for c in passphrase if not c.isalnum()} - _FREE
    ways = [_guessing(passphrase, words)]
    if bare:
        without = _guessing(bare, words)
        ways.append(replace(without, guesses=without.guesses + len(signs) * _SIGN))
    return min(ways, key=lambda found: found.guesses)


def _guessing(text: str, words: list[str]) -> Guessing:
    """The guesses for each part, multiplied, and the orders that the parts can stand in."""
    from zxcvbn import zxcvbn

    parts = zxcvbn(text[:_MOST_JUDGED], user_inputs=words)["sequence"]
    guesses = sum(math.log10(max(1, part["guesses"])) for part in parts)
    orders = math.lgamma(len(parts) + 1) / math.log(10)
    return Guessing(guesses + orders, frozenset(part["pattern"] for part in parts))


@cache
def _guessed_words() -> tuple[str, ...]:
    lines = (resources.files(__package__) / "guessed_words.txt").read_text().splitlines()
    return tuple(word for line in lines if not line.startswith("#") for word in line.split())


def _parts(own_words: Iterable[str]) -> list[str]:
    """Names whole, as they are written without spaces, and their words."""
    parts = {part for word in own_words for part in (word, *re.split(r"\W+", word))}
    parts |= {re.sub(r"\W+", "", word) for word in parts}
    return sorted(part.casefold() for part in parts if len(part) >= _LEAST_WORD)


def _why(found: Guessing) -> str:
    kinds = {
        "dictionary": t("kata umum, nama, atau instansi", "common words, names or agencies"),
        "spatial": t("deret tombol (qwerty)", "rows of keys (qwerty)"),
        "sequence": t("urutan (abc, 123)", "sequences (abc, 123)"),
        "repeat": t("ulangan", "repetition"),
        "date": t("tanggal", "dates"),
        "regex": t("tahun", "years"),
    }
    made = ", ".join(text for kind, text in kinds.items() if kind in found.kinds)
    return t(
        f"Frasa sandi mudah ditebak: sebagian besar berupa {made or 'sedikit huruf'}.",
        f"The passphrase is easily guessed: most of it is {made or 'a few letters'}.",
    )


def _advice() -> str:
    return t(
        "Pakai lima kata atau lebih yang diambil acak (dengan dadu dari sebuah buku, misalnya), "
        "atau buatan pengelola sandi.",
        "Take five words or more at random (with dice from a book, for instance), or what a "
        "password manager makes.",
    )

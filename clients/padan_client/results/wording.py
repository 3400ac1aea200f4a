"""Outcomes and reasons as sentences, for screens, minutes and results: their only home.

Of words and numbers :mod:`padan_linkage.answering.outcomes` is the home.
"""

from __future__ import annotations

from padan_client.base.language import t
from padan_linkage.answering.outcomes import (
    ALONE,
    AMBIGUOUS,
    BELOW_PRECISION,
    BROKEN_LABEL,
    CODES_DIFFER,
    DISPLACED,
    FIELDS_MISSING,
    LIST_CLOSED,
    NO_REASON,
    OUTCOME_WORDS,
    QUARANTINED,
    REASON_WORDS,
    SELDOM_FOUND,
    UNDECIDED,
)


def outcome_texts() -> dict[str, str]:
    """What the outcomes mean that an agreement need not have a code for, by their words."""
    return {
        OUTCOME_WORDS[AMBIGUOUS]: t(
            "di registri ada beberapa yang cocok; periksa", "several in the registry fit; look"
        ),
        OUTCOME_WORDS[UNDECIDED]: t(
            "tidak dapat dijamin ditemukan ataupun tidak; lihat alasan",
            "neither found nor not found can be vouched for; see the reason",
        ),
        OUTCOME_WORDS[QUARANTINED]: t(
            "tidak diproses; lihat karantina", "not processed; see the quarantine"
        ),
    }


def reason_texts() -> dict[str, str]:
    """Why a row is undecided and what to do about it, by the reasons' words."""
    return {word: t(*_REASONS[number]) for number, word in enumerate(REASON_WORDS)}


_REASONS = {
    NO_REASON: ("", ""),
    FIELDS_MISSING: (
        "Ruas yang terisi tidak cukup untuk mencari orang ini; lengkapi barisnya.",
        "The fields that are filled in do not suffice to look for this person; complete the row.",
    ),
    SELDOM_FOUND: (
        "Dengan ruas yang terisi terlalu banyak yang serupa, sehingga yang terdaftar pun sering "
        "tidak ditemukan; lengkapi barisnya.",
        "With the fields that are filled in too many are alike, so that registered people too "
        "are often not found; complete the row.",
    ),
    BELOW_PRECISION: (
        "Ada yang cocok, tetapi tidak sepasti yang diminta perjanjian; periksa barisnya.",
        "Somebody fits, and not as surely as the agreement demands; look at the row.",
    ),
    ALONE: (
        "Hanya satu jalur yang cocok, dan jalur itu tidak boleh menjawab sendiri; periksa "
        "ruas lainnya.",
        "One pass alone fits, which may not answer by itself; look at the other fields.",
    ),
    CODES_DIFFER: (
        "Dua jalur menemukan kode yang berlainan; periksa barisnya.",
        "Two passes found different codes; look at the row.",
    ),
    DISPLACED: (
        "Baris lain dalam daftar lebih cocok dengan orang yang sama; periksa keduanya.",
        "Another row of the list fits the same person better; look at both.",
    ),
    BROKEN_LABEL: (
        "Label penyedia untuk baris ini rusak; tanyakan lagi setelah penyedia menerbitkan tabel "
        "baru.",
        "The provider's label for this row is broken; ask again when the provider has published "
        "a new table.",
    ),
    LIST_CLOSED: (
        "Unit menutup daftar ini seluruhnya: terlalu banyak pertanyaan berlainan tentang orang "
        "yang sama. Periksa apakah satu orang muncul berulang dengan ejaan berlainan.",
        "The unit closed the whole list: too many different questions were about the same person. "
        "Look whether one person is in it again and again in other spellings.",
    ),
}

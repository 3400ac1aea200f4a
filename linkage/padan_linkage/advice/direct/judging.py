"""What is said of each key: why it is proposed, or passed over. Figures only, never a value."""

from __future__ import annotations

from padan_linkage.advice.direct.choosing import (
    LEAST_GAIN,
    MOST_ELEMENTS,
    TOLERATED,
    Choosing,
    KeysRate,
    Numbers,
)
from padan_linkage.advice.direct.templates import Candidate
from padan_linkage.advice.remarks import Remark


def proposed(choosing: Choosing, chosen: Numbers, number: int) -> Remark:
    """Why a key is proposed."""
    c = choosing.rehearsal.candidates[number]
    if c.unchecked:
        return _unchecked(choosing, number)
    rest = choosing.rate([n for n in chosen if n != number]).found if len(chosen) > 1 else 0.0
    new = choosing.rate(chosen).found - rest
    own = met(choosing, number)
    opens_id = "membuka bersama satu kunci lemah lain" if c.key.weak else "membuka sendiri"
    opens_en = "opens with one other weak key" if c.key.weak else "opens by itself"
    return Remark(
        f"Memaafkan {c.said.id_text}. Bertemu {own:.1%} orang terdaftar, {new:.1%} hanya "
        f"olehnya; {opens_id}.",
        f"Forgives {c.said.en_text}. Meets {own:.1%} of registered people, {new:.1%} by it alone; "
        f"{opens_en}.",
    )


def passed_over(choosing: Choosing, chosen: Numbers, number: int) -> Remark:
    """Why a key is not proposed."""
    c = choosing.rehearsal.candidates[number]
    if c.unchecked:
        return _said(
            c,
            "tidak ada baris daftar yang hanya memuat nomor itu, dan nomor tebakan akan dijawab",
            "no row of the list holds that number alone, and guessed numbers would be answered",
        )
    together = (*chosen, number)
    if choosing.width(together) > MOST_ELEMENTS:
        return _said(
            c,
            f"satu rekaman akan menanyakan lebih dari {MOST_ELEMENTS} nilai",
            f"a record would ask more than {MOST_ELEMENTS} values",
        )
    if not choosing.twofold(together):
        return _said(
            c,
            "bersama kunci lemah lain hanya membandingkan dua ruas yang sama: siapa pun yang tahu "
            "keduanya akan membaca kodenya",
            "with another weak key it compares the same two fields alone: whoever knows both would "
            "read the code",
        )
    if not choosing.tolerable(together):
        return _intolerable(c, choosing.rate(together))
    gain = choosing.rate(together).found - choosing.rate(chosen).found if chosen else 0.0
    return _said(
        c,
        f"menemukan {max(gain, 0):.2%} orang lagi, kurang dari {LEAST_GAIN:.1%}",
        f"finds {max(gain, 0):.2%} more people, less than {LEAST_GAIN:.1%}",
    )


def met(choosing: Choosing, number: int) -> float:
    """Share of registered people whose own label a key meets."""
    own = choosing.rehearsal.own
    meetings = own.met[number]
    right = own.truth[meetings.record] == meetings.person
    return len(set(meetings.record[right].tolist())) / len(own)


def _intolerable(c: Candidate, rate: KeysRate) -> Remark:
    if rate.swaps > TOLERATED:
        return _said(
            c,
            f"dengan nomor anggota keluarga, {rate.swaps:.2%} baris dijawab untuk orang lain; yang "
            f"ditoleransi {TOLERATED:.1%}",
            f"with a number of the family, {rate.swaps:.2%} of rows would be answered for somebody "
            f"else; tolerated is {TOLERATED:.1%}",
        )
    few_id = "" if rate.seen else ", karena contohnya terlalu kecil untuk memastikan kurang"
    few_en = "" if rate.seen else ", for the sample is too small to be sure of less"
    return _said(
        c,
        f"{rate.strangers:.2%} orang yang tidak terdaftar akan dijawab pada besar registri "
        f"sebenarnya{few_id}; yang ditoleransi {TOLERATED:.1%}",
        f"{rate.strangers:.2%} of strangers would be answered by the whole registry{few_en}; "
        f"tolerated is {TOLERATED:.1%}",
    )


def _unchecked(choosing: Choosing, number: int) -> Remark:
    rows = int(choosing.rehearsal.own.under[:, number].sum()) / len(choosing.rehearsal.own)
    return Remark(
        "TANPA PEMERIKSAAN: nomor tebakan dijawab, sebab tidak ada ruas lain yang dicocokkan. "
        f"Hanya untuk {rows:.1%} baris yang tidak memuat ruas lain; tinggalkan bila dapat.",
        "UNCHECKED: a guessed number is answered, for nothing else is compared. Only for "
        f"{rows:.1%} of rows, which hold nothing else; leave it out where you can.",
    )


def _said(c: Candidate, id_text: str, en_text: str) -> Remark:
    return Remark(f"{c.key.id}: {id_text}.", f"{c.key.id}: {en_text}.")

"""What the quarantine says, for each reason, to a data officer."""

from __future__ import annotations

from collections.abc import Collection

from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_linkage.normalise import MAX_CHARACTERS, Fault
from padan_linkage.schema import Kind, Pass, Schema

#: Reason of a row that no pass can use.
UNMATCHABLE = "no_pass"
#: Reason of a row in which nothing stands.
EMPTY_ROW = "empty_row"


def kind_label(kind: Kind) -> str:
    """What a kind is called in messages."""
    return {
        Kind.NIK: "NIK",
        Kind.KK: t("nomor KK", "a KK number"),
        Kind.NIP: "NIP",
        Kind.NPWP: "NPWP",
        Kind.PASSPORT: t("nomor paspor", "a passport number"),
        Kind.JKN_CARD: t("nomor kartu JKN", "a JKN card number"),
        Kind.BPJSTK_NUMBER: t("nomor KPJ", "a KPJ number"),
        Kind.NIB: "NIB",
        Kind.KBLI: t("kode KBLI", "a KBLI code"),
        Kind.PERSON_NAME: t("nama orang", "a person's name"),
        Kind.COMPANY_NAME: t("nama badan usaha", "a company's name"),
        Kind.DATE: t("tanggal", "a date"),
        Kind.PLACE: t("nama tempat", "a place"),
        Kind.ADDRESS: t("alamat", "an address"),
        Kind.PHONE: t("nomor telepon", "a phone number"),
        Kind.EMAIL: t("alamat surel", "an e-mail address"),
        Kind.SEX: t("jenis kelamin", "a sex"),
        Kind.NATIONALITY: t("kewarganegaraan", "a nationality"),
        Kind.CODE: t("kode", "a code"),
        Kind.TEXT: t("teks", "text"),
    }[kind]


def reason_text(reason: Fault, kind: Kind) -> str:
    """Why a value of ``kind`` was left out, and what to do; never the value."""
    label = kind_label(kind)
    return {
        Fault.OVERSIZED: t(
            f"Terlalu panjang: lebih dari {number(MAX_CHARACTERS)} karakter. Periksa tanda kutip.",
            f"Too long: more than {number(MAX_CHARACTERS)} characters. Check the quotes.",
        ),
        Fault.CONTROL_CHARACTERS: t(
            "Berisi karakter kendali (misalnya NUL). Bersihkan dan kirim ulang.",
            "Contains control characters (such as NUL). Clean it and send it again.",
        ),
        Fault.NOT_DIGITS: t(
            f"Bukan {label}: berisi selain angka.", f"Not {label}: has more than digits."
        ),
        Fault.TOO_SHORT: t(
            f"Bukan {label}: angkanya kurang.", f"Not {label}: digits are missing."
        ),
        Fault.TOO_LONG: t(f"Bukan {label}: angkanya lebih.", f"Not {label}: too many digits."),
        Fault.SPREADSHEET: t(
            "Rusak oleh lembar kerja (dibulatkan). Ambil dari sumbernya sebagai teks.",
            "Damaged by a spreadsheet (rounded). Take it from the source as text.",
        ),
        Fault.FILLER: t(
            "Isian pengganti, bukan nilai sebenarnya.", "A filler, not a real value."
        ),
        Fault.UNKNOWN_PROVINCE: t(
            f"Bukan {label}: kode provinsi tidak ada.", f"Not {label}: no such province code."
        ),
        Fault.IMPOSSIBLE_DATE: t(
            "Tanggal di dalamnya tidak ada di kalender.", "Its date is not in the calendar."
        ),
        Fault.INCOMPLETE_DATE: t(
            "Tanggal tidak lengkap: hari atau bulan 0.", "The date is incomplete: day or month 0."
        ),
        Fault.CHECK_DIGIT: t(
            f"Bukan {label}: angka periksa tidak cocok.", f"Not {label}: the check digit is wrong."
        ),
        Fault.STRUCTURE: t(
            f"Bukan {label}: susunannya tidak sesuai.", f"Not {label}: its form is wrong."
        ),
        Fault.UNREADABLE: t(
            f"Tidak terbaca sebagai {label}.", f"Cannot be read as {label}."
        ),
        Fault.UNKNOWN_VALUE: t(
            f"Nilai tidak dikenal sebagai {label}.", f"Not known as {label}."
        ),
        Fault.PARTLY_READ: t(
            "Hanya terbaca sebagian: ada huruf, angka, tanda, atau jam yang bukan bagian nilainya. "
            "Hanya dipakai untuk kemiripan; tulis nilainya saja.",
            "Read in part only: a letter, digit, sign or time is no part of the value. Used for "
            "similarity alone; write the value alone.",
        ),
        Fault.TWO_READINGS: t(
            f"Dapat dibaca dengan dua cara sebagai {label}; tidak ditebak. Tulis lengkap dan baku.",
            f"Can be read in two ways as {label}; not guessed. Write it in full, in standard form.",
        ),
        Fault.SEVERAL_VALUES: t(
            "Berisi beberapa nilai; yang pertama hanya dipakai untuk kemiripan. Pilih salah satu.",
            "Has several values; the first is used for similarity alone. Choose one.",
        ),
    }[reason]  # fmt: skip


def empty_row_text() -> str:
    """Why a row in which nothing stands cannot be matched."""
    return t("Baris kosong: tidak ada isinya.", "An empty row: nothing stands in it.")


def no_pass_text(schema: Schema) -> str:
    """Why a row cannot be matched at all: which sets of fields would do."""
    ways = "; ".join(" + ".join(p.named) for p in schema.passes if not _asks_more(schema, p))
    return t(
        f"Baris tidak dapat dipadankan: isi dengan benar salah satu dari: {ways}.",
        f"The row cannot be matched: fill in correctly one of: {ways}.",
    )


def _asks_more(schema: Schema, p: Pass) -> bool:
    """Whether another pass asks for some of its fields alone, or an earlier one for the same."""
    mine, earlier = {*p.named}, True
    for other in schema.passes:
        earlier &= other is not p
        fewer = {*other.named} < mine or ({*other.named} == mine and earlier)
        if fewer and {*other.without} <= {*p.without}:
            return True
    return False


def answered_text(schema: Schema, given: Collection[str]) -> str:
    """What a list with just the fields ``given`` is answered by, and what it may be told."""
    ways = {
        " + ".join(p.named): None
        for p in schema.passes
        if {*p.named} <= {*given} and {*given}.isdisjoint(p.without) and _compares(p, given)
    }
    if not ways:
        return t(
            "Tanpa ruas itu tidak satu baris pun dapat dicari.",
            "Without these fields not one row can be looked for.",
        )
    looked = "; ".join(ways)
    return t(
        f"Tanpa ruas itu baris dicari menurut {looked} saja. Yang tidak ada dijawab «tidak "
        "ditemukan» hanya bila penyedia menjaminnya untuk ruas itu, selain itu «belum dapat "
        "dipastikan».",
        f"Without these fields rows are looked for by {looked} alone. Who is not there is called "
        "«not found» only where the provider vouches for it with these fields, and else undecided.",
    )


def _compares(p: Pass, given: Collection[str]) -> bool:
    """Whether something that the pass compares, if it compares anything, is given."""
    return not p.similar or any(name in given for s in p.similar for name in s.fields)

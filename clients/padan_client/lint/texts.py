"""What findings are called, what to do about them, and how often they are usual."""

from __future__ import annotations

from enum import StrEnum

from padan_client.base.language import t
from padan_client.lint.signs import Sign
from padan_client.records.messages import kind_label, reason_text
from padan_linkage.normalise import Fault
from padan_linkage.schema import Kind

#: Severities: the value cannot be used; a person should look; only worth knowing.
REJECTED, CHECK, NOTE = "ditolak", "periksa", "catatan"
EMPTY = "empty"
#: A share of this many times the usual one is far above it.
_FAR = 3.0

#: Shares measured in real Indonesian files (national audits and two registers of the same people):
#: invalid NIKs 10.9 of 97 million; repeated NIKs up to 1 %; birth dates that differ from another
#: register 6.0 %, missing 4.8 %; 31 December and 1 January together; names of one word.
EXPECTED: dict[tuple[Kind | None, str], float] = {
    (Kind.NIK, "invalid"): 0.112,
    (Kind.NIK, Sign.REPEATED): 0.01,
    (Kind.NIK, Sign.LAST_DIGIT_ZERO): 0.1,
    (Kind.KK, Sign.LAST_DIGIT_ZERO): 0.1,
    (Kind.DATE, EMPTY): 0.048,
    (None, Sign.NIK_DATE_OTHER): 0.01,
    (None, Sign.NIK_DATE_ONE_PART): 0.05,
    (None, Sign.NIK_DATE_SWAPPED): 0.002,
    (None, Sign.DEFAULT_DAY): 0.025,
    (None, Sign.ONE_WORD): 0.305,
    (None, Sign.DAY_OR_MONTH): 0.39,
}

_CHECKED = frozenset({
    Sign.NIK_DATE_SWAPPED, Sign.NIK_DATE_ONE_PART, Sign.NIK_DATE_OTHER, Sign.NIK_SEX, Sign.NIP_DATE,
    Sign.NIP_SEX, Sign.REPEATED, Sign.SAME_PERSON, Sign.MONTH_FIRST, Sign.FUTURE, Sign.VERY_OLD,
    Sign.DAMAGED_TEXT,
})  # fmt: skip


class Verdict(StrEnum):
    """A share beside the usual one."""

    USUAL = "wajar"
    ABOVE = "di atas wajar"
    FAR_ABOVE = "jauh di atas wajar"
    UNKNOWN = "–"

    @classmethod
    def of(cls, share: float, expected: float | None) -> Verdict:
        """Compare; UNKNOWN where nothing was measured."""
        if expected is None:
            return cls.UNKNOWN
        if share <= expected:
            return cls.USUAL
        return cls.ABOVE if share <= _FAR * expected else cls.FAR_ABOVE


def severity(code: str) -> str:
    """How grave a finding is for its value."""
    if code in set(Fault) or code in {Sign.RAGGED, Sign.EMPTY_ROW, "invalid"}:
        return REJECTED
    return CHECK if code in _CHECKED else NOTE


def problem_text(code: str, kind: Kind) -> str:
    """What a finding says."""
    if code in set(Fault):
        return reason_text(Fault(code), kind)
    if code == EMPTY:
        return t("Kosong.", "Empty.")
    if code == "invalid":
        label = kind_label(kind)
        return t(f"Seluruh {label} yang tidak sah.", f"All that is not {label}.")
    return t(*_SIGN_TEXTS[Sign(code)])


def advice_text(code: str) -> str:
    """What the data officer can do."""
    known = _REASON_ADVICE.get(code) or _SIGN_ADVICE.get(code)
    return t(*known) if known else ""


_NIK_STAYS = (
    "NIK tidak diubah bila tanggal lahir dibetulkan, jadi ini bisa sah. Lihat KK; jangan ubah NIK.",
    "A NIK stays when a birth date is corrected, so this may be right. See the KK; keep the NIK.",
)
_SIGN_TEXTS: dict[Sign, tuple[str, str]] = {
    Sign.RAGGED: ("Jumlah kolom baris berbeda dari judul.", "The row differs from the header."),
    Sign.EMPTY_ROW: ("Baris kosong.", "An empty row."),
    Sign.NO_COLUMN: ("Kolom tidak ada di berkas.", "The file has no such column."),
    Sign.DEFAULT_DAY: (
        "1 Januari atau 31 Desember: sering diisikan bila tidak diketahui; bukti lemah.",
        "1 January or 31 December: often filled in for unknown; weak evidence.",
    ),
    Sign.MONTH_FIRST: (
        "Hanya terbaca sebagai bulan/hari/tahun: susunan tanggal kolom ini mungkin terbalik.",
        "Readable only as month/day/year: the column may have the American order.",
    ),
    Sign.DAY_OR_MONTH: (
        "Hari dan bulan sama-sama ≤ 12: dibaca hari/bulan.",
        "Day and month are both ≤ 12: read as day/month.",
    ),
    Sign.TWO_DIGIT_YEAR: (
        "Tahun dua angka: 30–99 dibaca 19xx, 00–09 dibaca 20xx; 10–29 tidak ditebak.",
        "A year of two digits: 30–99 are 19xx, 00–09 are 20xx; 10–29 are not guessed.",
    ),
    Sign.SERIAL_DATE: ("Nomor hari lembar kerja.", "A spreadsheet's day number."),
    Sign.FUTURE: ("Tanggal lahir di masa depan.", "A birth date in the future."),
    Sign.VERY_OLD: ("Umur lebih dari 115 tahun.", "Older than 115 years."),
    Sign.LAST_DIGIT_ZERO: (
        "Berakhir dengan 0. Wajar 10 %; bila jauh lebih banyak, lembar kerja telah membulatkannya.",
        "Ends in 0. 10 % do; where far more do, a spreadsheet has rounded them.",
    ),
    Sign.ONE_WORD: ("Nama satu kata.", "A name of one word."),
    Sign.DAMAGED_TEXT: (
        "Huruf rusak oleh salah baca pengodean (misalnya Ã, &#39;).",
        "Letters damaged by a wrong encoding (such as Ã, &#39;).",
    ),
    Sign.CUT_OFF: (
        "Panjangnya tepat batas kolom: mungkin terpotong.",
        "Exactly as long as the column allows: perhaps cut off.",
    ),
    Sign.NIK_DATE_SWAPPED: (
        "Hari dan bulan di NIK tertukar dengan tanggal lahir.",
        "Day and month in the NIK are exchanged against the birth date.",
    ),
    Sign.NIK_DATE_ONE_PART: (
        "Tanggal lahir di NIK berbeda satu bagian (hari, bulan, atau tahun).",
        "The NIK's birth date differs in one part (day, month or year).",
    ),
    Sign.NIK_DATE_OTHER: (
        "Tanggal lahir di NIK lain sama sekali: mungkin NIK orang lain (misalnya sekeluarga).",
        "The NIK's birth date is another: perhaps somebody else's NIK (of the household, say).",
    ),
    Sign.NIK_SEX: (
        "Jenis kelamin di NIK (hari + 40 = perempuan) berbeda dari kolomnya.",
        "The sex in the NIK (day + 40 = a woman) differs from the column.",
    ),
    Sign.NIP_DATE: (
        "Tanggal lahir di NIP berbeda dari kolomnya.", "The NIP's birth date differs.",
    ),
    Sign.NIP_SEX: ("Jenis kelamin di NIP berbeda dari kolomnya.", "The NIP's sex differs."),
    Sign.REPEATED: ("Nilai yang sama di beberapa baris.", "The same value in several rows."),
    Sign.SAME_PERSON: (
        "Nama dan tanggal lahir sama di beberapa baris.",
        "The same name and birth date in several rows.",
    ),
}  # fmt: skip

_REASON_ADVICE: dict[str, tuple[str, str]] = {
    Fault.OVERSIZED: ("Periksa tanda kutip di sekitar baris ini.", "Check the quotes around it."),
    Fault.CONTROL_CHARACTERS: ("Ekspor ulang sebagai CSV UTF-8.", "Export again as CSV UTF-8."),
    Fault.NOT_DIGITS: ("Betulkan dari dokumen sumber.", "Correct it from the source."),
    Fault.TOO_SHORT: (
        "Ada angka yang hilang; lihat dokumen sumber.", "Digits are lost; see the source document.",
    ),
    Fault.TOO_LONG: (
        "Ada angka berlebih; lihat dokumen sumber.", "Too many digits; see the source document.",
    ),
    Fault.SPREADSHEET: (
        "Ekspor ulang dari sumbernya dengan kolom ini sebagai teks; angkanya sudah hilang di sini.",
        "Export again from the source with this column as text; the digits are lost here.",
    ),
    Fault.FILLER: ("Kosongkan, atau isi dengan nilai yang benar.", "Empty it, or find the value."),
    Fault.UNKNOWN_PROVINCE: ("Bandingkan dengan KTP atau KK.", "Compare with the KTP or KK."),
    Fault.IMPOSSIBLE_DATE: ("Bandingkan dengan akta atau KK.", "Compare with the certificate."),
    Fault.INCOMPLETE_DATE: ("Lengkapi dari akta atau KK.", "Complete it from the certificate."),
    Fault.CHECK_DIGIT: ("Satu angka salah ketik; lihat kartunya.", "A digit is mistyped."),
    Fault.STRUCTURE: ("Bandingkan dengan kartunya.", "Compare with the card."),
    Fault.UNREADABLE: ("Tulis ulang dengan huruf Latin.", "Write it in Latin letters."),
    Fault.UNKNOWN_VALUE: ("Pakai salah satu nilai baku.", "Use one of the standard values."),
    Fault.PARTLY_READ: ("Tulis nilainya saja, tanpa tambahan.", "Write the value alone."),
    Fault.TWO_READINGS: (
        "Tulis baku dan lengkap; tanggal sebagai TTTT-BB-HH.",
        "Write it in full, in standard form; dates as YYYY-MM-DD.",
    ),
    Fault.SEVERAL_VALUES: ("Isi satu nilai saja.", "Leave one value."),
}  # fmt: skip
_SIGN_ADVICE: dict[str, tuple[str, str]] = {
    Sign.RAGGED: ("Periksa pemisah dan tanda kutip.", "Check separators and quotes."),
    Sign.EMPTY_ROW: ("Hapus, atau isi.", "Remove it, or fill it in."),
    Sign.MONTH_FIRST: (
        "Ekspor ulang sebagai TTTT-BB-HH.", "Export again as YYYY-MM-DD.",
    ),
    Sign.TWO_DIGIT_YEAR: ("Ekspor ulang dengan tahun empat angka.", "Export with four digits."),
    Sign.SERIAL_DATE: ("Ekspor ulang sebagai TTTT-BB-HH.", "Export again as YYYY-MM-DD."),
    Sign.FUTURE: ("Bandingkan dengan akta atau KK.", "Compare with the certificate."),
    Sign.VERY_OLD: ("Bandingkan dengan akta atau KK.", "Compare with the certificate."),
    Sign.LAST_DIGIT_ZERO: (
        "Bila jauh di atas 10 %: ekspor ulang sebagai teks.",
        "If far above 10 %: export again as text.",
    ),
    Sign.DAMAGED_TEXT: ("Ekspor ulang sebagai CSV UTF-8.", "Export again as CSV UTF-8."),
    Sign.CUT_OFF: ("Ambil dari sumber yang tidak memotong.", "Take it from where it is whole."),
    Sign.NIK_DATE_SWAPPED: _NIK_STAYS,
    Sign.NIK_DATE_ONE_PART: _NIK_STAYS,
    Sign.NIK_DATE_OTHER: (
        "Periksa apakah NIK ini milik anggota keluarga lain.",
        "See whether this NIK is another member's of the household.",
    ),
    Sign.NIK_SEX: (
        "Periksa kolom jenis kelamin, lalu pemilik NIK.", "Check the sex, then whose NIK it is.",
    ),
    Sign.NIP_DATE: ("Bandingkan dengan SK pengangkatan.", "Compare with the appointment."),
    Sign.NIP_SEX: ("Bandingkan dengan SK pengangkatan.", "Compare with the appointment."),
    Sign.REPEATED: (
        "Buang kembaran, atau cari pemilik yang benar.", "Remove copies, or find the right owner.",
    ),
    Sign.SAME_PERSON: (
        "Bila satu orang: gabungkan; bila kembar atau senama: biarkan.",
        "One person: merge. Twins or namesakes: leave.",
    ),
}  # fmt: skip

"""What may come of a record, and how result files word it.

The only home of these numbers and words: nothing else defines them.
"""

from __future__ import annotations

#: Outcomes of a record in a pass or over all passes, uint8; as on the wire (``padan.v1.Outcome``).
#: UNDECIDED: neither a code nor «not found» can be vouched for.
NOT_MATCHED, MATCHED, AMBIGUOUS, UNDECIDED = 1, 2, 3, 4
#: Of a row in which nothing stands, in result files alone; on the wire it is no outcome.
QUARANTINED = 0
#: The words of the outcomes, by number.
OUTCOME_WORDS = ("karantina", "tidak_ditemukan", "ditemukan", "ganda", "belum_dapat_dipastikan")

#: Why a record is undecided, uint8: no pass can use the fields that it has; with these fields
#: registered people are not found often enough; somebody fits, and not as surely as demanded; a
#: pass fits that may not answer alone; two passes fit with different codes; another record of the
#: list has the better claim, in a flow that the agreement calls one-to-one; in direct mode, the
#: provider's label for the record is broken; in unit mode, the list was closed.
NO_REASON, FIELDS_MISSING, SELDOM_FOUND, BELOW_PRECISION, ALONE, CODES_DIFFER, DISPLACED = range(7)
BROKEN_LABEL, LIST_CLOSED = 7, 8
#: The stable words of the reasons, by number.
REASON_WORDS = (
    "",
    "ruas_kurang",
    "terlalu_banyak_senama",
    "di_bawah_presisi",
    "jalur_tunggal",
    "kode_berselisih",
    "satu_baris_satu_orang",
    "label_rusak",
    "daftar_ditutup",
)

#: Reasons that say of nobody that he fits: these fields do not find people often enough, or no
#: answer was given.
UNSOUGHT = (FIELDS_MISSING, SELDOM_FOUND, LIST_CLOSED)

#: What came of a confirmed field, uint8, and the words of it.
UNCHECKED, SAME, DIFFERENT, EMPTY = range(4)
CHECK_WORDS = ("TIDAK DIPERIKSA", "SESUAI", "BERBEDA", "KOSONG")

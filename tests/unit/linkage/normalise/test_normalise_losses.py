"""What a value says is kept, or its loss is told and nothing equals it. Spec 12, "Losses"."""

import datetime as dt
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from padan_linkage.direct.derived.values import derived_values
from padan_linkage.normalise import DOUBTS, Fault, derive, normalise, similar_values, sound_values
from padan_linkage.normalise.latin import mended
from padan_linkage.schema import DERIVATIONS, Kind

#: One good value of each kind.
GOOD = {
    Kind.NIK: "3171011708450001", Kind.KK: "3171010203100005", Kind.NIP: "198011232005011003",
    Kind.NPWP: "01.312.166.0-091.000", Kind.JKN_CARD: "0001234567890", Kind.NIB: "8120001234567",
    Kind.KBLI: "62010", Kind.PASSPORT: "C7301947", Kind.BPJSTK_NUMBER: "04J80123456",
    Kind.PERSON_NAME: "Budi Santoso", Kind.COMPANY_NAME: "PT Maju Jaya", Kind.PLACE: "Bandung",
    Kind.ADDRESS: "Jl. Merdeka No. 12 RT 001/002", Kind.DATE: "23-11-1980",
    Kind.PHONE: "0812-3456-7890", Kind.EMAIL: "budi@contoh.id", Kind.SEX: "P",
    Kind.NATIONALITY: "Jepang", Kind.CODE: "786-77-6454", Kind.TEXT: "Islam Kristen",
}  # fmt: skip
#: Kinds in which a dash before a word is no sign.
_OF_WORDS = {
    Kind.PERSON_NAME, Kind.COMPANY_NAME, Kind.PLACE, Kind.ADDRESS, Kind.NATIONALITY,
}  # fmt: skip
#: Letters, digits and signs that no spelling of a good value has; what hides a letter.
TELLING = st.one_of(
    st.sampled_from("123456789٣३７²½"),
    st.sampled_from("李اдИßЖ\ufffd*?…•■±≤"),
    st.sampled_from([" wkwk", " Qorxz ", "(zulpaq)", " #99"]),
)


def sound(kind, value):
    result = normalise(kind, pa.array([value]))
    return sound_values(result.values)[0].as_py(), [p.reason for p in result.problems]


@pytest.mark.parametrize("kind", list(Kind))
@settings(max_examples=40)
@given(data=st.data())
def test_nothing_that_says_something_falls_away_unseen(kind, data):
    good = GOOD[kind]
    at, more = data.draw(st.integers(0, len(good))), data.draw(TELLING)
    form, reasons = sound(kind, good[:at] + more + good[at:])
    assert form != sound(kind, good)[0]
    assert bool(form) != bool(reasons)


@pytest.mark.parametrize("kind", list(Kind))
@given(sign=st.sampled_from(["-", "+", "−", "<", "±"]))
def test_a_sign_before_a_value_is_told(kind, sign):
    form, reasons = sound(kind, sign + GOOD[kind])
    silent = (kind in _OF_WORDS and sign in "-−") or (kind is Kind.EMAIL and sign == "<")
    assert silent or form != sound(kind, GOOD[kind])[0]
    assert bool(form) != bool(reasons)


@example("Å²", Kind.CODE)
@given(st.text(st.sampled_from("aZ019 -/_'İßéÅ１٣७李Д½²Ⅳ?*+−–\u200b"), max_size=12),
       st.sampled_from([Kind.CODE, Kind.TEXT]))  # fmt: skip
def test_a_code_that_is_believed_has_every_letter_and_digit(value, kind):
    form, _ = sound(kind, value)
    # «Å²» is how «Ų» looks where UTF-8 was read as Latin-1: it is mended, and says one letter.
    plain = unicodedata.normalize("NFKD", mended(value).replace("ß", "ss"))
    said = [c for c in plain if unicodedata.category(c)[0] in "LN"]
    assert not form or len(form.replace(" ", "")) == len(said)


@pytest.mark.parametrize("kind", list(Kind))
@settings(max_examples=30)
@given(value=st.text(max_size=20))
def test_what_is_told_feeds_no_key(kind, value):
    result = normalise(kind, pa.array([value]))
    if not result.problems:
        return
    for derivation in ("", *DERIVATIONS.get(kind, ())):
        if derivation == "area":  # made for damaged numbers
            continue
        assert derived_values(kind, derivation, result.values).to_pylist() == [()]
        if derivation:
            assert derive(kind, derivation, result.values).to_pylist() == [""]


def test_a_doubtful_value_counts_for_similarity_as_what_was_read():
    result = normalise(Kind.PERSON_NAME, pa.array(["Budi Santoso alias Bejo", "Budi Santoso"]))
    assert similar_values(result.values).to_pylist() == ["budi santoso", "budi santoso"]
    assert [p.reason for p in result.problems] == [Fault.PARTLY_READ]
    assert {p.reason for p in result.problems} <= DOUBTS


OFFSETS = {
    None: ("", " "), 0: ("Z", "+00:00", " GMT"), 420: ("+07:00", "+07", " GMT+0700", " WIB"),
    450: ("+07:30",), 540: ("+0900", " WIT"), 600: ("+10:00",), -300: ("-05:00", " -0500"),
}  # fmt: skip
LAYOUTS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.000", "%d %b %Y %H:%M", "%a %b %d %Y %H:%M:%S",
           "%d-%b-%y %I.%M.%S.000000 %p"]  # fmt: skip


@given(
    st.dates(dt.date(1931, 1, 2), dt.date(1999, 12, 30)),
    st.sampled_from([0, 1, 419, 420, 899, 960, 1020, 1439]),
    st.sampled_from(list(OFFSETS)),
    st.sampled_from(LAYOUTS),
    st.data(),
)
def test_a_time_of_day_goes_only_where_it_is_midnight_of_one_day(day, minute, offset, layout, data):
    assume(day != dt.date(1970, 1, 1))
    moment = dt.datetime.combine(day, dt.time(minute // 60, minute % 60))
    zone = data.draw(st.sampled_from(OFFSETS[offset]))
    if zone == "Z" and layout.endswith("%p"):
        zone = " Z"  # no program writes «AMZ»
    form, reasons = sound(Kind.DATE, (moment.strftime(layout) + zone).strip())
    east = offset or 0
    abroad = offset is not None and not 420 <= offset <= 570
    days = {(moment + dt.timedelta(minutes=m - east)).date() for m in (420, 540)}
    if minute == 0 and (not abroad or days == {day}):
        assert (form, reasons) == (day.isoformat(), [])
    else:
        assert form == ""
        assert len(reasons) == 1


@pytest.mark.parametrize(
    ("kind", "written", "reason"),
    [
        (Kind.DATE, "1979-12-31T17:00:00Z", "two_readings"),  # 1 January in Jakarta
        (Kind.DATE, "Mon, 31 Dec 1979 17:00:00 GMT", "two_readings"),
        (Kind.DATE, "1979-12-31 17:00:00", "two_readings"),  # of a database in UTC, perhaps
        (Kind.DATE, "1980-01-01 14:30", "partly_read"),
        (Kind.DATE, "29548.5", "partly_read"),
        (Kind.DATE, "3/7/1980 12:00:00 AM", "two_readings"),  # American, where AM is written
        (Kind.DATE, "31/12/29", "two_readings"),  # 1929 or 2029
        (Kind.DATE, "01-02-03", "two_readings"),
        (Kind.DATE, "12/5 Mei 1980", "unreadable"),
        (Kind.DATE, "10 marga 1980", "unreadable"),
        (Kind.DATE, "sekitar 17-08-1945", "partly_read"),
        (Kind.DATE, "1970-01-01T07:00:00+07:00", "filler"),  # the epoch's zero
        (Kind.DATE, "315532800", "unreadable"),
        (Kind.DATE, "1980-01-01 BC", "unreadable"),
        (Kind.NIK, "9171011708450002.0", "spreadsheet"),  # beyond what a double tells apart
        (Kind.NIK, "3.17101170845123E+15", "spreadsheet"),  # the last digit is not there
        (Kind.NIK, "317101170845000.1", "two_readings"),
        (Kind.JKN_CARD, "0234567892", "too_short"),  # a zero is left: other digits are lost
        (Kind.JKN_CARD, "1234567/89", "too_short"),
        (Kind.KBLI, "A62010", "structure"),  # 62 is in section J
        (Kind.PHONE, "0812-3456-7890/91", "several_values"),
        (Kind.PHONE, "0812345678901 ext 12", "partly_read"),
        (Kind.PHONE, "213456789", "two_readings"),
        (Kind.PHONE, "0081234567890", "two_readings"),
        (Kind.EMAIL, "budi@contoh.id (kantor)", "partly_read"),
        (Kind.PASSPORT, "1.234567E+8", "spreadsheet"),
        (Kind.CODE, "A+", "partly_read"),
        (Kind.CODE, "12.0", "two_readings"),
        (Kind.TEXT, "O-", "partly_read"),
        (Kind.PLACE, "Bandung, Surabaya", "two_readings"),
        (Kind.PLACE, "Jakarta 2", "partly_read"),
        (Kind.ADDRESS, "Jl. Mawar RT/RW 12", "two_readings"),
        (Kind.COMPANY_NAME, "PT Maju Jaya CV", "two_readings"),
        (Kind.NATIONALITY, "AS", "two_readings"),  # American Samoa's code, the USA's name
        (Kind.NATIONALITY, "WNA Indonesia", "two_readings"),
        (Kind.PERSON_NAME, "Budi (Santoso", "partly_read"),
        (Kind.PERSON_NAME, "Budi Santo...", "partly_read"),
        (Kind.PERSON_NAME, "B*** S******", "partly_read"),
        (Kind.PERSON_NAME, "Mu?ammad Ali", "partly_read"),
        (Kind.PERSON_NAME, "Budi 李", "partly_read"),
        (Kind.PERSON_NAME, "Budi & Ani", "partly_read"),
        (Kind.PERSON_NAME, "Budi Santoso, QRS", "partly_read"),
        (Kind.PERSON_NAME, "Drs. H.", "partly_read"),
        *((Kind.PERSON_NAME, f"Budi Santoso {other}", "partly_read")
          for other in ("alias Bejo", "als. Bejo", "al. Bejo", "a.k.a. Bejo", "@ Bejo", "(Bejo)",
                        "d/h Tan Kim Bie", "/ Bejo", "2")),
    ],
)  # fmt: skip
def test_what_is_lost_or_has_two_readings_is_told(form, kind, written, reason):
    assert form(kind, written) == reason


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        (Kind.NIK, "NIK: 3171011708450001", "3171011708450001"),
        (Kind.NIK, "3171011708450001 (KTP)", "3171011708450001"),
        (Kind.NIK, "٣١٧١٠١١٧٠٨٤٥٠٠٠١", "3171011708450001"),
        (Kind.NIK, "३१७१०११७०८४५०००१", "3171011708450001"),
        (Kind.NIK, "3171–0117—0845\u20110001\u200b", "3171011708450001"),
        (Kind.NPWP, "NPWP 01.312.166.0-091.000", "0013121660091000"),
        (Kind.KBLI, "O84111", "84111"),
        (Kind.DATE, "١٩٨٠-٠١-٠٢", "1980-01-02"),
        (Kind.DATE, "1−2−1980", "1980-02-01"),
        (Kind.DATE, "\ufeff1980-01-02", "1980-01-02"),
        (Kind.DATE, "Tue Jan 01 00:00:00 WIB 1980", "1980-01-01"),
        (Kind.DATE, "Jan  1 1980 12:00AM", "1980-01-01"),
        (Kind.PHONE, "HP. 0812-3456-7890 (WA)", "6281234567890"),
        (Kind.PASSPORT, "Paspor: C7301947", "C7301947"),
        (Kind.PLACE, "Solo (Surakarta)", "surakarta"),
        (Kind.PERSON_NAME, "Ma´ruf", "maruf"),
        (Kind.PERSON_NAME, "—", ""),
        (Kind.PERSON_NAME, "dr. Budi Santoso, Sp.JP(K)", "budi santoso"),
    ],
)
def test_what_says_no_more_goes_in_silence(form, kind, written, expected):
    assert form(kind, written) == expected


LABELS = ["RT {a} RW {b}", "RT/RW {a}/{b}", "RT/RW: {a}/{b}", "RT-RW {a}-{b}", "RT.RW {a}.{b}",
          "RT / RW {a} / {b}", "RT {a}/RW {b}", "RT.{a}/{b}", "Rt{a}Rw{b}", "RW/RT {b}/{a}",
          "R.T. {a} / R.W. {b}", "RTRW {a}{b}", "RT/RW {a} {b}", "RW {b} RT {a}",
          "RT {a} - RW {b}"]  # fmt: skip


@given(st.integers(1, 99), st.integers(1, 99), st.sampled_from(LABELS), st.sampled_from([2, 3]))
def test_two_labels_before_two_numbers_are_one_each(rt, rw, layout, width):
    written = layout.format(a=f"{rt:0{width}d}", b=f"{rw:0{width}d}")
    form, reasons = sound(Kind.ADDRESS, f"Jl. Mawar No. 12 {written} Kel. Gambir")
    assert (form, reasons) == (f"mawar 12 rt{rt} rw{rw} gambir", [])


@pytest.mark.parametrize(
    ("pair", "apart"),
    [("Blok/No A/12", "Blok A No 12"), ("Kec/Kab Gambir/Jakarta", "Kec. Gambir Kab. Jakarta"),
     ("Lt/Unit 3-12", "Lt. 3 Unit 12"), ("RT & RW 1 & 2", "RT 1 RW 2")],
)  # fmt: skip
def test_other_labels_in_pairs(form, pair, apart):
    assert form(Kind.ADDRESS, pair) == form(Kind.ADDRESS, apart)

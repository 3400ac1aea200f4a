import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.normalise import normalise
from padan_linkage.normalise.dates import parse_date
from padan_linkage.schema import Kind

FORMS = [
    "{d:%Y-%m-%d}",
    "{d:%d-%m-%Y}",
    "{d:%d/%m/%Y}",
    "{d.day}.{d.month}.{d.year}",
    "{d:%Y%m%d}",
    "{d:%Y-%m-%d} 00:00:00",
    "{d:%Y-%m-%dT%H:%M:%S}",
    "{d.day} {month} {d.year}",
    "{d:%d}-{short}-{d.year}",
    "Jakarta, {d.day} {month} {d.year}",
    "{d:%B} {d.day}, {d.year}",
]
MONTHS = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
]
SHORT = ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agt", "Sep", "Okt", "Nop", "Des"]


@given(
    st.dates(dt.date(1930, 1, 2), dt.date(2029, 12, 31)),
    st.sampled_from(FORMS),
)
def test_every_day_in_every_form(day, layout):
    written = layout.format(
        d=dt.datetime.combine(day, dt.time()),
        month=MONTHS[day.month - 1],
        short=SHORT[day.month - 1],
    )
    result = normalise(Kind.DATE, pa.array([written]))
    assert result.values.to_pylist() == [day.isoformat()]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("23 November 1980", "1980-11-23"),
        ("07/09/81", "1981-09-07"),
        ("1 Feb 1964", "1964-02-01"),
        ("13-07-1975", "1975-07-13"),
        ("1-Peb-99", "1999-02-01"),
        ("5/3/01", "2001-03-05"),
        ("23Nov1980", "1980-11-23"),
        ("Senin, 1 Djuni 1950", "1950-06-01"),
        ("23111980", "1980-11-23"),
        ("29548", "1980-11-23"),  # a spreadsheet's day number
        ("07/13/1975", "1975-07-13"),  # month first, as nothing else exists
        ("29-02-2000", "2000-02-29"),
        ("Jakarta, 17-08-1945", "1945-08-17"),  # place and date in one column
        ("BANDUNG / 5 Maret 1970", "1970-03-05"),
        ("Kab. Bandung, 17/8/45", "1945-08-17"),
        ("5 Septembr 1970", "1970-09-05"),  # a slip behind the first letters
        ("11/23/1980 12:00:00 AM", "1980-11-23"),
        ("1980-11-23T00:00:00.000Z", "1980-11-23"),
        ("31/12/09", "2009-12-31"),  # nobody lives who was born in 1909
        ("01/01/30", "1930-01-01"),
    ],
)
def test_forms_of_indonesian_files(form, written, expected):
    assert form(Kind.DATE, written) == expected


def test_a_column_is_read_as_each_date_alone():
    written = ["23-11-1980", "1980/11/23", "3.7.1980", "23 11 1980", "23-11/1980", "31-02-1990",
               "07/13/1975", "23 November 1980", "", "01-01-1900", "1980-7-3", "x", "1-1-80",
               "123-1-1980", "1980-11-2300", "29-02-2000", "29-02-1900"]  # fmt: skip
    together = normalise(Kind.DATE, pa.array(written))
    alone = [normalise(Kind.DATE, pa.array([w])) for w in written]
    assert together.values.to_pylist() == [one.values[0].as_py() for one in alone]
    problems = {n: one.problems[0].reason for n, one in enumerate(alone) if one.problems}
    assert {p.row: p.reason for p in together.problems} == problems
    assert [parse_date(w) for w in written] == [
        problems.get(n, together.values[n].as_py()) for n in range(len(written))
    ]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("31-02-1990", "impossible_date"),
        ("1990-13-01", "impossible_date"),
        ("29/02/2001", "impossible_date"),
        ("29/02/1900", "impossible_date"),
        ("1790-01-01", "impossible_date"),
        ("00-00-1964", "incomplete_date"),
        ("0000-00-00", "filler"),
        ("1900-01-01", "filler"),
        ("12 Rabiul 1980", "unreadable"),
        ("1980", "incomplete_date"),
        ("Tahun 1980", "incomplete_date"),
        ("11-1980", "incomplete_date"),
        ("Mei", "unreadable"),
        ("kemarin", "unreadable"),
    ],
)
def test_what_is_no_date(form, written, reason):
    assert form(Kind.DATE, written) == reason

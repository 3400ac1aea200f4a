"""Dates: the first and last moment in force, replacement, and what falls due."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.agreement import (
    EXAMPLE_IDS,
    AgreementState,
    agreement_digest,
    due_dates,
    example,
    load_agreement,
    load_directory,
    signature_name,
    signature_text,
    standing_of,
    term,
)
from padan_linkage.agreement.standing import add_months, last_day

TODAY = datetime(2026, 11, 20, 3, tzinfo=UTC)


def wib(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+07:00")


@pytest.mark.parametrize(
    ("agreement_id", "first", "last_moment", "article"),
    [
        ("kemnaker-bkn-2024", "2024-08-15", "2027-08-14T23:59:59", "Pasal 6 ayat (1)"),
        ("bpjstk-imigrasi-2023", "2023-06-19", "2027-01-16T23:59:59", "Pasal 11 ayat (3)"),
        ("kemnaker-bpjskes-2020", "2020-11-03", "2023-11-02T23:59:59", "Pasal 8 ayat (1)"),
        ("kemenkopmk-kemnaker-2023", "2023-02-28", "2025-02-27T23:59:59", "Pasal 8 ayat (1)"),
        ("bpjskes-bkn-2016", "2016-10-10", "2021-10-09T23:59:59", "Pasal 7 ayat (1)"),
    ],
)
def test_in_force_from_jakarta_midnight_to_midnight(agreement_id, first, last_moment, article):
    agreement = load_agreement(example(agreement_id))
    start, end = wib(f"{first}T00:00:00"), wib(last_moment)
    tick = timedelta(seconds=1)
    assert standing_of(agreement, start - tick).state is AgreementState.PENDING
    assert standing_of(agreement, start).state is AgreementState.IN_FORCE
    assert standing_of(agreement, end).state is AgreementState.IN_FORCE
    over = standing_of(agreement, end + tick)
    assert (over.state, over.article) == (AgreementState.EXPIRED, article)


def test_two_of_the_five_are_in_force_today():
    states = {i: standing_of(load_agreement(example(i)), TODAY).state for i in EXAMPLE_IDS}
    assert {i for i, s in states.items() if s is AgreementState.IN_FORCE} == {
        "kemnaker-bkn-2024",
        "bpjstk-imigrasi-2023",
    }


def test_the_last_evening_in_utc_is_already_over_in_jakarta():
    agreement = load_agreement(example("bpjstk-imigrasi-2023"))
    assert standing_of(agreement, datetime(2027, 1, 16, 16, 59, 59, tzinfo=UTC)).state == "in_force"
    assert standing_of(agreement, datetime(2027, 1, 16, 17, 0, tzinfo=UTC)).state == "expired"


def test_a_moment_without_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        standing_of(load_agreement(example("kemnaker-bkn-2024")), datetime(2026, 1, 1))  # noqa: DTZ001


def test_suspension_names_force_majeure_and_yields_to_expiry():
    agreement = load_agreement(example("kemnaker-bkn-2024"))
    suspended = standing_of(agreement, TODAY, ["bkn"])
    assert (suspended.state, suspended.article) == ("suspended", "Pasal 10 ayat (3)")
    assert standing_of(agreement, wib("2027-08-15T00:00:00"), ["bkn"]).state == "expired"
    assert standing_of(agreement, wib("2024-08-14T00:00:00"), ["bkn"]).state == "pending"


@given(st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)), st.booleans())  # noqa: DTZ001
def test_served_exactly_inside_the_term(moment, suspended):
    agreement = load_agreement(example("kemenkopmk-kemnaker-2023"))
    now = moment.replace(tzinfo=UTC)
    start, end = term(agreement)
    standing = standing_of(agreement, now, ["kemnaker"] if suspended else [])
    assert (standing.state is AgreementState.IN_FORCE) == (start <= now < end and not suspended)
    assert standing.article


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 240))
def test_a_term_ends_on_the_eve_of_its_anniversary(first, months):
    last = last_day(first, months)
    assert add_months(first, months) - last == timedelta(days=1)
    assert (last + timedelta(days=1)).day in {first.day, 28, 29, 30}
    assert 27 * months <= (last - first).days <= 31 * months


def test_short_months_keep_their_last_day():
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2025, 3, 31), -1) == date(2025, 2, 28)


# -- replacement ------------------------------------------------------------------------------


def test_a_newer_agreement_takes_over_from_its_first_day(signers, flagship, bend, tmp_path):
    newer = bend(
        flagship,
        {
            'id = "kemnaker-bkn-2024"': 'id = "kemnaker-bkn-2027"',
            '"7/530/KS.06/VIII/2024", "25/HM.04.01/2024"': '"baru/1", "baru/2"',
            "signed_on = 2024-08-15": 'supersedes = ["25/HM.04.01/2024"]\n'
            'supersession_article = "Pasal 14"\nsigned_on = 2027-02-01',
            "in_force_from = 2024-08-15": "in_force_from = 2027-02-01",
            "in_force_until = 2027-08-14": "in_force_until = 2030-01-31",
        },
    )
    for document in (flagship, newer):
        signers.write(tmp_path, document)
    old, new = load_directory(tmp_path)
    assert old.standing(wib("2027-01-31T12:00:00")).state == "in_force"
    assert old.standing(wib("2027-01-31T12:00:00")).until == wib("2027-02-01T00:00:00")
    replaced = old.standing(wib("2027-02-01T00:00:00"))
    assert (replaced.state, replaced.article) == ("superseded", "Pasal 14")
    assert replaced.replaced_by == "kemnaker-bkn-2027"
    assert old.standing(wib("2031-01-01T00:00:00")).state == "superseded"
    assert new.standing(wib("2027-02-01T00:00:00")).state == "in_force"


def amendment(bend, document: bytes, agreement_id: str = "kemnaker-bkn-2024-a1") -> bytes:
    digest = agreement_digest(document).hex()
    return bend(
        document,
        {
            'id = "kemnaker-bkn-2024"': f'id = "{agreement_id}"\namends = "{digest}"',
            '"7/530/KS.06/VIII/2024", "25/HM.04.01/2024"': '"adendum/1"',
            "in_force_from = 2024-08-15": "in_force_from = 2026-01-01",
            "duration = ": "# duration = ",
        },
    )


def test_an_amendment_replaces_what_it_amends_by_the_addendum_article(
    signers, flagship, bend, tmp_path
):
    for document in (flagship, amendment(bend, flagship)):
        signers.write(tmp_path, document)
    added, amended = load_directory(tmp_path)
    assert amended.standing(TODAY).state == "superseded"
    assert amended.standing(TODAY).article == "Pasal 12"
    assert added.standing(TODAY).state == "in_force"


def test_an_unsigned_amendment_changes_nothing(signers, flagship, bend, tmp_path):
    signers.write(tmp_path, flagship)
    signers.write(tmp_path, amendment(bend, flagship), "bkn")
    added, amended = load_directory(tmp_path)
    assert amended.standing(TODAY).state == "in_force"
    assert added.agreement is None


def test_an_amendment_under_other_keys_changes_nothing(signers, flagship, bend, tmp_path):
    """Somebody who calls his own keys «bkn» cannot put the real agreement out of force."""
    signers.write(tmp_path, flagship)
    forger = signers.public("pencuri")[0]
    real = load_agreement(flagship).party("bkn").sign_key
    forged = bend(amendment(bend, flagship), {real: base64.b64encode(forger).decode()})
    path = signers.write(tmp_path, forged, "kemnaker")
    signature = signers.sign(forged, "pencuri")["pencuri"]
    path.with_name(signature_name(path.stem, "bkn")).write_text(signature_text(signature))
    added, amended = load_directory(tmp_path)
    assert added.agreement is not None
    assert amended.standing(TODAY).state == "in_force"


# -- what falls due ---------------------------------------------------------------------------


def test_the_immigration_notice_is_overdue_today():
    due = due_dates(load_agreement(example("bpjstk-imigrasi-2023")), TODAY)
    notice = next(d for d in due if d.kind == "notice")
    assert (notice.on, notice.overdue) == (date(2026, 10, 16), True)
    assert notice.article == "Pasal 11 ayat (2)"
    report = next(d for d in due if d.kind == "report")
    assert (report.on, report.overdue) == (date(2026, 12, 18), False)


@pytest.mark.parametrize(
    ("agreement_id", "notice"),
    [
        ("kemnaker-bkn-2024", date(2027, 7, 14)),
        ("kemnaker-bpjskes-2020", date(2023, 8, 2)),
        ("kemenkopmk-kemnaker-2023", date(2025, 1, 28)),
        ("bpjskes-bkn-2016", date(2021, 7, 9)),
    ],
)
def test_notice_days_follow_the_articles(agreement_id, notice):
    agreement = load_agreement(example(agreement_id))
    start, _ = term(agreement)
    due = due_dates(agreement, start)
    assert [d.on for d in due if d.kind == "notice"] == [notice]
    on_the_day = due_dates(agreement, wib(f"{notice}T23:59:59"))
    assert [d.overdue for d in on_the_day if d.kind == "notice"] == [False]


def test_nothing_falls_due_after_the_end():
    assert due_dates(load_agreement(example("bpjskes-bkn-2016")), TODAY) == []


def test_a_cadence_comes_round_and_never_passes_the_end():
    agreement = load_agreement(example("kemnaker-bkn-2024"))
    turns = {
        d.on
        for month in range(36)
        for d in due_dates(agreement, wib(f"{add_months(date(2024, 8, 20), month)}T00:00:00"))
        if d.kind == "evaluation"
    }
    assert sorted(turns) == [last_day(date(2024, 8, 15), 6 * n) for n in range(1, 7)]

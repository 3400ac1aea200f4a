"""Dates: where an agreement stands at a moment, on which article, and what falls due.

A term is whole days in Jakarta (fixed UTC+7, no summer time): it begins at 00:00 of
``in_force_from`` and ends at the midnight after ``in_force_until``. Spec 40, "Standing".
"""

from __future__ import annotations

import calendar
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum

from padan_linkage.agreement.model import Agreement

JAKARTA = timezone(timedelta(hours=7), "WIB")


class AgreementState(StrEnum):
    """Where an agreement stands; data calls are served in force alone."""

    PENDING = "pending"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Standing:
    """A state, the article it rests on, and the moments between which the dates alone allow it.

    ``since`` is None where the dates do not tell (a suspension), ``until`` where nothing ends it.
    ``replaced_by`` is the id of the agreement that takes over, if one does.
    """

    state: AgreementState
    article: str
    since: datetime | None
    until: datetime | None
    replaced_by: str | None = None


@dataclass(frozen=True)
class Due:
    """Something to be done by the end of day ``on``: a notice, or the next turn of a cadence."""

    kind: str
    text: str
    on: date
    article: str
    overdue: bool


def day_start(day: date) -> datetime:
    """00:00 of ``day`` in Jakarta."""
    return datetime.combine(day, time.min, JAKARTA)


def add_months(day: date, months: int) -> date:
    """The same day ``months`` later (or earlier); a short month's last day stands in."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_day(first: date, months: int) -> date:
    """Last day of a term of ``months`` that begins on ``first``: the eve of its anniversary."""
    return add_months(first, months) - timedelta(days=1)


def term(agreement: Agreement) -> tuple[datetime, datetime]:
    """First moment in force and first moment no longer in force."""
    return (
        day_start(agreement.in_force_from),
        day_start(agreement.in_force_until + timedelta(days=1)),
    )


def replaces(newer: Agreement, older: Agreement, older_digest: bytes) -> bool:
    """Whether ``newer`` takes the place of ``older``: it names its digest or one of its numbers.

    Only the same parties with the same signing keys can do that; ``newer`` must be fully signed.
    """
    named = newer.amends == older_digest.hex() or bool(set(newer.supersedes) & set(older.numbers))
    keys = {p.id: p.sign_key for p in newer.parties}
    same = all(keys.get(p.id) == p.sign_key for p in older.parties)
    return named and same and newer.id != older.id


def standing_of(
    agreement: Agreement,
    now: datetime,
    suspended_by: Collection[str] = (),
    successors: Collection[Agreement] = (),
) -> Standing:
    """State of ``agreement`` at ``now`` (aware).

    ``suspended_by`` are parties, ``successors`` the agreements that replace it.

    A replacement counts from its own first day, if the term had not ended before. Raises
    ValueError if ``now`` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now must have a time zone")
    start, end = term(agreement)
    successor = min(successors, key=lambda a: (a.in_force_from, a.id), default=None)
    if successor and day_start(successor.in_force_from) < end:
        taken_over = day_start(successor.in_force_from)
        if now >= taken_over:
            article = _takeover_article(agreement, successor)
            return Standing(AgreementState.SUPERSEDED, article, taken_over, None, successor.id)
        end = taken_over
    if now < start:
        return Standing(AgreementState.PENDING, agreement.term_article, None, start)
    if now >= end:
        article = agreement.expiry_article or agreement.term_article
        return Standing(AgreementState.EXPIRED, article, end, None)
    if suspended_by:
        return Standing(AgreementState.SUSPENDED, agreement.suspension_article, None, end)
    return Standing(AgreementState.IN_FORCE, agreement.term_article, start, end)


def _takeover_article(older: Agreement, newer: Agreement) -> str:
    if newer.supersession_article and set(newer.supersedes) & set(older.numbers):
        return newer.supersession_article
    return older.amendment_article or older.term_article


def notice_day(agreement: Agreement) -> date | None:
    """Last day for the written notice to extend or end; None if the agreement asks for none."""
    n = agreement.notice
    if n is None:
        return None
    return add_months(agreement.in_force_until, -n.months) - timedelta(days=n.days)


def due_dates(agreement: Agreement, now: datetime) -> list[Due]:
    """The notice and the next turn of every cadence, soonest first; none after the term's end.

    A turn of a cadence, or of a release, falls on the first day plus a whole number of intervals,
    less a day. An agreement that is not yet in force has its first turns ahead.
    """
    today = now.astimezone(JAKARTA).date()
    if today > agreement.in_force_until:
        return []
    due = [
        _next_turn(agreement, c.per_year, today, c.kind.value, c.text, c.article)
        for c in agreement.cadences
        if c.per_year
    ]
    due += [
        _next_turn(agreement, f.release.per_year, today, "release", line.name, line.article)
        for f in agreement.flows
        if f.release
        for line in f.lines
    ]
    notice, on = agreement.notice, notice_day(agreement)
    if notice and on:
        due.append(Due("notice", notice.text, on, notice.article, overdue=today > on))
    return sorted(due, key=lambda d: (d.on, d.kind))


def _next_turn(
    agreement: Agreement, per_year: int, today: date, kind: str, text: str, article: str
) -> Due:
    turn = 1
    while (on := last_day(agreement.in_force_from, turn * 12 // per_year)) < today:
        turn += 1
    return Due(kind, text, min(on, agreement.in_force_until), article, overdue=False)

"""An edition as it comes from elsewhere, checked before anything rests on it.

One rule for the unit, which checks when a registry is committed, and the requester, which checks
when it is answered. Spec: ``proto/spec/36-editions.md``, "Checks".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from padan_linkage.crypto import signatures
from padan_linkage.crypto.software import FormatAge
from padan_linkage.edition import document as documents
from padan_linkage.edition.document import ANY, SIGNED, Edition, EditionVersionError, GivenFields
from padan_linkage.matching.scoring.calibration import Calibration
from padan_linkage.matching.scoring.features import LEVELS, FeaturePlan, reach_cut, screen_cut
from padan_linkage.schema import Layout, Schema

#: Larger documents are refused unread.
MOST_EDITION_BYTES, MOST_CALIBRATIONS_BYTES = 1 << 20, 2 << 20
#: More kinds of strangers than anybody measures.
_MOST_KINDS = 16
#: A screen that lets a larger share of unrelated rows pass would make the unit score for ever.
_MOST_NOISE = 0.05
#: Nats, strangers a row and the like lie within these.
_MOST, _LEAST = 1e9, 1e-12


class EditionError(ValueError):
    """An edition cannot be relied on; ``differs`` names the part that is wrong.

    ``later``: it is whole, of a later version of Padan.
    """

    def __init__(self, differs: str, *, later: bool = False) -> None:
        super().__init__(f"edition: {differs}")
        self.differs = differs
        self.later = later


@dataclass(frozen=True)
class Wanted:
    """What an edition must be of: the agreement (hex digest), the flow, its schema and rate.

    ``keys``: the provider's Ed25519 keys, 32 bytes each, any of which may have signed it.
    """

    agreement: str
    flow: str
    schema: Schema
    rate: float
    keys: tuple[bytes, ...] = field(repr=False)


def checked_edition(document: bytes, signature: bytes, wanted: Wanted) -> Edition:
    """Read an edition and check everything that can be checked of it without its calibrations.

    Raises EditionError.
    """
    if len(document) > MOST_EDITION_BYTES:
        raise EditionError("document")
    if not any(signatures.holds(key, SIGNED + document, signature) for key in wanted.keys):
        raise EditionError("signature")
    try:
        edition = Edition.read(document)
    except EditionVersionError as e:
        raise EditionError("version", later=e.age is FormatAge.LATER) from None
    except (ValueError, RecursionError):
        raise EditionError("document") from None
    expected = {
        "agreement": wanted.agreement,
        "flow": wanted.flow,
        "schema": wanted.schema.digest().hex(),
    }
    for name, value in expected.items():
        if getattr(edition, name) != value:
            raise EditionError(name)
    if not _share(edition.rate) or edition.rate != wanted.rate:
        raise EditionError("rate")
    _check_contents(edition, wanted.schema)
    return edition


def checked_calibrations(
    document: bytes, edition: Edition, schema: Schema
) -> dict[str, Calibration]:
    """Read the calibrations of an edition: one for each pass with a filter, each plausible.

    Raises EditionError.
    """
    if len(document) > MOST_CALIBRATIONS_BYTES or (
        documents.digest(document) != edition.calibrations
    ):
        raise EditionError("calibrations")
    try:
        read = documents.read_calibrations(document)
        canonical = documents.calibrations_document(read) == document
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise EditionError("calibrations") from None
    passes = {p.id: p for p in schema.passes if p.similar}
    if not canonical or read.keys() != passes.keys():
        raise EditionError("calibrations")
    for pass_id, calibration in read.items():
        presence = Layout.of(schema, passes[pass_id], provider=True).presence > 0
        if not _usable(calibration, FeaturePlan.of(passes[pass_id], presence=presence)):
            raise EditionError(f"calibrations[{pass_id}]")
    return read


def _check_contents(edition: Edition, schema: Schema) -> None:
    """Refuse values of other types, out of range, or of fields and passes that are not there."""
    words = [word for group in edition.common for word in group]
    texts = (edition.levels, edition.calibrations, *words)
    if not all(isinstance(text, str) for text in texts) or not _count(edition.records):
        raise EditionError("document")
    fields, passes = schema.compared, [p.id for p in schema.passes]
    if not all(_plausible(given, fields, passes) for given in edition.given):
        raise EditionError("given")
    kinds = {(given.fields, given.telling) for given in edition.given}
    if not kinds or len(kinds) != len(edition.given):
        raise EditionError("given")


def _plausible(given: GivenFields, fields: Sequence[str], passes: Sequence[str]) -> bool:
    named = given.fields == tuple(f for f in fields if f in given.fields)
    counts = _count(given.asked) and _whole(given.telling) and given.telling >= ANY
    shares = (given.answered, given.noticed, given.wrong, given.damaged or 0.0)
    lists = all(p in passes for p in (*given.usable, *given.silent))
    answers = all(p in given.usable and p not in given.silent for p in given.answering)
    return named and counts and lists and answers and all(map(_share, shares))


def _usable(c: Calibration, plan: FeaturePlan) -> bool:
    """Whether the matcher can score by it: right shape, finite numbers, a screen that screens.

    Nobody beyond the reach passes it (spec 15, "The requester's oracle").
    """
    least = max(screen_cut(plan.segments, _MOST_NOISE), reach_cut(plan))
    levels = [c.m, *(kind.u for kind in c.kinds)]
    positive = [number for kind in c.kinds for number in (kind.mean, kind.clumping)]
    return (
        c.bits == tuple(int(b) for b in plan.bits)
        and c.random_fill is plan.random_fill
        and 1 <= len(c.kinds) <= _MOST_KINDS
        and all(_table(table, plan.features) for table in levels)
        and all(_within(number, _LEAST, _MOST) for number in positive)
        and _within(c.match_rate, _LEAST, 1 - _LEAST)
        and _within(c.screen, least, _MOST)
        and all(_within(number, -_MOST, _MOST) for number in (c.threshold, c.doubt))
        and _within(c.company, 0.0, _MOST)
        and isinstance(c.method, str)
    )


def _table(table: Sequence[Sequence[float]], features: int) -> bool:
    """Whether these are probabilities of every level of every feature."""
    return len(table) == features and all(
        len(row) == LEVELS and all(_within(p, _LEAST, 1.0) for p in row) for row in table
    )


def _within(number: Any, low: float, high: float) -> bool:
    """Whether this is a number between the two, which neither NaN nor an infinity is."""
    numeric = isinstance(number, int | float) and not isinstance(number, bool)
    return numeric and low <= number <= high


def _share(number: Any) -> bool:
    return _within(number, 0.0, 1.0)


def _count(number: Any) -> bool:
    return _whole(number) and number >= 0


def _whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)

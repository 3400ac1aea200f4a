"""The edition of a registry as documents: what everybody may read, and what the unit scores by.

Spec: ``proto/spec/36-editions.md``. Both are JSON in UTF-8 with sorted keys, so equal editions are
equal bytes. The provider signs the edition, which names the calibrations by their digest; only the
linkage unit gets those, since they tell how common the registry's values are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from pydantic_core import from_json

from padan_linkage.crypto.software import FormatAge, format_age
from padan_linkage.matching.scoring.calibration import Calibration

VERSION = 2
#: Of :attr:`GivenFields.telling`: however much.
ANY = -1
#: Error levels that come with this software, not from an accepted proposal.
SHIPPED = "shipped"
#: What a signature is over: this, then the document.
SIGNED = b"padan/v1 edition\x00"


class EditionVersionError(ValueError):
    """An edition of another format than this software reads; ``age`` says of which."""

    def __init__(self, age: FormatAge) -> None:
        super().__init__(f"an edition of a {age.value} version")
        self.age = age


@dataclass(frozen=True)
class GivenFields:
    """What holds for records with values in just these ``fields`` (in the schema's order).

    ``telling``: how much their names tell, :data:`ANY` for all together; ``asked``: registered
    people who were asked about so; ``answered``: share of them who get their own code; ``noticed``:
    share who get a code, are among several who fit, or are undecided: the others would be told «not
    found»; ``wrong``: wrong answers per asked stranger; ``answering``: passes whose match is an
    answer; ``usable``: passes that records
    with these fields take part in; ``silent``: those that see too many strangers to tell anything,
    which is no reason for doubt; ``damaged``: as ``answered``, where the values carry the shipped
    errors, None where that was not measured.
    """

    fields: tuple[str, ...]
    telling: int
    asked: int
    answered: float
    noticed: float
    wrong: float
    answering: tuple[str, ...]
    usable: tuple[str, ...]
    silent: tuple[str, ...] = ()
    damaged: float | None = None


@dataclass(frozen=True)
class Edition:
    """What a registry's answers rest on, as everybody may read it.

    ``agreement``, ``schema``: hex digests; ``rate``: tolerated wrong answers per asked stranger;
    ``records``: people in the registry when it was measured; ``levels``: :data:`SHIPPED`, or the
    hex digest of the accepted proposal that the error levels come from; ``calibrations``: SHA-256
    of :func:`calibrations_document`, hex; ``common``: words of names that many people have, the
    most common group first; ``given``: by kind of record.
    """

    agreement: str
    flow: str
    schema: str
    rate: float
    records: int
    levels: str
    calibrations: str
    common: tuple[tuple[str, ...], ...]
    given: tuple[GivenFields, ...]

    def document(self) -> bytes:
        """The canonical bytes; :meth:`read` reads them back."""
        return canonical({"version": VERSION, **asdict(self)})

    def name(self) -> str:
        """What results call it: the first 16 hex digits of the document's SHA-256."""
        return hashlib.sha256(self.document()).hexdigest()[:16]

    @property
    def fullest(self) -> GivenFields | None:
        """What holds for records with the most fields, of whatever names; None of an empty one."""
        return max(
            self.given, key=lambda g: (len(g.fields), g.telling == ANY, g.asked), default=None
        )

    @classmethod
    def read(cls, document: bytes) -> Self:
        """Read what :meth:`document` wrote.

        Raises EditionVersionError where another version of the software did, else ValueError.
        """
        raw = json_object(document)
        if (age := format_age(raw.pop("version", None), VERSION)) is not FormatAge.PRESENT:
            raise EditionVersionError(age)
        try:
            given = tuple(_given(entry) for entry in raw.pop("given"))
            common = tuple(map(tuple, raw.pop("common")))
            edition = cls(**raw, common=common, given=given)
        except (KeyError, TypeError, AttributeError) as e:
            raise ValueError("not an edition") from e
        if edition.document() != document:
            raise ValueError("not the canonical form")
        return edition


def _given(entry: dict[str, Any]) -> GivenFields:
    lists = {name: tuple(entry[name]) for name in ("fields", "answering", "usable", "silent")}
    return GivenFields(**(entry | lists))


def calibrations_document(calibrations: Mapping[str, Calibration]) -> bytes:
    """The calibrations of all passes with a filter, by pass id, as canonical bytes."""
    return canonical({name: from_json(c.to_json()) for name, c in calibrations.items()})


def read_calibrations(document: bytes) -> dict[str, Calibration]:
    """Read what :func:`calibrations_document` wrote. Raises ValueError on anything else."""
    raw = json_object(document)
    return {name: Calibration.from_json(json.dumps(entry)) for name, entry in raw.items()}


def digest(document: bytes) -> str:
    """SHA-256 of a document, hex."""
    return hashlib.sha256(document).hexdigest()


def canonical(value: Any) -> bytes:
    """JSON as it is signed: UTF-8, keys sorted, no spaces. Raises ValueError where not finite."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def json_object(document: bytes) -> dict[str, Any]:
    """The JSON object in these bytes. Raises ValueError where there is none."""
    try:
        raw = from_json(document)
    except (ValueError, RecursionError) as e:
        raise ValueError("not JSON") from e
    if not isinstance(raw, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one error for all that is wrong
    return raw

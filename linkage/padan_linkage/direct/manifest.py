"""The signed manifest of a label table, and the files that a table is published as.

A manifest is canonical JSON, so that there is one byte string for one meaning; the provider signs
it with the Ed25519 key that the agreement names. Spec 60, "Manifest".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import from_json

from padan_linkage.crypto import signatures
from padan_linkage.crypto.software import FormatAge, format_age
from padan_linkage.direct.table import CHUNK_ROWS
from padan_linkage.schema import Identifier

FORMAT: Literal["padan/v2 label table"] = "padan/v2 label table"
#: Longer ones are refused unread; most of one is :attr:`Manifest.given`.
MAX_MANIFEST_BYTES = 1 << 18
#: Files of a published table, in a folder named by the table's id.
MANIFEST_FILE, SIGNATURE_FILE = "manifest.json", "manifest.sig"
ROWS_FILE = "rows.bin"

_STATEMENT = b"padan/v1 label table manifest\x00"
_TABLES = b"padan/v1 label tables\x00"
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"

Hex16 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
Count = Annotated[int, Field(strict=True, ge=0, lt=1 << 53)]
PartOfAll = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ManifestError(Exception):
    """A manifest cannot be relied on; ``field`` names the part that is wrong."""

    #: Whether it is one of a later version of Padan.
    later = False

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


class LaterManifestError(ManifestError):
    """A manifest of a form that a later version of Padan brought in."""

    later = True

    def __init__(self) -> None:
        super().__init__("format", "of a later version of Padan")


class FormerManifestError(ManifestError):
    """A manifest of a form that this version of Padan has left: what it is of answers no more."""

    def __init__(self) -> None:
        super().__init__("format", "of an earlier version of Padan")


class SequenceError(ManifestError):
    """A delta does not follow on what is there: ``delta`` is of other keys, or comes too late."""

    def __init__(self, delta: Manifest, field: str, message: str) -> None:
        self.delta = delta
        super().__init__(field, message)


class KeyedFields(BaseModel):
    """What holds for rows with values in just these ``fields``, measured by the provider at home.

    ``asked``: registered people who were asked about so, roughly; ``found``: share for whom they
    themselves fit, alone or with others; ``damaged``: the same, where values carry the shipped
    errors; ``wrong``: share of them whom somebody else meets under a key, strangers to each other;
    ``keys``: those that are asked for such rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=64)]
    asked: Annotated[int, Field(strict=True, ge=1, lt=1 << 53)]
    found: PartOfAll
    damaged: PartOfAll
    wrong: PartOfAll
    keys: tuple[Identifier, ...]


class Manifest(BaseModel):
    """What a label table is: hex for bytes, RFC 3339 in UTC to the second for moments.

    ``sequence`` 0 is a base and has no ``base``; a delta counts from 1 and names its base's id.
    ``public_keys``: of the evaluation key of each direct key, by the direct key's id.
    ``given``: by combination of fields, what the base's registry found of itself; none in a delta.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["padan/v2 label table"] = FORMAT
    agreement: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    agreement_digest: Hex32
    flow: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    epoch: Annotated[int, Field(strict=True, ge=1, lt=1 << 53)]
    table: Hex16
    base: Hex16 | None = None
    sequence: Count = 0
    public_keys: Annotated[dict[Identifier, Hex32], Field(min_length=1, max_length=16)]
    root: Hex32
    rows: Annotated[int, Field(strict=True, ge=1, lt=1 << 53)]
    chunk_rows: Annotated[int, Field(strict=True)] = CHUNK_ROWS
    direct_schema_digest: Hex32
    normaliser_version: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]{1,32}$")]
    given: tuple[KeyedFields, ...] = ()
    created: Moment
    expires: Moment

    def document(self) -> bytes:
        """The exact bytes that are signed and travel: sorted keys, no spaces, ASCII."""
        content = self.model_dump(mode="json")
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return text.encode("ascii")

    @property
    def is_delta(self) -> bool:
        """Whether it changes a base instead of being one."""
        return self.sequence > 0

    @property
    def table_id(self) -> bytes:
        """The table's id, 16 bytes: part of every label's derivation."""
        return bytes.fromhex(self.table)

    @property
    def created_at(self) -> datetime:
        """When it was made, aware."""
        return parse_moment(self.created)

    @property
    def expires_at(self) -> datetime:
        """From when on it is not to be used, aware."""
        return parse_moment(self.expires)


def format_moment(moment: datetime) -> str:
    """``2026-11-20T00:00:00Z`` of an aware moment, fractions of a second cut off."""
    return moment.astimezone(UTC).strftime(_MOMENT)


def parse_moment(text: str) -> datetime:
    """The aware moment of such a text; ValueError for any other."""
    return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)


def parse_manifest(document: bytes) -> Manifest:
    """The manifest of these bytes, checked for form alone. Raises ManifestError."""
    if len(document) > MAX_MANIFEST_BYTES:
        raise ManifestError("manifest", "longer than a manifest can be")
    try:
        manifest = Manifest.model_validate(of_this_form(document, FORMAT))
        span = manifest.created_at, manifest.expires_at
    except ValidationError as error:
        raise ManifestError(str(error.errors()[0]["loc"][:1] or "manifest"), "malformed") from None
    except ValueError:
        raise ManifestError("manifest", "not JSON, or a date that does not exist") from None
    if manifest.document() != document:
        raise ManifestError("manifest", "not in its canonical form")
    if span[0] >= span[1]:
        raise ManifestError("expires", "not after its creation")
    if manifest.chunk_rows != CHUNK_ROWS:
        raise ManifestError("chunk_rows", f"chunks have {CHUNK_ROWS} rows")
    if manifest.is_delta != (manifest.base is not None):
        raise ManifestError("base", "a delta has a base, and nothing else has")
    if manifest.is_delta and manifest.given:
        raise ManifestError("given", "a delta keeps to what its base found")
    return manifest


def of_this_form(document: bytes, present: str) -> dict[str, Any]:
    """The JSON object in a manifest's bytes, whose ``format`` is ``present``.

    Raises LaterManifestError for a later one, FormerManifestError for a former, ManifestError or
    ValueError for anything else.
    """
    content = from_json(document)
    if not isinstance(content, dict):
        raise ManifestError("manifest", "no JSON object")
    try:
        age = format_age(content.get("format"), present)
    except ValueError:
        raise ManifestError("format", "no manifest's") from None
    if age is FormatAge.LATER:
        raise LaterManifestError
    if age is FormatAge.FORMER:
        raise FormerManifestError
    return content


def is_former(document: bytes) -> bool:
    """Whether these are a manifest's bytes in a form that an earlier version of Padan wrote."""
    try:
        of_this_form(document, FORMAT)
    except FormerManifestError:
        return True
    except (ManifestError, ValueError):
        return False
    return False


def manifest_statement(document: bytes) -> bytes:
    """What the provider signs: a label that no other signature uses, then the exact bytes."""
    return _STATEMENT + document


def verify_manifest(document: bytes, signature: bytes, provider_public: bytes) -> Manifest:
    """The manifest, if the provider signed these exact bytes. Raises ManifestError otherwise."""
    try:
        signatures.verify(provider_public, manifest_statement(document), signature)
    except signatures.SignatureError:
        raise ManifestError("signature", "not the provider's over this manifest") from None
    return parse_manifest(document)


def check_manifest(
    manifest: Manifest,
    *,
    agreement: str,
    agreement_digest: bytes,
    flow: str,
    direct_schema_digest: bytes,
    key_ids: Collection[str],
    now: datetime,
    normaliser_version: str | None = None,
) -> None:
    """Return if the manifest is of this flow as agreed, and of today; raise ManifestError.

    ``key_ids``: of the flow's direct keys, each of which has a public key. A server that must not
    know the normaliser leaves ``normaliser_version`` out.
    """
    expected = {
        "agreement": agreement,
        "agreement_digest": agreement_digest.hex(),
        "flow": flow,
        "direct_schema_digest": direct_schema_digest.hex(),
    }
    if normaliser_version is not None:
        expected["normaliser_version"] = normaliser_version
    for field, value in expected.items():
        if getattr(manifest, field) != value:
            raise ManifestError(field, "another one than this flow's")
    if manifest.public_keys.keys() != set(key_ids):
        raise ManifestError("public_keys", "not of just this flow's keys")
    if now >= manifest.expires_at:
        raise ManifestError("expires", "the table has expired")


def in_order(manifests: Iterable[Manifest], now: datetime) -> list[Manifest]:
    """The tables that answer at ``now``: the newest base, then its deltas, oldest first.

    Newest is the highest epoch, then the latest creation; expired ones do not count. Raises
    SequenceError if a delta is of another epoch or other keys, or if their sequence has a gap or a
    repetition: a change would be missing.
    """
    alive = [m for m in manifests if now < m.expires_at]
    bases = [m for m in alive if not m.is_delta]
    if not bases:
        return []
    base = max(bases, key=lambda m: (m.epoch, m.created, m.table))
    deltas = sorted((m for m in alive if m.base == base.table), key=lambda m: m.sequence)
    for number, delta in enumerate(deltas, 1):
        if (delta.epoch, delta.public_keys) != (base.epoch, base.public_keys):
            raise SequenceError(delta, "epoch", "a delta is of other keys than its base")
        if delta.sequence != number:
            raise SequenceError(delta, "sequence", "a delta is missing or twice there")
    return [base, *deltas]


def fingerprint(manifests: Iterable[Manifest]) -> str:
    """What tables that answer together are known by: a base and its deltas in order, 64 hex digits.

    Whoever was answered by the same tables has the same. Spec 60, "One table for everybody".
    """
    digest = hashlib.sha256(_TABLES)
    for manifest in manifests:
        digest.update(hashlib.sha256(manifest.document()).digest())
    return digest.hexdigest()


def contradiction(one: Manifest, other: Manifest) -> str:
    """In which field two manifests, both signed, cannot both be true; "" where they can.

    In an epoch of a flow an honest provider has one key for each direct key, signs one content
    under a table's id, one delta of a number, and one base of a moment.
    """
    epoch = attrgetter("agreement_digest", "flow", "epoch")
    if epoch(one) != epoch(other) or one.document() == other.document():
        return ""
    if one.public_keys != other.public_keys:
        return "public_keys"
    if one.table == other.table:
        return "table"
    if one.is_delta:
        return "sequence" if (one.base, one.sequence) == (other.base, other.sequence) else ""
    return "created" if not other.is_delta and one.created == other.created else ""


@dataclass(frozen=True)
class TablePublication:
    """A table's folder: the manifest with its exact bytes and signature, and the file of rows."""

    manifest: Manifest
    document: bytes
    signature: bytes
    rows: Path

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a folder; ManifestError if a file is missing or the manifest is malformed.

        Verifies neither the signature (:func:`verify_manifest`) nor the rows
        (:meth:`padan_linkage.direct.table.LabelTable.chunk_hashes`).
        """
        try:
            document, signature = (_plain(folder / f) for f in (MANIFEST_FILE, SIGNATURE_FILE))
        except OSError:
            raise ManifestError("manifest", "a file of the table cannot be read") from None
        return cls(parse_manifest(document), document, signature, folder / ROWS_FILE)


def _plain(path: Path) -> bytes:
    """The content of a file; OSError for anything else, which might never end."""
    if not path.is_file():
        raise FileNotFoundError(path)
    return path.read_bytes()

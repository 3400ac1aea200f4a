"""The signed manifest of a release: what it is, of when, and the digest of what it carries.

Canonical JSON, as a label table's. Spec 70, "Manifest".
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from padan_linkage.crypto import signatures
from padan_linkage.direct.manifest import (
    Count,
    Hex32,
    ManifestError,
    Moment,
    of_this_form,
    parse_moment,
)

FORMAT: Literal["padan/v1 release"] = "padan/v1 release"
#: The largest content that a release carries.
MAX_CONTENT_BYTES = 16 * 1024**2
MAX_MANIFEST_BYTES = 4096

_STATEMENT = b"padan/v1 release\x00"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Version = Annotated[int, Field(strict=True, ge=1, lt=1 << 31)]


@dataclass(frozen=True)
class Line:
    """What a release is one version of: a list or an aggregate of a flow, and its two sides."""

    agreement: str
    agreement_digest: bytes
    flow: str
    line: str
    publisher: str
    receiver: str


class Release(BaseModel):
    """What a release is. ``previous`` is the SHA-256 of the manifest one version before.

    ``as_of`` is the day in Jakarta whose facts it shows; ``rows`` are the CSV's lines without its
    head, ``withheld`` those of them without a count.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["padan/v1 release"] = FORMAT
    agreement: Name
    agreement_digest: Hex32
    flow: Name
    line: Name
    kind: Literal["aggregate", "reference"]
    publisher: Name
    receiver: Name
    version: Version
    previous: Hex32 | None = None
    created: Moment
    as_of: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")]
    content_bytes: Annotated[int, Field(strict=True, ge=1, le=MAX_CONTENT_BYTES)]
    content_sha256: Hex32
    rows: Count
    withheld: Count = 0

    def document(self) -> bytes:
        """The exact bytes that are signed and travel: sorted keys, no spaces, ASCII."""
        content = self.model_dump(mode="json")
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return text.encode("ascii")

    def digest(self) -> str:
        """SHA-256 of the document, hex: the next version names it."""
        return hashlib.sha256(self.document()).hexdigest()

    @property
    def of_line(self) -> Line:
        """The line that it is a version of."""
        return Line(
            self.agreement,
            bytes.fromhex(self.agreement_digest),
            self.flow,
            self.line,
            self.publisher,
            self.receiver,
        )


def release_statement(document: bytes) -> bytes:
    """What the publisher signs: a label that no other signature uses, then the exact bytes."""
    return _STATEMENT + document


def verify_release(
    document: bytes, signature: bytes, publisher_public: bytes, line: Line, version: int
) -> Release:
    """The manifest, if the publisher signed it as this version of this line.

    Raises ManifestError otherwise.
    """
    try:
        signatures.verify(publisher_public, release_statement(document), signature)
    except signatures.SignatureError:
        raise ManifestError("signature", "not the publisher's over this manifest") from None
    release = parse_release(document)
    if release.of_line != line:
        raise ManifestError("line", "a release of something else")
    if release.version != version:
        raise ManifestError("version", "another version than was asked for")
    return release


def parse_release(document: bytes) -> Release:
    """The manifest of these bytes, checked for form alone. Raises ManifestError."""
    if len(document) > MAX_MANIFEST_BYTES:
        raise ManifestError("manifest", "longer than a manifest can be")
    try:
        release = Release.model_validate(of_this_form(document, FORMAT))
        parse_moment(release.created)
        date.fromisoformat(release.as_of)
    except ValidationError as error:
        raise ManifestError(str(error.errors()[0]["loc"][:1] or "manifest"), "malformed") from None
    except ValueError:
        raise ManifestError("manifest", "not JSON, or a date that does not exist") from None
    if release.document() != document:
        raise ManifestError("manifest", "not in its canonical form")
    if (release.version == 1) != (release.previous is None):
        raise ManifestError("previous", "every version but the first names the one before")
    return release

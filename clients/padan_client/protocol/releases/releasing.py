"""Releases as the unit carries them: put, list, fetch. What is inside is :mod:`..releases`.

Spec ``proto/spec/70-releases.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial

from google.protobuf.empty_pb2 import Empty

from padan.v1 import release_service_pb2 as pb
from padan.v1.reason_texts import Reason
from padan_client.base.effects import Download, Patience, Steps, Upload, call
from padan_client.base.errors import RefusedError, UnavailableError, VerificationError
from padan_client.base.language import t
from padan_client.protocol.paging import listed
from padan_linkage.release.envelope import MAX_SEALED_BYTES

_PIECE_BYTES = 256 * 1024
#: Times that a release is sent again because its bytes arrived changed.
_MENDING = 2


def put_release(
    line: str, version: int, sealed: bytes, request_id: str, patience: Patience
) -> Steps[pb.Release]:
    """Give the unit one release of the line of that resource name; repeated until it has it.

    Raises VerificationError if it says that it took something else.
    """
    digest = hashlib.sha256(sealed).digest()
    described = pb.Release(version=version, size_bytes=len(sealed), digest=digest)
    backoff, mending = patience.start(), _MENDING
    while True:
        try:
            taken: pb.Release = yield Upload(
                "ReleaseService.CreateRelease",
                partial(_pieces, line, described, request_id, sealed),
            )
        except UnavailableError as failure:
            yield backoff.after(failure)
        except RefusedError as refusal:
            mending -= 1
            if refusal.reason != Reason.RELEASE_CORRUPT or mending < 0:
                raise
        else:
            return _checked(taken, line, described)


def find_release(line: str, version: int, patience: Patience) -> Steps[pb.Release | None]:
    """The unit's description of a release, None where there is none."""
    try:
        found = yield from call(
            "ReleaseService.GetRelease",
            pb.GetReleaseRequest(name=f"{line}/releases/{version}"),
            pb.Release,
            patience,
        )
    except RefusedError as refusal:
        if refusal.reason == Reason.RELEASE_NOT_FOUND:
            return None
        raise
    return found


def list_releases(line: str, limit: int, patience: Patience) -> Steps[list[pb.Release]]:
    """The line's releases, newest version first, at most ``limit``."""
    request = pb.ListReleasesRequest(parent=line, page_size=limit)
    method, answer = "ReleaseService.ListReleases", pb.ListReleasesResponse
    return (yield from listed(method, request, answer, "releases", patience, limit=limit))


def fetch_release(line: str, described: pb.Release, patience: Patience) -> Steps[bytes]:
    """The sealed bytes of a release, as long and with the digest that the unit described."""
    backoff = patience.start()
    while True:
        pieces: list[bytes] = []
        try:
            yield Download(
                "ReleaseService.DownloadRelease",
                pb.DownloadReleaseRequest(name=f"{line}/releases/{described.version}"),
                partial(_take, pieces),
            )
        except UnavailableError as failure:
            yield backoff.after(failure)
            continue
        sealed = b"".join(pieces)
        if hashlib.sha256(sealed).digest() != described.digest:
            raise _broken()
        return sealed


def delete_release(line: str, version: int, patience: Patience) -> Steps[None]:
    """Let the unit erase a release."""
    yield from call(
        "ReleaseService.DeleteRelease",
        pb.DeleteReleaseRequest(name=f"{line}/releases/{version}"),
        Empty,
        patience,
    )


def _pieces(
    line: str, described: pb.Release, request_id: str, sealed: bytes
) -> Iterator[pb.CreateReleaseRequest]:
    yield pb.CreateReleaseRequest(parent=line, release=described, request_id=request_id)
    for at in range(0, len(sealed), _PIECE_BYTES):
        yield pb.CreateReleaseRequest(content=sealed[at : at + _PIECE_BYTES])


def _take(pieces: list[bytes], response: pb.DownloadReleaseResponse) -> None:
    pieces.append(response.content)
    if sum(map(len, pieces)) > MAX_SEALED_BYTES:
        raise _broken()


def _checked(taken: pb.Release, line: str, described: pb.Release) -> pb.Release:
    same = (taken.version, taken.size_bytes, taken.digest) == (
        described.version,
        described.size_bytes,
        described.digest,
    )
    if not same or taken.name != f"{line}/releases/{described.version}":
        raise _broken()
    return taken


def _broken() -> VerificationError:
    return VerificationError(
        t(
            "Rilis di unit pemadanan lain dari yang dikirim atau disebutkan. Jangan dipakai; "
            "hubungi operator unit.",
            "The release at the linkage unit is not the one that was sent or described. Do not use "
            "it; ask the unit's operator.",
        )
    )

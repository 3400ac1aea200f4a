"""ReleaseService: aggregates and reference lists, sealed from publisher to receiver."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from threading import Event

import grpc
from google.protobuf.empty_pb2 import Empty

from padan.v1 import release_service_pb2 as pb
from padan.v1 import release_service_pb2_grpc as pb_grpc
from padan_server.admission.enforcement import EITHER, PROVIDER, REQUESTER, Enforcement, LineGrant
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.model import ReleaseRecord, Role
from padan_server.releases.lifecycle import NewRelease, Releases
from padan_server.services import convert, names
from padan_server.services.guard.call import current_call
from padan_server.services.pages import PageTokens

_DIGEST_BYTES = 32


class ReleaseService(pb_grpc.ReleaseServiceServicer):
    """Serves the publisher and the receiver of each line."""

    def __init__(
        self, enforcement: Enforcement, releases: Releases, tokens: PageTokens, stopping: Event
    ) -> None:
        self._enforcement = enforcement
        self._releases = releases
        self._tokens = tokens
        self._stopping = stopping

    def CreateRelease(
        self, request_iterator: Iterator[pb.CreateReleaseRequest], context: grpc.ServicerContext
    ) -> pb.Release:
        """Take in one release, whole."""
        del context
        first = next(request_iterator, None)
        if first is None:
            raise field_invalid("parent", "wajib di pesan pertama", "required in the first message")
        line = names.parse_line("parent", first.parent)
        made = self._releases.create(
            lambda: self._admit(line, roles=PROVIDER),
            _new_release(first.release),
            convert.request_key(first),
            self._pieces(first, request_iterator),
        )
        current_call().note(version=made.version, bytes=made.size)
        return _message(made)

    def _pieces(
        self, first: pb.CreateReleaseRequest, others: Iterator[pb.CreateReleaseRequest]
    ) -> Iterator[bytes]:
        yield first.content
        for message in others:
            if self._stopping.is_set():
                raise Refusal(Reason.SHUTTING_DOWN)
            if message.parent not in {"", first.parent} or message.HasField("release"):
                raise field_invalid(
                    "release", "satu aliran untuk satu rilis", "one stream carries one release"
                )
            yield message.content

    def GetRelease(
        self, request: pb.GetReleaseRequest, context: grpc.ServicerContext
    ) -> pb.Release:
        """One release's description."""
        del context
        grant, version = self._named(request.name)
        return _message(self._releases.get(grant, version))

    def ListReleases(
        self, request: pb.ListReleasesRequest, context: grpc.ServicerContext
    ) -> pb.ListReleasesResponse:
        """The releases of a line, newest version first."""
        del context
        grant = self._admit(names.parse_line("parent", request.parent))
        shown, token = self._tokens.page(
            f"ListReleases {grant.party} {request.parent}",
            request,
            lambda before, limit: self._releases.page(grant, before=before, limit=limit),
            place=lambda release: release.version,
        )
        return pb.ListReleasesResponse(releases=[_message(r) for r in shown], next_page_token=token)

    def DownloadRelease(
        self, request: pb.DownloadReleaseRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.DownloadReleaseResponse]:
        """A release's bytes, to its receiver."""
        del context
        grant, version = self._named(request.name, roles=REQUESTER)
        current_call().note(version=version)
        for piece in self._releases.read(grant, version):
            if self._stopping.is_set():
                raise Refusal(Reason.SHUTTING_DOWN)
            yield pb.DownloadReleaseResponse(content=piece)

    def DeleteRelease(
        self, request: pb.DeleteReleaseRequest, context: grpc.ServicerContext
    ) -> Empty:
        """Erase a release's bytes; its publisher may do so out of force too."""
        del context
        grant, version = self._named(request.name, roles=PROVIDER, erasing=True)
        self._releases.delete(grant, version)
        current_call().note(version=version)
        return Empty()

    def _named(
        self, name: str, *, roles: Collection[Role] = EITHER, erasing: bool = False
    ) -> tuple[LineGrant, int]:
        *line, version = names.parse_release("name", name)
        agreement_id, flow_id, line_id = line
        return self._admit((agreement_id, flow_id, line_id), roles=roles, erasing=erasing), version

    def _admit(
        self,
        line: tuple[str, str, str],
        *,
        roles: Collection[Role] = EITHER,
        erasing: bool = False,
    ) -> LineGrant:
        call = current_call()
        asked = call.party, *line
        grant = call.admitted(
            lambda: self._enforcement.admit_line(*asked, roles=roles, erasing=erasing)
        )
        call.note(line=grant.line.id)
        return grant


def _new_release(message: pb.Release) -> NewRelease:
    """What a caller announces, each value checked for form."""
    digest = convert.exact_bytes("release.digest", message.digest, _DIGEST_BYTES)
    return NewRelease(message.version, message.size_bytes, digest)


def _message(release: ReleaseRecord) -> pb.Release:
    return pb.Release(
        name=names.release_name(release.flow, release.line, release.version),
        version=release.version,
        state=pb.Release.STATE_DELETED if release.erased else pb.Release.STATE_AVAILABLE,
        size_bytes=release.size,
        digest=release.digest,
        publisher=release.publisher,
        create_time=convert.timestamp(release.create_time),
        expire_time=convert.timestamp(release.expire_time),
    )

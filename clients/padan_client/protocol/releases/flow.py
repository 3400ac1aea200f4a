"""One line of a flow that releases, from either side: publish a version, or fetch and verify one.

Spec ``proto/spec/70-releases.md``. :mod:`padan_client.releases` carries the steps out.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa

from padan.v1 import release_service_pb2 as pb
from padan_client.base.effects import Steps, work
from padan_client.base.errors import BadInputError, RefusedError, VerificationError
from padan_client.base.language import t
from padan_client.base.version import newer_made
from padan_client.home.folder import Home
from padan_client.home.kept_releases import KeptRelease, KeptReleases, PendingRelease
from padan_client.protocol.releases.making import Made, columns_of, make, published
from padan_client.protocol.releases.releasing import (
    delete_release,
    fetch_release,
    find_release,
    list_releases,
    put_release,
)
from padan_client.protocol.session import check_agreement
from padan_linkage.agreement import JAKARTA, FlowKind, ReleaseLine
from padan_linkage.crypto.sealing import SealError
from padan_linkage.direct.manifest import ManifestError, format_moment
from padan_linkage.release import reference
from padan_linkage.release.aggregate import AggregateError
from padan_linkage.release.envelope import OpenedRelease, open_release, seal_release
from padan_linkage.release.manifest import MAX_CONTENT_BYTES, Line, Release, release_statement
from padan_linkage.release.reference import Difference, ListError


@dataclass(frozen=True, repr=False)
class PublishedRelease:
    """What was published, and how it was made; ``repeated`` if the unit had it already."""

    release: Release
    made: Made
    repeated: bool = False


@dataclass(frozen=True, repr=False)
class ReceivedRelease:
    """A verified release: manifest, content, and for a list what changed since ``since``."""

    release: Release
    content: bytes
    since: int | None = None
    changes: Difference | None = None


class ReleaseFlow:
    """One line of one flow from this agency's side: the protocol steps of :class:`ReleaseClient`.

    ``line`` may be left out where there is one choice only.
    """

    def __init__(self, home: Home, agreement: str, flow: str, line: str | None = None) -> None:
        self._home = home
        self._place = home.place(agreement, flow)
        self._kept = KeptReleases(home.folder / "releases", home.identity, home.randomness)
        self._line_id = line

    def line(self, *, publishing: bool | None = None) -> ReleaseLine:
        """The line that is meant; BadInputError if that is unclear or not this agency's part."""
        lines = [
            line
            for line in self._place.flow.lines
            if self._line_id in {None, line.id}
            and (publishing is None or (line.publisher == self._place.party) == publishing)
        ]
        if len(lines) == 1:
            return lines[0]
        raise self._no_line()

    def prepare(
        self,
        table: pa.Table,
        columns: Mapping[str, str] | None,
        id_column: str | None,
    ) -> Made:
        """What would be published; nothing travels."""
        line = self.line(publishing=True)
        before = self._kept.before(self._place, line.id)
        old = before.content if before else None
        return make(self._place.flow, line.id, table, columns, id_column, old)

    def publish(
        self,
        table: pa.Table,
        columns: Mapping[str, str] | None,
        id_column: str | None,
        as_of: date | None,
        now: datetime,
    ) -> Steps[PublishedRelease]:
        """Steps of :meth:`ReleaseClient.publish`."""
        line = self.line(publishing=True)
        name = self._name(line)
        yield from check_agreement(self._place, self._home.patience)
        arrived = yield from self._settle(line)
        made = yield from work(lambda: self.prepare(table, columns, id_column))
        if arrived and arrived.content == made.content:
            return PublishedRelease(arrived.release, made, repeated=True)
        pending = self._kept.held(self._place, line.id)
        if pending is None or pending.kept.content != made.content:
            before = self._kept.newest(self._place, line.id)
            newest = yield from list_releases(name, 1, self._home.patience)
            self._require_same_past(newest, before)
            day = (as_of or now.astimezone(JAKARTA).date()).isoformat()
            pending = yield from work(lambda: self._sealed(line, made, before, day, now))
            self._kept.hold(self._place, line.id, pending)
        yield from self._send(line, pending)
        return PublishedRelease(pending.kept.release, made)

    def get(self, version: int | None) -> Steps[ReceivedRelease]:
        """Steps of :meth:`ReleaseClient.get`."""
        line = self.line(publishing=False)
        name = self._name(line)
        yield from check_agreement(self._place, self._home.patience)
        newest = self._kept.newest(self._place, line.id)
        described = yield from self._described(name, version, newest)
        sealed = yield from fetch_release(name, described, self._home.patience)
        opened = yield from work(lambda: self._opened(line, described.version, sealed))
        # Spec 70, step 7.
        self._require_same_history(line, opened.release)
        received = self._received(line, opened)
        kept = KeptRelease(opened.release, opened.signature, opened.content)
        self._kept.keep(self._place, line.id, kept)
        return received

    def released(self, limit: int) -> Steps[list[pb.Release]]:
        """Steps of :meth:`ReleaseClient.released`."""
        name = self._name(self.line())
        return (yield from list_releases(name, limit, self._home.patience))

    def delete(self, version: int) -> Steps[None]:
        """Steps of :meth:`ReleaseClient.delete`."""
        name = self._name(self.line(publishing=True))
        yield from delete_release(name, version, self._home.patience)

    def _name(self, line: ReleaseLine) -> str:
        return f"{self._place.name}/lines/{line.id}"

    def _signed_line(self, line: ReleaseLine) -> Line:
        place = self._place
        return Line(
            place.agreement.id, place.digest, place.flow.id, line.id, line.publisher, line.receiver
        )

    def _settle(self, line: ReleaseLine) -> Steps[KeptRelease | None]:
        """What a crash left on its way out, if it has arrived since."""
        if arrived := self._kept.arrived(self._place, line.id):
            return arrived
        pending = self._kept.held(self._place, line.id)
        if pending is None:
            return None
        version = pending.kept.release.version
        found = yield from find_release(self._name(line), version, self._home.patience)
        if found is None or found.digest != hashlib.sha256(pending.sealed).digest():
            return None
        self._kept.sent(self._place, line.id)
        return pending.kept

    def _sealed(
        self, line: ReleaseLine, made: Made, before: KeptRelease | None, day: str, now: datetime
    ) -> PendingRelease:
        place = self._place
        identity = self._home.identity.holding(place.own_keys)
        if len(made.content) > MAX_CONTENT_BYTES:
            raise BadInputError(t("Rilis terlalu besar.", "The release is too large."))
        release = Release(
            agreement=place.agreement.id,
            agreement_digest=place.digest.hex(),
            flow=place.flow.id,
            line=line.id,
            kind="aggregate" if place.flow.kind is FlowKind.AGGREGATE else "reference",
            publisher=line.publisher,
            receiver=line.receiver,
            version=before.release.version + 1 if before else 1,
            previous=before.release.digest() if before else None,
            created=format_moment(now),
            as_of=day,
            content_bytes=len(made.content),
            content_sha256=hashlib.sha256(made.content).hexdigest(),
            rows=made.rows,
            withheld=made.withheld,
        )
        # Spec 70, step 3.
        signature = identity.sign(release_statement(release.document()))
        receiver = place.agreement.party(line.receiver).exchange_key_bytes
        # Spec 70, step 4.
        sealed = seal_release(
            release, signature, made.content, identity.exchange_private(), receiver
        )
        request_id = str(uuid.UUID(bytes=self._home.randomness(16), version=4))
        return PendingRelease(KeptRelease(release, signature, made.content), sealed, request_id)

    def _send(self, line: ReleaseLine, pending: PendingRelease) -> Steps[None]:
        try:
            yield from put_release(
                self._name(line),
                pending.kept.release.version,
                pending.sealed,
                pending.request_id,
                self._home.patience,
            )
        except RefusedError:
            self._kept.drop(self._place, line.id)
            raise
        self._kept.sent(self._place, line.id)

    def _described(
        self, name: str, version: int | None, newest: KeptRelease | None
    ) -> Steps[pb.Release]:
        """The unit's description of the version that is asked for, or of its newest."""
        held = newest.release.version if newest else 0
        if version is None:
            found = yield from list_releases(name, 1, self._home.patience)
            described = found[0] if found else None
            if (described.version if described else 0) < held:
                raise _rolled_back(held)
        else:
            described = yield from find_release(name, version, self._home.patience)
        if described is None or described.state != pb.Release.STATE_AVAILABLE:
            raise BadInputError(
                t(
                    "Belum ada rilis yang dapat diambil: penerbit belum menerbitkan, atau sudah "
                    "menghapusnya.",
                    "There is no release to fetch: the publisher has not published one, or has "
                    "erased it.",
                )
            )
        return described

    def _opened(self, line: ReleaseLine, version: int, sealed: bytes) -> OpenedRelease:
        try:
            opened = self._opened_by_any(line, version, sealed)
            self._check_content(line, opened)
        except (SealError, ManifestError, AggregateError, ListError) as error:
            raise _unverified(line, error) from None
        return opened

    def _opened_by_any(self, line: ReleaseLine, version: int, sealed: bytes) -> OpenedRelease:
        """Opened with the present keys of both sides, or with those that it was sealed with."""
        tried: SealError | None = None
        for publisher in self._place.agreement.keys_in_use(line.publisher):
            for receiver in self._home.identity.every():
                try:
                    # Spec 70, step 6.
                    return open_release(
                        sealed,
                        self._signed_line(line),
                        version,
                        receiver_private=receiver.exchange_private(),
                        publisher_public=publisher.exchange_key_bytes,
                        publisher_sign_key=publisher.sign_key_bytes,
                    )
                except SealError as error:
                    tried = tried or error
        assert tried is not None
        raise tried

    def _check_content(self, line: ReleaseLine, opened: OpenedRelease) -> None:
        """The content is what the agreement names, whole, with no small count."""
        flow, release = self._place.flow, opened.release
        if flow.kind is FlowKind.AGGREGATE:
            shown = published(flow, opened.content)
            rows, withheld = shown.cells, shown.withheld
        else:
            rows = len(reference.read_reference(opened.content, columns_of(flow, line.id)))
            withheld = 0
        if (release.rows, release.withheld) != (rows, withheld):
            raise ManifestError("rows", "not as many as the manifest says")

    def _require_same_history(self, line: ReleaseLine, release: Release) -> None:
        """Versions received before must be the ones that the new one follows."""
        same = self._kept.get(self._place, line.id, release.version)
        if same is not None and same.release != release:
            raise _two_faced(release.version)
        before = self._kept.get(self._place, line.id, release.version - 1)
        if before is not None and release.previous != before.release.digest():
            raise _two_faced(release.version)

    def _received(self, line: ReleaseLine, opened: OpenedRelease) -> ReceivedRelease:
        release = opened.release
        if self._place.flow.kind is FlowKind.AGGREGATE:
            return ReceivedRelease(release, opened.content)
        older = range(release.version - 1, 0, -1)
        kept = (self._kept.get(self._place, line.id, version) for version in older)
        before = next((k for k in kept if k is not None), None)
        if before is None:
            return ReceivedRelease(release, opened.content)
        columns = columns_of(self._place.flow, line.id)
        changes = reference.difference(
            reference.read_reference(before.content, columns),
            reference.read_reference(opened.content, columns),
        )
        return ReceivedRelease(release, opened.content, before.release.version, changes)

    def _require_same_past(self, newest: list[pb.Release], before: KeptRelease | None) -> None:
        """The unit has as many versions as this home: without the last, changes would show."""
        held = before.release.version if before else 0
        there = newest[0].version if newest else 0
        if there > held:
            raise BadInputError(
                t(
                    f"Unit sudah memuat versi {there}, tetapi di sini hanya sampai {held}. "
                    "Pulihkan folder releases dari cadangan: tanpa rilis terakhir, perubahan kecil "
                    "tidak dapat disembunyikan.",
                    f"The unit has version {there} already, and here are only {held}. Restore the "
                    "releases folder from a backup: without the last release small changes cannot "
                    "be hidden.",
                )
            )
        if there < held:
            raise _rolled_back(held)

    def _no_line(self) -> BadInputError:
        flow = self._place.flow
        shown = ", ".join(f"{line.id} ({line.publisher} → {line.receiver})" for line in flow.lines)
        return BadInputError(
            t(
                f"Sebutkan dengan --line apa yang dimaksud dan menjadi bagian {self._place.party}; "
                f"alur {flow.id} menerbitkan: {shown or '–'}.",
                f"Say with --line what is meant and is {self._place.party}'s part; flow {flow.id} "
                f"releases: {shown or '–'}.",
            )
        )


def _unverified(line: ReleaseLine, error: Exception) -> VerificationError:
    if isinstance(error, ManifestError) and error.later:
        return VerificationError(newer_made(f"Rilis {line.id}", f"Release {line.id}"))
    return VerificationError(
        t(
            f"Rilis {line.id} bukan dari {line.publisher} menurut perjanjian, atau telah diubah "
            f"({error}). Jangan dipakai; hubungi {line.publisher} dan operator unit.",
            f"Release {line.id} is not {line.publisher}'s under the agreement, or was changed "
            f"({error}). Do not use it; ask {line.publisher} and the unit's operator.",
        )
    )


def _rolled_back(held: int) -> VerificationError:
    return VerificationError(
        t(
            f"Unit tidak lagi memperlihatkan versi {held}, yang sudah ada di sini. Hubungi "
            "operator unit.",
            f"The unit no longer shows version {held}, which is here already. Ask its operator.",
        )
    )


def _two_faced(version: int) -> VerificationError:
    return VerificationError(
        t(
            f"Ada dua rilis yang berbeda dengan riwayat versi {version} yang sama. Simpan keduanya "
            "sebagai bukti dan hubungi penerbitnya.",
            f"There are two different releases with one history of version {version}. Keep both as "
            "evidence and ask the publisher.",
        )
    )

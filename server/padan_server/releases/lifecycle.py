"""Releases: sealed files that one party publishes to the other; the unit carries them unread."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import structlog

from padan_server.admission.enforcement import LineGrant
from padan_server.admission.requests import remember, replayed
from padan_server.base.clock import jakarta_day
from padan_server.base.damage import DamagedFileError, DamageWatch
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.failpoints import Failpoints
from padan_server.base.model import FlowKey, ReleaseRecord, RequestKey
from padan_server.releases.files import ReleaseFiles
from padan_server.store.cache import StoreCache
from padan_server.store.files.disk import Aside
from padan_server.store.port import Store, Transaction

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class NewRelease:
    """What a caller announces: version, length and SHA-256 of the sealed bytes that follow."""

    version: int
    size: int
    digest: bytes = field(repr=False)


class Releases:
    """Takes in, shows, hands out and erases the releases of the parties."""

    def __init__(
        self, store: Store, files: ReleaseFiles, failpoints: Failpoints, watch: DamageWatch
    ) -> None:
        self._store = store
        self._watch = watch
        self._files = files
        self._failpoints = failpoints
        self._known = StoreCache[tuple[FlowKey, str, int], ReleaseRecord | None](
            store, lambda tx, name: tx.releases.get(*name)
        )

    def create(
        self,
        admit: Callable[[], LineGrant],
        new: NewRelease,
        request: RequestKey | None,
        pieces: Iterable[bytes],
    ) -> ReleaseRecord:
        """Keep one release, whole and durable on return; admitted again when its bytes are there.

        Order, size and the day's number are checked before a byte is read.
        """
        grant = admit()
        with self._store.read() as tx:
            if (known := self._replayed(tx, grant, request)) is not None:
                return known
            _check(tx, grant, new)
        release_id = secrets.token_hex(16)
        # Spec 70, step 5.
        self._files.write(release_id, _checked(new, pieces))
        self._failpoints.hit("release.written")
        try:
            made = self._record(admit(), release_id, new, request)
        except BaseException:
            self._files.erase(release_id)
            raise
        self._failpoints.hit("release.recorded")
        if made.id != release_id:
            self._files.erase(release_id)
        return made

    def _record(
        self, grant: LineGrant, release_id: str, new: NewRelease, request: RequestKey | None
    ) -> ReleaseRecord:
        with self._store.write() as tx:
            if (known := self._replayed(tx, grant, request)) is not None:
                return known
            _check(tx, grant, new)
            _charge(tx, grant)
            made = ReleaseRecord(
                id=release_id,
                flow=grant.key,
                line=grant.line.id,
                version=new.version,
                publisher=grant.line.publisher,
                receiver=grant.line.receiver,
                size=new.size,
                digest=new.digest,
                create_time=grant.now,
                expire_time=_expiry(grant),
            )
            tx.releases.add(made)
            remember(tx, request, str(new.version), grant.now)
        return made

    def _replayed(
        self, tx: Transaction, grant: LineGrant, request: RequestKey | None
    ) -> ReleaseRecord | None:
        known = replayed(tx, request)
        return None if known is None else _found(tx, grant, int(known))

    def get(self, grant: LineGrant, version: int) -> ReleaseRecord:
        """One release of the line, erased or not."""
        with self._store.read() as tx:
            return _found(tx, grant, version)

    def page(self, grant: LineGrant, *, before: int, limit: int) -> list[ReleaseRecord]:
        """The line's releases, newest first."""
        with self._store.read() as tx:
            return tx.releases.page(grant.key, grant.line.id, before=before, limit=limit)

    def read(self, grant: LineGrant, version: int) -> Iterator[bytes]:
        """The bytes of a release, none of them if they are not what was published.

        Raises DamagedFileError.
        """
        release = self._kept(grant, version)
        try:
            for piece in self._files.read(release.id, release.size, release.digest):
                self._kept(grant, version)
                yield piece
        except DamagedFileError as damage:
            self._kept(grant, version)  # erased since?
            self._watch.found(damage)
            raise

    def _kept(self, grant: LineGrant, version: int) -> ReleaseRecord:
        """One release of the line that is not erased."""
        release = self._known.get((grant.key, grant.line.id, version))
        if release is None or release.erased:
            raise Refusal(Reason.RELEASE_NOT_FOUND, **grant.metadata)
        return release

    def delete(self, grant: LineGrant, version: int) -> None:
        """Erase a release. Harmless to repeat."""
        with self._store.write() as tx:
            release = _found(tx, grant, version)
            tx.releases.erase(release.id)
        self._failpoints.hit("release.erased")
        self._files.erase(release.id)

    def recover(self, aside: Aside, day: date) -> None:
        """Erase the files of erased releases; put away those that no record explains."""
        with self._store.read() as tx:
            kept, erased = tx.releases.kept(), tx.releases.erased()
        self._files.recover({release.id for release in kept}, erased, aside, day)

    def end_retention(self, now: datetime) -> None:
        """Erase what its retention has ended for."""
        with self._store.read() as tx:
            expired = [release for release in tx.releases.kept() if release.expire_time <= now]
        for release in expired:
            with self._store.write() as tx:
                tx.releases.erase(release.id)
            self._files.erase(release.id)
            _log.info("retention_ended", release=release.id, agreement=release.flow.agreement)


def _expiry(grant: LineGrant) -> datetime:
    days = timedelta(days=grant.flow.retention_days or 1)
    # Nothing outlives the agreement that allowed it.
    return min(grant.now + days, grant.end_time)


def _checked(new: NewRelease, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces, if they are what was announced."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        size += len(piece)
        if size > new.size:
            break
        digest.update(piece)
        yield piece
    if size != new.size or digest.digest() != new.digest:
        raise Refusal(Reason.RELEASE_CORRUPT)


def _check(tx: Transaction, grant: LineGrant, new: NewRelease) -> None:
    """Refuse a release that is too large or not the next one."""
    if new.size < 1:
        raise field_invalid("release.size_bytes", "paling sedikit 1", "at least 1")
    if new.size > grant.policy.max_bytes:
        limit = grant.policy.max_bytes
        raise Refusal(Reason.RELEASE_LIMIT_EXCEEDED, **grant.metadata, limit=limit)
    following = tx.releases.newest(grant.key, grant.line.id) + 1
    if new.version != following:
        raise Refusal(Reason.RELEASE_OUT_OF_ORDER, **grant.metadata, version=following)


def _charge(tx: Transaction, grant: LineGrant) -> None:
    """Count the release on the line's day in Jakarta, or refuse it."""
    # A flow's id has no slash, so a line's count is nobody else's.
    account, limit = f"{grant.key.flow}/{grant.line.id}", grant.policy.per_day
    if tx.quotas.charge(grant.key.agreement, account, jakarta_day(grant.now), 1, limit) is None:
        raise Refusal(Reason.RELEASE_LIMIT_EXCEEDED, **grant.metadata, limit=limit)


def _found(tx: Transaction, grant: LineGrant, version: int) -> ReleaseRecord:
    release = tx.releases.get(grant.key, grant.line.id, version)
    if release is None:
        raise Refusal(Reason.RELEASE_NOT_FOUND, **grant.metadata)
    return release

"""What a requester establishes before it asks: agreement, the tables of today, their key.

1. The provider's copy of the agreement equals the local signed one, and it is in force.
2. The manifests are signed by the provider's key in the local agreement, of this flow, unexpired,
   and not older than what was shown before.
3. Missing tables are downloaded, verified chunk by chunk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from padan.v1 import direct_service_pb2 as pb
from padan.v1.reason_texts import Reason, ServerKind
from padan_client.base.clock import Clock
from padan_client.base.effects import Download, Patience, Steps, work
from padan_client.base.errors import UnavailableError, VerificationError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.base.reasons import refused
from padan_client.base.version import former_made, newer_made
from padan_client.home.folder import Home
from padan_client.home.kept_tables import Arriving, Offered, TableCache
from padan_client.protocol.direct.schemas import direct_schemas
from padan_client.protocol.paging import listed
from padan_client.protocol.progress import Progress, Report, Stage
from padan_client.protocol.session import check_agreement
from padan_client.results.changes import RegistryFacts
from padan_client.results.table import AnsweredBy
from padan_linkage.direct.labelling.lookup import SourceTable
from padan_linkage.direct.manifest import (
    FormerManifestError,
    Manifest,
    ManifestError,
    check_manifest,
    fingerprint,
    in_order,
    manifest_statement,
    verify_manifest,
)
from padan_linkage.direct.schema import DirectSchema
from padan_linkage.direct.table import TableError, split_hashes
from padan_linkage.normalise import NORMALISER_VERSION
from padan_linkage.schema import Schema

#: What helps against a table of a form that was left.
_REMEDY = (
    "Minta penyedia menerbitkan registri lengkap lagi; tidak ada yang ditanyakan.",
    "Ask the provider to publish the whole registry anew; nothing was asked.",
)
#: A flow has a base or two and a delta a day.
_MAX_TABLES = 4096


@dataclass(frozen=True, repr=False)
class DirectSession:
    """One flow of one verified agreement, with the tables that answer it today, oldest first."""

    place: FlowPlace
    fields: Schema
    schema: DirectSchema
    manifests: tuple[Manifest, ...]
    tables: tuple[SourceTable, ...]

    def __repr__(self) -> str:
        return f"DirectSession({self.place.name!r}, epoch={self.epoch})"

    @property
    def epoch(self) -> int:
        """Key epoch of the tables."""
        return self.manifests[0].epoch

    @property
    def public_keys(self) -> tuple[bytes, ...]:
        """What evaluations must be proved under, 32 bytes for each key in the schema's order."""
        given = self.manifests[0].public_keys
        return tuple(bytes.fromhex(given[key.id]) for key in self.schema.keys)

    @property
    def answering(self) -> RegistryFacts:
        """The registry that these tables are."""
        return _facts(self.manifests)

    @property
    def fingerprint(self) -> str:
        """What everybody that these tables answer can compare."""
        return fingerprint(self.manifests)

    def table_ids(self) -> str:
        """The tables' ids, as a job remembers them."""
        return " ".join(m.table for m in self.manifests)


def table_cache(home: Home, place: FlowPlace) -> TableCache:
    """The home's copies of a flow's tables."""
    return TableCache(home.folder / "direct" / "tables", place)


def open_direct(home: Home, place: FlowPlace, now: Clock, report: Report) -> Steps[DirectSession]:
    """Verify the agreement with the provider, and fetch the tables of today.

    Raises VerificationError, RefusedError naming the article, or RefusedError where the provider
    has published nothing.
    """
    direct_schemas(place)
    yield from check_agreement(place, home.patience, ServerKind.PROVIDER, now)
    offered = yield from _list_tables(place, now(), home.patience)
    cache = table_cache(home, place)
    yield from work(lambda: cache.accept(offered))
    for table in offered:
        if not cache.has(table.manifest):
            yield from _fetch(cache, table, place, home.patience, report)
    return (yield from work(lambda: _session(place, cache, [o.manifest for o in offered])))


def cached_session(
    home: Home, place: FlowPlace, table_ids: str, now: datetime
) -> DirectSession | None:
    """The session over tables that a job began with; None if they are not all here and good."""
    cache = table_cache(home, place)
    known = {m.table: m for m in cache.manifests()}
    manifests = [known[i] for i in table_ids.split() if i in known and now < known[i].expires_at]
    if not manifests or len(manifests) != len(table_ids.split()):
        return None
    return _session(place, cache, manifests)


def present_tables(home: Home, place: FlowPlace, now: Clock) -> Steps[RegistryFacts]:
    """The registry that answers now, by its manifests; nothing is downloaded or asked about."""
    offered = yield from _list_tables(place, now(), home.patience)
    return _facts([table.manifest for table in offered])


def _facts(manifests: Sequence[Manifest]) -> RegistryFacts:
    base, newest = manifests[0], manifests[-1]
    by = AnsweredBy(base.table, newest.table)
    return RegistryFacts(by, newest.created_at, base.epoch, base.normaliser_version)


def _session(place: FlowPlace, cache: TableCache, manifests: list[Manifest]) -> DirectSession:
    fields, schema = direct_schemas(place)
    tables = tuple(cache.opened(m) for m in manifests)
    return DirectSession(place, fields, schema, tuple(manifests), tables)


def _list_tables(place: FlowPlace, now: datetime, patience: Patience) -> Steps[list[Offered]]:
    """The verified tables that answer the flow now, the base first."""
    tables = yield from listed(
        "DirectService.ListLabelTables",
        pb.ListLabelTablesRequest(parent=place.name, page_size=16),
        pb.ListLabelTablesResponse,
        "label_tables",
        patience,
        most=_MAX_TABLES,
        peer=ServerKind.PROVIDER,
    )
    verified = [_verified(place, table) for table in tables]
    offered = {o.manifest.table: o for o in verified}
    if not offered:
        raise refused(Reason.TABLE_NOT_FOUND, place, ServerKind.PROVIDER)
    if all(now >= o.manifest.expires_at for o in offered.values()):
        raise _not_signed(place, "expires")
    try:
        manifests = in_order((o.manifest for o in offered.values()), now)
    except ManifestError as error:
        raise _unusable(place, error) from None
    return [offered[m.table] for m in manifests]


def _verified(place: FlowPlace, table: pb.LabelTable) -> Offered:
    """A listed table whose manifest is signed and of this flow; it may have expired."""
    fields, schema = direct_schemas(place)
    statement = manifest_statement(table.manifest)
    sign_key = place.agreement.signer_of(place.flow.provider, statement, table.signature)
    try:
        # Spec 60, step 6: the manifest.
        manifest = verify_manifest(table.manifest, table.signature, sign_key)
        check_manifest(
            manifest,
            agreement=place.agreement.id,
            agreement_digest=place.digest,
            flow=place.flow.id,
            direct_schema_digest=schema.digest(fields),
            key_ids=[key.id for key in schema.keys],
            now=manifest.created_at,
        )
        leaves = split_hashes(table.chunk_hashes, manifest.rows, bytes.fromhex(manifest.root))
    except ManifestError as error:
        raise _unusable(place, error) from None
    except TableError:
        raise _not_signed(place, "chunk_hashes") from None
    if table.name != f"{place.name}/labelTables/{manifest.table}":
        raise _not_signed(place, "name")
    if manifest.normaliser_version != NORMALISER_VERSION:
        raise refused(Reason.NORMALISER_MISMATCH, place, ServerKind.PROVIDER)
    return Offered(manifest, table.manifest, table.signature, leaves)


def _fetch(
    cache: TableCache, offered: Offered, place: FlowPlace, patience: Patience, report: Report
) -> Steps[None]:
    """Download a table; a broken stream is taken up at the next chunk."""
    backoff = patience.start()
    name = f"{place.name}/labelTables/{offered.manifest.table}"
    with cache.arriving(offered) as arriving:
        while arriving.next_chunk < arriving.chunks:
            before = arriving.next_chunk
            request = pb.DownloadLabelTableRequest(name=name, start_chunk=before)
            try:
                yield Download(
                    "DirectService.DownloadLabelTable",
                    request,
                    _TableSink(arriving, report),
                    ServerKind.PROVIDER,
                )
            except UnavailableError as failure:
                if arriving.next_chunk == before:
                    yield backoff.after(failure)
                    continue
            if arriving.next_chunk == before:
                raise _not_signed(place, "rows")
            backoff.progress()
        yield from work(arriving.finish)


@dataclass(frozen=True, repr=False)
class _TableSink:
    """Takes the chunks of a stream."""

    arriving: Arriving
    report: Report

    def __call__(self, message: pb.DownloadLabelTableResponse) -> None:
        self.arriving.take(message.chunk, message.rows)
        done, total = self.arriving.next_chunk, self.arriving.chunks
        self.report(Progress(Stage.DOWNLOAD, done, total))


def _unusable(place: FlowPlace, error: ManifestError) -> VerificationError:
    flow = place.flow.id
    called = f"Tabel penyedia untuk alur {flow}", f"The provider's table for flow {flow}"
    if error.later:
        return VerificationError(newer_made(*called))
    if isinstance(error, FormerManifestError):
        return VerificationError(former_made(*called, _REMEDY))
    return _not_signed(place, error.field)


def _not_signed(place: FlowPlace, field: str) -> VerificationError:
    shown = field if re.fullmatch(r"[a-z_]{1,40}", field) else "manifest"
    return VerificationError(
        t(
            f"Tabel penyedia untuk alur {place.flow.id} tidak dapat dipercaya ({shown}): bukan "
            "yang ditandatangani untuk alur ini, atau sudah kedaluwarsa. Hubungi penyedia.",
            f"The provider's table for flow {place.flow.id} cannot be relied on ({shown}): it is "
            "not what was signed for this flow, or it has expired. Ask the provider.",
        )
    )

"""The provider's side of direct mode: build a label table and publish it into its folder.

1. Prepare the table of records; take the newest epoch's seed, or that of the base of a delta.
2. Find or start the job; merge copies into persons, and build the rows in it.
3. Sign the manifest; move everything into the tables folder at once.
4. Keep the registry, which a later delta needs; close the job.

Nothing travels: ``padan-server provider`` serves what appears in the folder.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa

from padan.v1.reason_texts import ServerKind
from padan_client.base.effects import Steps, work
from padan_client.base.errors import BadInputError, UnavailableError
from padan_client.base.files import ensure_public_folder, sync
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.base.version import former_made
from padan_client.home.folder import Home
from padan_client.home.jobs import Job
from padan_client.protocol.direct.blocks import BlockPlan
from padan_client.protocol.direct.building import Builder, Built
from padan_client.protocol.direct.schemas import direct_schemas, usable_schema
from padan_client.protocol.jobs import Command, JobInput, Stepper, drive
from padan_client.protocol.progress import Progress, Report, Stage
from padan_client.protocol.session import require_not_replaced
from padan_client.records.persons import Consent, Persons
from padan_client.records.registry import Publication, Registry
from padan_client.records.updating import Update, updated
from padan_linkage.agreement import Mode
from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.manifest import (
    MANIFEST_FILE,
    ROWS_FILE,
    SIGNATURE_FILE,
    FormerManifestError,
    KeyedFields,
    Manifest,
    ManifestError,
    TablePublication,
    format_moment,
    manifest_statement,
    parse_moment,
)
from padan_linkage.direct.measuring import Records, measure
from padan_linkage.direct.table import RepeatedTagError
from padan_linkage.edition.damage import damaged
from padan_linkage.normalise import NORMALISER_VERSION

#: Days that a base is good for, unless the provider says otherwise.
DAYS = 31
#: Among a job's names: two labels of its table have one tag.
_REPEATED = "repeated"
#: What manifests count moments in.
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class PublishedTable:
    """A published table: its manifest, how many records it speaks of or lets go, and everybody.

    ``unlabelled``: values of persons that have no label, for too many share them.
    """

    manifest: Manifest
    records: int
    deleted: int
    unlabelled: int
    persons: Persons


@dataclass(frozen=True, repr=False)
class _Table:
    """A table on its way."""

    home: Home
    place: FlowPlace
    job: Job
    base: Manifest | None
    publication: Publication
    days: int

    @property
    def epoch(self) -> int:
        """The key epoch."""
        return self.job.epoch

    @property
    def sequence(self) -> int:
        """0 for a base, otherwise the delta's number."""
        return int(self.job.names["sequence"])

    @property
    def target(self) -> Path:
        """The table's folder once it is published."""
        return tables_folder(self.home) / self.table_id.hex()

    @property
    def folder(self) -> Path:
        """Where the job builds."""
        return self.home.jobs.folder_of(self.job)

    @property
    def table_id(self) -> bytes:
        """The table's id: made once for a job, since labels are bound to it."""
        return Drbg(self.job.seed_bytes()).fork("table id").bytes(16)


def publish_table(
    command: Command[Publication], days: int
) -> Steps[tuple[PublishedTable, Registry]]:
    """Publish what is prepared; a base is good for ``days``, and the base of a delta is a table.

    Returns the table and the registry with its quarantine.
    """
    home, place = command.home, command.place
    require_not_replaced(place, command.now(), ServerKind.PROVIDER, asked=False)
    schema, direct = direct_schemas(place)
    usable = usable_schema(place.flow, unit=False)
    publication = yield from command.prepared(usable)
    base = _base_of(home, place, publication.base)
    given = JobInput(
        kind="publish-direct",
        place=place,
        epoch=base.epoch if base else home.seeds().current(place, command.now()),
        schema_digest=direct.digest(schema),
        records=job_records(publication.registry),
        more=(publication.base, days, *publication.deletes),
    )
    published = yield from drive(home, given, TableStepper(command, place, base, publication, days))
    return published, publication.registry


def job_records(registry: Registry) -> pa.Table:
    """What a job is found by: through Arrow once more, which cuts a column's name at a NUL.

    Jobs have always been named so.
    """
    return pa.table(registry.as_table())


@dataclass(frozen=True, repr=False)
class TableStepper(Stepper[PublishedTable]):
    """The work of publishing a label table."""

    command: Command[Publication]
    place: FlowPlace
    base: Manifest | None
    publication: Publication
    days: int

    def is_gone(self, job: Job) -> Steps[bool]:
        """Whether another delta, or another base, came in between, or its id can make no table."""
        yield from ()
        if _REPEATED in job.names:
            return True
        created = job.names.get("created")
        if created is None or self._table(job).target.exists():
            return False
        if self.base is not None:
            return job.names["sequence"] != self._next_sequence()
        newest = self._newest_base()
        return newest is not None and parse_moment(created) <= newest

    def carry_out(self, job: Job) -> Steps[PublishedTable]:
        """Build the table and move it in; its moment and its sequence are the job's."""
        home = self.command.home
        if "created" not in job.names:
            home.jobs.remember(job, created=self._moment(), sequence=self._next_sequence())
        table = self._table(job)
        return (yield from work(lambda: _publish(table, self.command)))

    def _table(self, job: Job) -> _Table:
        return _Table(self.command.home, self.place, job, self.base, self.publication, self.days)

    def _moment(self) -> str:
        """Now; of a base the second after the newest one's, if that is later."""
        # Spec 60, "One table for everybody": two bases of one moment contradict each other.
        now, newest = self.command.now(), None if self.base else self._newest_base()
        return format_moment(now if newest is None else max(now, newest + _SECOND))

    def _newest_base(self) -> datetime | None:
        mine = (self.place.flow.id, self.place.digest.hex())
        bases = (m for m in published_tables(self.command.home) if not m.is_delta)
        moments = (m.created_at for m in bases if (m.flow, m.agreement_digest) == mine)
        return max(moments, default=None)

    def _next_sequence(self) -> str:
        base = self.base
        if base is None:
            return "0"
        deltas = [m for m in published_tables(self.command.home) if m.base == base.table]
        return str(1 + max((m.sequence for m in deltas), default=0))


def tables_folder(home: Home) -> Path:
    """Where this home publishes its tables."""
    return home.folder / home.config.tables_dir


def _publish(table: _Table, command: Command[Publication]) -> PublishedTable:
    kept, persons = table.home.kept_registries(Mode.DIRECT), None
    if not table.target.exists():
        update = _update(table, command.consent)
        persons, put = update.persons, update.put.registry
        built = _build(table, update, command.report, command.threads)
        given = () if table.base else _measured(table, put, built)
        manifest = _manifest(table, built, given)
        base = manifest.base or manifest.table
        kept.save(table.place, table.epoch, base, table.sequence, persons)
        counts = {"records": len(put), "left": update.left, "unlabelled": built.unlabelled}
        table.home.jobs.remember(table.job, **{name: str(n) for name, n in counts.items()})
        _move_in(table, manifest)
        kept.prune(table.place, table.epoch, base, table.sequence)
    manifest = TablePublication.read(table.target).manifest
    if persons is None:
        base = manifest.base or manifest.table
        persons = kept.load(table.place, table.epoch, base, table.sequence)
    records, left, unlabelled = (
        int(table.job.names[name]) for name in ("records", "left", "unlabelled")
    )
    command.report(Progress(Stage.BUILD, records, records))
    return PublishedTable(manifest, records, left, unlabelled, persons)


def _update(table: _Table, consent: Consent) -> Update:
    """What the table does to the registry of its base."""
    place, before = table.place, None
    if table.base is not None:
        kept = table.home.kept_registries(Mode.DIRECT)
        before = kept.load(place, table.epoch, table.base.table, table.sequence - 1)
    schema = usable_schema(place.flow, unit=False)
    return updated(place.flow, schema, table.publication, before, consent)


def _build(table: _Table, update: Update, report: Report, processes: int) -> Built:
    """Build the rows."""
    home, place, put = table.home, table.place, update.put
    seed = home.seeds().seed(place, table.epoch)
    drbg = Drbg(table.job.seed_bytes())
    part_key = drbg.fork("part files").bytes(32)
    base = bytes.fromhex(table.base.table) if table.base else table.table_id
    tables = table.table_id, base, table.sequence
    plan = BlockPlan.of(place.flow, place.digest, table.epoch, tables, seed, part_key)
    builder = Builder(plan, table.folder, processes, drbg)
    rows, total = table.folder / ROWS_FILE, len(put.registry)

    def done(records: int) -> None:
        report(Progress(Stage.BUILD, records, total))

    try:
        if table.base is None:
            return builder.base(put.registry, rows, done)
        return builder.delta(update.kept, update.gone, put.registry, rows, done)
    except RepeatedTagError:
        # Spec 60, "Label": two tags that meet stop the building; the job begins again.
        home.jobs.remember(table.job, **{_REPEATED: "1"})
        raise _repeated() from None


def _repeated() -> UnavailableError:
    return UnavailableError(
        t(
            "Dua label tabel ini kebetulan bertanda sama. Ulangi perintah yang sama: tabel dibuat "
            "dari awal dengan tanda lain.",
            "Two labels of this table have one tag by chance. Repeat the same command: the table "
            "is built anew with other tags.",
        )
    )


def _measured(table: _Table, registry: Registry, built: Built) -> tuple[KeyedFields, ...]:
    """Whom the keys find, by the fields that a row has; the registry is asked about itself."""
    schema, direct = direct_schemas(table.place)

    def damage(records: Records, drbg: Drbg) -> Records:
        return damaged(records, schema, drbg)

    codes = Payloads.unpack(registry.payloads).codes
    drbg = Drbg(table.job.seed_bytes()).fork("measured")
    deciding = direct.at(built.rows)
    return measure(schema, deciding, registry.records, codes, drbg, damage, built.rarities)


def _manifest(table: _Table, built: Built, given: tuple[KeyedFields, ...]) -> Manifest:
    place, base = table.place, table.base
    schema, direct = direct_schemas(place)
    public_keys = table.home.seeds().public_keys(place, table.epoch)
    created = table.job.names["created"]
    lasts = timedelta(days=table.days)
    return Manifest(
        agreement=place.agreement.id,
        agreement_digest=place.digest.hex(),
        flow=place.flow.id,
        epoch=table.epoch,
        table=table.table_id.hex(),
        base=base.table if base else None,
        sequence=table.sequence,
        public_keys={i: k.hex() for i, k in public_keys.items()},
        root=built.root.hex(),
        rows=built.rows,
        direct_schema_digest=direct.digest(schema).hex(),
        normaliser_version=NORMALISER_VERSION,
        given=given,
        created=created,
        expires=base.expires if base else format_moment(datetime.fromisoformat(created) + lasts),
    )


def _move_in(table: _Table, manifest: Manifest) -> None:
    """Make the table's folder appear whole."""
    folder = ensure_public_folder(tables_folder(table.home))
    draft = folder / f".{manifest.table}.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    # On another disk the rows are copied; the draft's name keeps the server away until they are.
    shutil.move(table.folder / ROWS_FILE, draft / ROWS_FILE)
    (draft / ROWS_FILE).chmod(0o644)
    # Spec 60, step 5.
    own = table.home.identity.holding(table.place.own_keys)
    signature = own.sign(manifest_statement(manifest.document()))
    (draft / MANIFEST_FILE).write_bytes(manifest.document())
    (draft / SIGNATURE_FILE).write_bytes(signature)
    for name in (ROWS_FILE, MANIFEST_FILE, SIGNATURE_FILE):
        sync(draft / name)
    sync(draft)
    draft.rename(table.target)
    sync(folder)


def _base_of(home: Home, place: FlowPlace, given: str) -> Manifest | None:
    """The base that a delta builds on; ``given`` is the id of a base or of one of its deltas."""
    if not given:
        return None
    mine = (place.flow.id, place.digest.hex())
    manifests = {m.table: m for m in published_tables(home) if (m.flow, m.agreement_digest) == mine}
    named = manifests.get(given)
    base = manifests.get(named.base or named.table) if named else None
    if base is None:
        raise _no_base(home, given)
    return base


def _no_base(home: Home, given: str) -> BadInputError:
    folder = tables_folder(home)
    try:
        TablePublication.read(folder / given)
    except FormerManifestError:
        remedy = "Terbitkan registri lengkap.", "Publish the whole registry."
        return BadInputError(former_made(f"Tabel {given}", f"Table {given}", remedy))
    except (ManifestError, ValueError):  # a name that none can have
        pass
    return BadInputError(
        t(
            f"Tabel {given} tidak ada di {folder}, atau bukan dari alur ini.",
            f"There is no table {given} in {folder}, or it is not of this flow.",
        )
    )


def published_tables(home: Home) -> list[Manifest]:
    """The manifests of the tables folder; folders that hold none are left out."""
    found = []
    for folder in sorted(tables_folder(home).glob("[!.]*")):
        try:
            found.append(TablePublication.read(folder).manifest)
        except ManifestError:
            continue
    return found


def remove_tables(home: Home, place: FlowPlace, epoch: int) -> int:
    """Remove the published tables of a destroyed epoch. Returns how many."""
    mine = (place.agreement.id, place.flow.id, epoch)
    doomed = [m for m in published_tables(home) if (m.agreement, m.flow, m.epoch) == mine]
    for manifest in doomed:
        shutil.rmtree(tables_folder(home) / manifest.table)
    return len(doomed)

"""The provider's side: encode the registry, seal its codes to the requester, put it to the unit.

1. Prepare the table; open the session (agreement, epoch, key).
2. Find or start the job; merge copies into persons; make or find the registry's sealer.
3. Put the dataset, pass by pass; measure the edition of a whole registry as its tables are made.
4. Commit it with its edition, signed.
5. Remember the registry, its cover people and its seal, which a later delta needs; close the job.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan.v1 import dataset_service_pb2, resources_pb2
from padan_client.base.effects import Steps, work
from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.home.decoy_book import Page, renewed_pool, sample_pool
from padan_client.home.identity import Randomness
from padan_client.home.jobs import Job
from padan_client.protocol.jobs import Command, JobInput, drive
from padan_client.protocol.session import Session, open_session, unit_schema
from padan_client.protocol.unit.datasets import (
    DatasetUpload,
    Task,
    UnitStepper,
    describe,
    put_dataset,
)
from padan_client.protocol.unit.editions import edition_name, fetch_edition, not_genuine
from padan_client.protocol.unit.measuring import RegistryMeasure
from padan_client.records.registry import Publication, Registry
from padan_client.records.updating import Update, updated
from padan_linkage.agreement import Mode
from padan_linkage.cover import Cover, Decoys, cover_traffic, draw_people, joined, with_cover
from padan_linkage.crypto.sealing import MOST_SEALS, SEAL_ID_BYTES, KeptSeal, Sealer
from padan_linkage.edition.document import Edition
from padan_linkage.encoding import Leaving, PassEncoder, ProviderInputs
from padan_linkage.tables import Chunked

_KEPT = "seal of pass "


@dataclass(frozen=True, repr=False)
class _RegistryEncoder:
    """Makes the table of each pass, the same again for the same job, cover people among them."""

    task: Task
    publication: Publication
    sealer: Sealer
    base: Page | None
    rows: int
    threads: int
    measure: RegistryMeasure | None

    def table(self, pass_id: str) -> Chunked:
        """The pass's table, codes sealed."""
        session, registry = self.task.session, self.publication.registry
        p = session.schema.get_pass(pass_id)
        encoder = PassEncoder(session.schema, p, session.key, threads=self.threads)
        drbg = self.task.drbg.fork(f"table {pass_id}")
        if self._delta is not None:
            provider = self._provider(np.concatenate([self._delta.joined, self._delta.renewed]))
            leaving = Leaving(self.publication.deletes, self._delta.dropped)
            return encoder.encode_delta(
                self._records, people=len(registry), drbg=drbg, provider=provider, leaving=leaving
            ).table
        made = encoder.arrange(
            self._records, people=len(registry), drbg=drbg, provider=self._provider()
        )
        return self.measure.take(p, encoder, made) if self.measure else made

    def page(self) -> Page:
        """What the next delta needs to know of the registry."""
        registry, epoch = self.publication.registry, self.task.session.key.epoch
        passes = self.task.session.schema.passes
        seal = self.sealer.keep([p.id for p in passes], self.rows)
        if self.base is None or self._delta is None:
            pool = sample_pool(registry, self.task.drbg.fork("decoy pool"))
            return Page(epoch, Decoys(self.rows - len(registry)), pool, seal)
        pool = renewed_pool(self.base.pool, registry, self.publication.deletes)
        return Page(epoch, self._delta.after, pool, seal)

    @cached_property
    def _delta(self) -> Cover | None:
        """The cover people that a delta touches, the same in every pass."""
        if self.base is None:
            return None
        spare = self.rows - len(self.publication.registry) - len(self.publication.deletes)
        return cover_traffic(self.base.decoys, spare, self.task.drbg.fork("cover traffic"))

    @cached_property
    def _records(self) -> dict[str, pa.StringArray]:
        """The people, and behind them the cover people, drawn once for all passes."""
        registry, drbg = self.publication.registry, self.task.drbg.fork("cover")
        if self.base is None or self._delta is None:
            return with_cover(self.task.session.schema, registry.records, self.rows, drbg)
        count = self._delta.joined.size + self._delta.renewed.size
        pool = self.base.pool_records()
        cover = draw_people(self.task.session.schema, pool, count, drbg)
        return joined(registry.records, cover)

    def _provider(self, cover: NDArray[np.int64] | None = None) -> ProviderInputs:
        registry, key = self.publication.registry, handle_key(self.task.session)
        return ProviderInputs(self.sealer, registry.payloads, key, registry.ids, cover)


@dataclass(frozen=True, repr=False)
class PublishedDataset:
    """A published registry: its dataset's resource name, what was put, and its edition."""

    name: str
    update: Update
    edition: Edition


def publish(command: Command[Publication]) -> Steps[tuple[PublishedDataset, Session, Registry]]:
    """Publish what is prepared. Returns it, the session and the registry with its quarantine."""
    place = command.place
    publication = yield from command.prepared(unit_schema(place))
    session = yield from open_session(command.home, place)
    given = JobInput(
        kind="publish",
        place=place,
        epoch=session.key.epoch,
        schema_digest=session.schema.digest(),
        records=publication.registry.as_table(),
        more=(publication.base, *publication.deletes),
    )
    stepper = RegistryStepper(command, session, publication)
    published = yield from drive(command.home, given, stepper)
    return published, session, publication.registry


@dataclass(frozen=True, repr=False)
class RegistryStepper(UnitStepper[PublishedDataset]):
    """The work of publishing; ``given`` are the rows, of which persons are published."""

    given: Publication

    def carry_out(self, job: Job) -> Steps[PublishedDataset]:
        """Upload and commit, then remember the registry and its cover people."""
        home, session, task = self.command.home, self.session, self.task(job)
        book, base = home.decoy_book(), self.given.base
        page = (yield from work(lambda: book.load(base))) if base else None
        update = yield from work(self._update)
        rows = session.schema.padded_rows(update.put.record_count)
        seal = page.seal if page else None
        sealer, seal_id = yield from work(lambda: make_sealer(task, home.randomness, seal, rows))
        measure = None
        if not base:
            registry, threads = update.put.registry, self.command.threads
            measure = yield from work(lambda: RegistryMeasure.of(task, registry, threads))
        encoder = _RegistryEncoder(
            task=task,
            publication=update.put,
            sealer=sealer,
            base=page,
            rows=rows,
            threads=self.command.threads,
            measure=measure,
        )
        count = update.put.record_count
        wanted = describe(session, resources_pb2.ROLE_PROVIDER, count, rows)
        wanted.base_dataset = base
        wanted.seal.seal_id = seal_id
        wanted.seal.encapsulated_key = sealer.encapsulated_key
        signed = measure.signed if measure else None
        committed = yield from put_dataset(task, DatasetUpload(wanted, encoder.table, signed))
        edition = yield from self._edition(measure, committed)
        name = committed.name
        kept, epoch = home.kept_registries(Mode.UNIT), session.key.epoch
        yield from work(lambda: kept.save(session.place, epoch, _id(name), 0, update.persons))
        yield from work(lambda: book.save(name, encoder.page()))
        return PublishedDataset(name, update, edition)

    def clean_up(self, _: Job) -> Steps[None]:
        """The base's rows are of no use any more: a delta is made of the newest registry alone."""
        base, kept = self.given.base, self.command.home.kept_registries(Mode.UNIT)
        if base:
            yield from work(lambda: kept.forget(self.session.place, _id(base)))

    def _update(self) -> Update:
        place, before = self.session.place, None
        if self.given.base:
            kept = self.command.home.kept_registries(Mode.UNIT)
            before = kept.load(place, self.session.key.epoch, _id(self.given.base))
        return updated(place.flow, self.session.schema, self.given, before, self.command.consent)

    def _edition(
        self, measure: RegistryMeasure | None, committed: dataset_service_pb2.Dataset
    ) -> Steps[Edition]:
        """The edition that the unit names: the one just made, or else one that is signed here."""
        made = measure.edition if measure else None
        if made is None:
            patience = self.command.home.patience
            return (yield from fetch_edition(self.session, committed.edition, patience))
        if committed.edition != edition_name(self.session.place, made):
            raise not_genuine("name")
        return made


def _id(dataset: str) -> str:
    """A dataset's id."""
    return dataset.rpartition("/")[2]


def make_sealer(
    task: Task, randomness: Randomness, base: KeptSeal | None, rows: int
) -> tuple[Sealer, bytes]:
    """The sealer of a job that seals so many rows a pass, and its seal id.

    A delta's is that of its base; a whole registry's is made once, kept in the job, and found there
    again. Raises BadInputError where the base's can seal no more for this requester.
    """
    session, job = task.session, task.job
    if base is not None:
        if base.receiver != session.peer_exchange_key or base.rows + rows > MOST_SEALS:
            raise BadInputError(
                t(
                    "Segel registri dasar tidak berlaku lagi: kunci pertukaran peminta berganti, "
                    "atau segel itu sudah dipakai sebanyak-banyaknya. Terbitkan registri lengkap.",
                    "The base registry's seal serves no longer: the requester's exchange key "
                    "changed, or it has sealed as much as it may. Publish the whole registry.",
                )
            )
        return session.sealer(base.seal_id, base), base.seal_id
    seal_id = job.secret("seal id") or randomness(SEAL_ID_BYTES)
    sealer = session.sealer(seal_id, _kept_seal(job, session))
    kept = sealer.keep(p.id for p in session.schema.passes)
    secrets = {"seal id": seal_id, "encapsulated key": kept.encapsulated_key}
    secrets |= {_KEPT + pass_id: key for pass_id, key in kept.pass_keys.items()}
    task.jobs.keep(job, secrets)
    return sealer, seal_id


def handle_key(session: Session) -> bytes:
    """Key of the owner's row handles: its own secret, one for each flow and epoch."""
    key = session.key
    label = b"handles\x00" + key.agreement_digest + key.epoch.to_bytes(8, "big")
    return session.identity.derive(label + key.flow_id.encode())


def _kept_seal(job: Job, session: Session) -> KeptSeal | None:
    encapsulated = job.secret("encapsulated key")
    if encapsulated is None:
        return None
    keys = {p.id: job.secret(_KEPT + p.id) or b"" for p in session.schema.passes}
    seal_id = job.secret("seal id") or b""
    return KeptSeal(seal_id, encapsulated, session.peer_exchange_key, keys)

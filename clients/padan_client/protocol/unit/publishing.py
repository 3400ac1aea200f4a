"""The provider's side: encode the registry, seal its codes to the requester, put it to the unit.

1. Prepare the table; open the session (agreement, epoch, key).
2. Find or start the job; merge copies into persons; choose cover people and what they do; make or
   find the registry's sealer.
3. Put the dataset, pass by pass; measure the edition of a whole registry as its tables are made.
4. Commit it with its edition, signed.
5. Remember the registry, its cover people and its seal, which a later delta needs; close the job.
"""

from __future__ import annotations

from dataclasses import dataclass

from padan.v1 import dataset_service_pb2, resources_pb2
from padan.v1.reason_texts import Reason
from padan_client.base.effects import Steps, work
from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.reasons import refused
from padan_client.home.cover.cover_book import Page
from padan_client.home.folder import Home
from padan_client.home.identity import Randomness
from padan_client.home.jobs import Job
from padan_client.protocol.jobs import Command, JobInput, drive
from padan_client.protocol.session import Session, open_session, telling_whose_step, unit_schema
from padan_client.protocol.unit.covering import Covered, covered
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
from padan_linkage.agreement import Mode, Risk
from padan_linkage.crypto.sealing import MOST_SEALS, SEAL_ID_BYTES, KeptSeal, Sealer
from padan_linkage.edition.document import Edition
from padan_linkage.encoding import PassEncoder, ProviderInputs
from padan_linkage.tables import Chunked

_KEPT = "seal of pass "


@dataclass(frozen=True, repr=False)
class _RegistryEncoder:
    """Makes the table of each pass, the same again for the same job, cover people among them."""

    task: Task
    put: Publication
    covered: Covered
    sealer: Sealer
    threads: int
    measure: RegistryMeasure | None

    def table(self, pass_id: str) -> Chunked:
        """The pass's table, codes sealed."""
        session, people = self.task.session, self.put.registry
        p = session.schema.get_pass(pass_id)
        encoder = PassEncoder(session.schema, p, session.key, threads=self.threads)
        drbg = self.task.drbg.fork(f"table {pass_id}")
        numbers, leaving = self.covered.numbers, self.covered.leaving
        key = handle_key(session)
        provider = ProviderInputs(self.sealer, people.payloads, key, people.ids, numbers)
        records, count = self.covered.records, len(people)
        if leaving is not None:
            return encoder.encode_delta(
                records, people=count, drbg=drbg, provider=provider, leaving=leaving
            ).table
        made = encoder.arrange(records, people=count, drbg=drbg, provider=provider)
        return self.measure.take(p, encoder, made) if self.measure else made

    def page(self) -> Page:
        """What the next delta needs to know of the registry."""
        passes, covered = self.task.session.schema.passes, self.covered
        seal = self.sealer.keep([p.id for p in passes], covered.rows)
        return Page(seal, covered.cover, covered.known, covered.pace, covered.uploads)


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
    steps = _published(command.home, given, stepper)
    published = yield from telling_whose_step(session, steps)
    return published, session, publication.registry


def _published(home: Home, given: JobInput, stepper: RegistryStepper) -> Steps[PublishedDataset]:
    _require_base(home, stepper.session, stepper.given.base)
    return (yield from drive(home, given, stepper))


def _require_base(home: Home, session: Session, base: str) -> None:
    """Refuse a delta that the unit would refuse, in its words and before anything is read."""
    if not base:
        return
    place = session.place
    if Risk.DELTAS not in place.flow.accepts:
        raise refused(Reason.DELTAS_NOT_ACCEPTED, place, article=place.article)
    if home.cover_book().epoch_of(base) not in {None, session.key.epoch}:
        raise refused(Reason.EPOCH_MISMATCH, place, article=place.article, differs="epoch")


@dataclass(frozen=True, repr=False)
class RegistryStepper(UnitStepper[PublishedDataset]):
    """The work of publishing; ``given`` are the rows, of which persons are published."""

    given: Publication

    def carry_out(self, job: Job) -> Steps[PublishedDataset]:
        """Upload and commit, then remember the registry and its cover people."""
        home, session, task = self.command.home, self.session, self.task(job)
        book, base = home.cover_book(), self.given.base
        page = (yield from work(lambda: book.load(base))) if base else None
        update = yield from work(self._update)
        made = yield from work(lambda: covered(session.schema, update, page, task.drbg))
        seal, rows = page.seal if page else None, made.rows
        sealer, seal_id = yield from work(lambda: make_sealer(task, home.randomness, seal, rows))
        measure = None
        if not base:
            registry, threads = update.put.registry, self.command.threads
            measure = yield from work(lambda: RegistryMeasure.of(task, registry, threads))
        encoder = _RegistryEncoder(
            task=task,
            put=update.put,
            covered=made,
            sealer=sealer,
            threads=self.command.threads,
            measure=measure,
        )
        # Spec 10, "Deltas": the unit is not told how many of the rows are people's.
        count = rows if base else update.put.record_count
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
        yield from work(lambda: book.save(name, epoch, encoder.page()))
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

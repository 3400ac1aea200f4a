"""The provider's side: encode the registry, seal its codes to the requester, put it to the unit.

1. Prepare the table; open the session (agreement, epoch, key).
2. Find or start the job; make or find its sealer.
3. Put the dataset, pass by pass, and commit it.
4. Remember the registry's decoys, which a later delta needs; close the job.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from padan.v1 import dataset_service_pb2, resources_pb2
from padan_client.base.effects import Steps, work
from padan_client.base.errors import VerificationError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.base.version import VERSION
from padan_client.home.decoy_book import Page, renewed_pool, sample_pool
from padan_client.home.folder import Home
from padan_client.home.jobs import Job, input_digest
from padan_client.protocol.progress import Progress, Report, Stage
from padan_client.protocol.session import Session, open_session, require_role, unit_schema
from padan_client.protocol.unit.datasets import Task, Upload, describe, is_gone, put_dataset
from padan_client.records.registry import Registry
from padan_linkage.crypto.sealing import SEAL_ID_BYTES, KeptSeal, Sealer, SealError
from padan_linkage.encoding import Decoys, PassEncoder, ProviderInputs
from padan_linkage.normalise import NORMALISER_VERSION
from padan_linkage.schema import Schema
from padan_linkage.tables import Chunked

_KEPT = "seal of pass "


@dataclass(frozen=True, repr=False)
class Publication:
    """What to publish: a whole registry; with ``base``, changes and ``deletes`` (record ids)."""

    registry: Registry
    base: str = ""
    deletes: tuple[str, ...] = ()

    @property
    def record_count(self) -> int:
        """Records of the registry, or changed ones of a delta."""
        return len(self.registry) + len(self.deletes)

    def digest(self, key: bytes, session: Session) -> bytes:
        """Names the job: the same command with the same input gives the same digest."""
        context = (
            *job_context(session),
            self.base,
            *self.deletes,
        )
        return input_digest(key, context, self.registry.as_table())


def job_context(session: Session) -> tuple[str | bytes | int, ...]:
    """All but the records that decides what a job encodes; a new version starts a new job."""
    return (
        session.place.digest,
        session.place.flow.id,
        session.key.epoch,
        session.schema.digest(),
        NORMALISER_VERSION,
        VERSION,
    )


@dataclass(frozen=True, repr=False)
class _Encoder:
    """Makes the table of each pass, the same again for the same job, and notes its decoys."""

    task: Task
    publication: Publication
    sealer: Sealer
    base: Page | None
    rows: int
    threads: int
    decoys: dict[str, Decoys] = field(default_factory=dict)

    def table(self, pass_id: str) -> Chunked:
        """The pass's table, codes sealed."""
        session, registry = self.task.session, self.publication.registry
        encoder = PassEncoder(
            session.schema, session.schema.get_pass(pass_id), session.key, threads=self.threads
        )
        provider = ProviderInputs(self.sealer, registry.payloads, handle_key(session), registry.ids)
        drbg = self.task.drbg.fork(f"table {pass_id}")
        if self.base is None:
            return encoder.arrange(registry.records, rows=self.rows, drbg=drbg, provider=provider)
        delta = encoder.encode_delta(
            registry.records,
            deleted=self.publication.deletes,
            decoys=self.base.decoys[pass_id],
            rows=self.rows,
            drbg=drbg,
            provider=provider,
            pool=self.base.pool_records(),
        )
        self.decoys[pass_id] = delta.decoys
        return delta.encoded.table

    def page(self) -> Page:
        """What the next delta needs to know of the registry.

        A delta's pass that an earlier process uploaded is encoded again for its decoys alone.
        """
        registry, passes = self.publication.registry, self.task.session.schema.passes
        epoch = self.task.session.key.epoch
        if self.base is None:
            decoys = Decoys(self.rows - len(registry))
            pool = sample_pool(registry, self.task.drbg.fork("decoy pool"))
            return Page(epoch, {p.id: decoys for p in passes}, pool)
        for p in passes:
            if p.id not in self.decoys:
                self.table(p.id)
        pool = renewed_pool(self.base.pool, registry, self.publication.deletes)
        return Page(epoch, self.decoys, pool)


def publish(
    home: Home,
    agreement: str,
    flow: str,
    prepare: Callable[[FlowPlace, Schema], Publication],
    *,
    report: Report,
    threads: int,
) -> Steps[tuple[str, Session, Publication]]:
    """Publish what ``prepare`` makes. Returns the dataset's name, the session and what was put."""
    signed = home.signed_agreement(agreement)
    place = home.place(agreement, flow)
    require_role(place, place.flow.provider, provider=True)
    report(Progress(Stage.PREPARE, 0, 1))
    publication = yield from work(lambda: prepare(place, unit_schema(place)))
    pa.default_memory_pool().release_unused()  # what reading and normalising took
    session = yield from open_session(
        place, signed.document, home.identity, home.epochs.linkage_key, home.patience
    )
    digest = yield from work(
        lambda: publication.digest(home.identity.derive(b"job digest"), session)
    )
    job = home.jobs.open("publish", digest, agreement=agreement, flow=flow, epoch=session.key.epoch)
    try:
        task = Task(session, job, home.jobs, home.patience, report)
        if (yield from is_gone(task)):
            task = Task(session, home.jobs.renew(job), home.jobs, home.patience, report)
        name = yield from _put(home, task, publication, threads)
        yield from work(lambda: home.jobs.close(task.job))
    finally:
        home.jobs.release(job)
    return name, session, publication


def _put(home: Home, task: Task, publication: Publication, threads: int) -> Steps[str]:
    """Upload and commit, then remember the registry's decoys."""
    session = task.session
    book = home.decoy_book()
    base = (yield from work(lambda: book.load(publication.base))) if publication.base else None
    sealer, seal_id = yield from work(lambda: make_sealer(task, home.randomness))
    encoder = _Encoder(
        task=task,
        publication=publication,
        sealer=sealer,
        base=base,
        rows=session.schema.padded_rows(publication.record_count),
        threads=threads,
    )
    wanted = describe(session, resources_pb2.ROLE_PROVIDER, publication.record_count, encoder.rows)
    wanted.base_dataset = publication.base
    _add_seal(wanted, sealer, seal_id)
    name = yield from put_dataset(task, Upload(wanted, encoder.table))
    yield from work(lambda: book.save(name, encoder.page()))
    return name


def make_sealer(task: Task, randomness: Callable[[int], bytes]) -> tuple[Sealer, bytes]:
    """The job's sealer and seal id: made once, kept in the job, and found there again."""
    session, job = task.session, task.job
    seal_id = job.secret("seal id") or randomness(SEAL_ID_BYTES)
    try:
        sealer = Sealer(
            session.identity.exchange_private(),
            session.peer_exchange_key,
            agreement_digest=session.place.digest,
            flow_id=session.place.flow.id,
            epoch=session.key.epoch,
            seal_id=seal_id,
            kept=_kept_seal(job, session),
        )
    except SealError:
        raise VerificationError(
            t(
                "Kunci pertukaran peminta pada perjanjian tidak dapat dipakai.",
                "The requester's exchange key in the agreement is not usable.",
            )
        ) from None
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


def _add_seal(wanted: dataset_service_pb2.Dataset, sealer: Sealer, seal_id: bytes) -> None:
    wanted.seal.seal_id = seal_id
    wanted.seal.encapsulated_key = sealer.encapsulated_key


def _kept_seal(job: Job, session: Session) -> KeptSeal | None:
    encapsulated = job.secret("encapsulated key")
    if encapsulated is None:
        return None
    keys = {p.id: job.secret(_KEPT + p.id) or b"" for p in session.schema.passes}
    return KeptSeal(encapsulated, keys)

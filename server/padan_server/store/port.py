"""The store ports: what the domain asks of whoever keeps its records and its columns.

A :class:`Store` gives transactions. All that one ``with store.write()`` does becomes durable
together when the block ends, or not at all; writers are serialised, so that what a write block has
read stays true until it ends. The contract tests in ``tests/contract/store`` hold every
implementation to it. Errors: :class:`StoreFullError` when there is no room, :class:`StoreBusyError`
when somebody else holds the store for too long, :class:`StoreUnopenedError` without descriptors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import ClassVar, Protocol

from padan_linkage.answering.answers import PassCounts
from padan_linkage.crypto.heads import Head
from padan_server.base.model import (
    AnsweredRequest,
    AskedSoFar,
    BlindedList,
    Contribution,
    Dataset,
    DatasetState,
    DatasetTable,
    EditionRecord,
    FlowKey,
    HeldRows,
    ReleaseRecord,
    RequestKey,
    Role,
    Run,
    RunState,
    StoreMark,
    Suspension,
    TableRecord,
)


class StoreFaultError(Exception):
    """What the store cannot do just now; nothing that was being written is kept.

    Its text is for whoever runs the server; callers are refused with a reason.
    """

    told: ClassVar[str]

    def __str__(self) -> str:
        return self.told


class StoreFullError(StoreFaultError):
    """There is no room."""

    told = "Tidak ada ruang di data_dir. / There is no room in data_dir."


class StoreBusyError(StoreFaultError):
    """Somebody else holds the store, for longer than a caller waits."""

    told = (
        "Basis data di data_dir dipegang program lain, misalnya cadangan; hentikan program itu, "
        "lalu ulangi. / The database in data_dir is held by another program, a backup say; end "
        "that program, then repeat."
    )


class StoreUnopenedError(StoreFaultError):
    """The process may open no further file, and the store needs one."""

    told = (
        "Batas berkas terbuka tercapai; naikkan LimitNOFILE. / The limit of open files is "
        "reached; raise LimitNOFILE."
    )


class UnusableStoreError(RuntimeError):
    """There is no database where the settings say, or none that can be opened."""

    def __init__(self, place: str, indonesian: str, english: str) -> None:
        super().__init__(f"{place}: {indonesian} / {english}")


class OtherVersionError(RuntimeError):
    """The store was made by another version of Padan, which this one cannot bring up to date."""


class DamagedStoreError(RuntimeError):
    """The store cannot be read back as it was written; nothing has been changed in it."""


class DatasetStore(Protocol):
    """Records of datasets."""

    def add(self, dataset: Dataset) -> Dataset:
        """Keep a new dataset; returns it with its sequence number."""
        ...

    def get(self, dataset_id: str) -> Dataset | None:
        """One dataset with its tables and seals."""
        ...

    def page(self, flow: FlowKey, owner: str, *, before: int, limit: int) -> list[Dataset]:
        """Datasets with ``sequence < before``, newest first."""
        ...

    def begun(self, flow: FlowKey, owner: str, epoch: int) -> bool:
        """Whether the owner ever opened a dataset of that epoch, whatever became of it."""
        ...

    def open(self, flow: FlowKey, owner: str, most: int) -> int:
        """How many datasets of the flow the owner has open, counted up to ``most``."""
        ...

    def newest(self, flow: FlowKey, role: Role, *, epoch: int = 0) -> Dataset | None:
        """The committed dataset whose commit was recorded last, whatever the clock said then.

        Of one epoch, unless ``epoch`` is 0.
        """
        ...

    def set_table(self, dataset_id: str, table: DatasetTable, until: datetime) -> None:
        """Replace one table's record, and keep its dataset until then."""
        ...

    def replace(self, dataset: Dataset) -> None:
        """Replace state, times, edition, tables and seals of a dataset."""
        ...

    def keep_edition(self, edition: EditionRecord) -> None:
        """Keep an edition; harmless to repeat."""
        ...

    def edition(self, flow: FlowKey, name: str) -> EditionRecord | None:
        """The flow's edition of that name."""
        ...

    def held(self, flow: FlowKey, owner: str) -> list[HeldRows]:
        """What the owner's datasets of the flow that have files hold, by pass and kind.

        A sum that changes with every change of a dataset: no more work after many.
        """
        ...

    def are_counted(self) -> bool:
        """Whether the sums of :meth:`held` are what adding up all datasets gives."""
        ...

    def uploads(self, flow: FlowKey, owner: str) -> list[Dataset]:
        """The owner's datasets of the flow that are open, oldest first."""
        ...

    def in_state(self, states: Collection[DatasetState]) -> list[Dataset]:
        """All datasets in one of the states, oldest first."""
        ...


class RunStore(Protocol):
    """Records of runs."""

    def add(self, run: Run) -> Run:
        """Keep a new run; returns it with its sequence number."""
        ...

    def get(self, run_id: str) -> Run | None:
        """One run with the passes that have ended, in the order they ended."""
        ...

    def page(self, flow: FlowKey, owner: str, *, before: int, limit: int) -> list[Run]:
        """Runs with ``sequence < before``, newest first."""
        ...

    def of_owner(self, owner: str, *, before: int, limit: int) -> list[Run]:
        """Runs of every flow with ``sequence < before``, newest first."""
        ...

    def of_dataset(self, dataset_id: str) -> list[Run]:
        """Runs that compare this dataset, on either side."""
        ...

    def lease(self, worker: str, now: datetime, until: datetime) -> Run | None:
        """Take the run whose turn it is; counts an attempt. One whose lease is over waits again.

        It is the oldest that waits of the party with the fewest under way, and among those of the
        one whose last turn is longest ago. No more work because of how many wait.
        """
        ...

    def is_awaited(self, owner: str) -> bool:
        """Whether a run waits of a party that has fewer under way than ``owner``."""
        ...

    def renew(self, run_id: str, worker: str, until: datetime) -> bool:
        """Lengthen a lease; False if the run is no longer this worker's to work on."""
        ...

    def release(self, run_id: str, worker: str, *, counted: bool) -> bool:
        """Let a run wait again, behind other parties'; ``counted``: the attempt counts.

        False if the lease is lost.
        """
        ...

    def release_all(self) -> int:
        """Let every leased run wait again (start-up of the only worker); returns how many.

        Each died with the server, which is no attempt.
        """
        ...

    def progressed(self, run_id: str, worker: str) -> bool:
        """Clear attempts and deaths: something is kept; False if the lease is lost."""
        ...

    def add_pass(self, run_id: str, worker: str, counts: PassCounts) -> bool:
        """Record a finished pass and clear attempts and deaths; False if the lease is lost."""
        ...

    def end(
        self, run_id: str, state: RunState, now: datetime, *, worker: str = "", reason: str = ""
    ) -> bool:
        """End a run that has not ended (with ``worker``: only under its lease)."""
        ...


class AgreementStore(Protocol):
    """Suspensions and key epochs."""

    def suspend(self, suspension: Suspension) -> None:
        """Keep a suspension; a party's second one replaces its first."""
        ...

    def resume(self, agreement: str, party: str) -> None:
        """Drop a party's suspension, if there is one."""
        ...

    def begin_restored(self, agreement: str) -> None:
        """Say in the agreement's chain that it begins anew, by a restore that was declared."""
        ...

    def suspensions(self, agreement: str) -> list[Suspension]:
        """Standing suspensions, oldest first."""
        ...

    def add_contribution(self, contribution: Contribution) -> None:
        """Keep a contribution; one per flow, epoch and party."""
        ...

    def contributions(
        self, flow: FlowKey, *, epoch: int | None = None, skip: int = 0, limit: int | None = None
    ) -> list[Contribution]:
        """Contributions of a flow, newest epoch first, then by party.

        Of one epoch, if it is named; without the first ``skip``, at most ``limit``.
        """
        ...


class QuotaStore(Protocol):
    """Records used by flow and day, lists by flow, epoch and year."""

    def charge(self, agreement: str, flow: str, day: date, records: int, limit: int) -> int | None:
        """Add ``records`` to the day unless that exceeds ``limit``; returns the new sum or None."""
        ...

    def give_back(self, agreement: str, flow: str, day: date, records: int) -> None:
        """Take off what was charged ahead and not used."""
        ...

    def used(self, agreement: str, flow: str, day: date) -> int:
        """Records used on a day."""
        ...

    def asked(self, flow: FlowKey, epoch: int, year: int) -> AskedSoFar:
        """Lists of an epoch, and lists and epochs of a year, over all the agreement's documents."""
        ...

    def epochs(self) -> list[tuple[FlowKey, int]]:
        """Every flow and epoch that was ever asked."""
        ...

    def count_lists(self, flow: FlowKey, epoch: int, year: int, lists: int) -> None:
        """Note that an epoch was asked in a year, by so many more lists; 0: by questions alone."""
        ...


class RequestStore(Protocol):
    """Requests that named themselves, and the resource that answered them."""

    def find(self, key: RequestKey) -> tuple[bytes, str] | None:
        """Digest and resource of the request kept under this party, method and id."""
        ...

    def names(self) -> Iterator[tuple[str, str, str]]:
        """Party, method and id of every request kept."""
        ...

    def remember(self, *kept: AnsweredRequest) -> None:
        """Keep requests; a later answer of one takes the place of an earlier one."""
        ...

    def forget(self, before: datetime) -> int:
        """Drop requests older than ``before``; returns how many."""
        ...


class ListStore(Protocol):
    """Blinded lists, what of them has been evaluated, and what each key has been asked for."""

    def add(self, made: BlindedList) -> None:
        """Keep a new list."""
        ...

    def get(self, list_id: str) -> BlindedList | None:
        """One list with the number of its elements evaluated so far."""
        ...

    def record_chunk(self, list_id: str, chunk: int, elements: int) -> bool:
        """Count a chunk as evaluated, once; False if it was counted before."""
        ...

    def charge_key(self, public_key: bytes, elements: int, limit: int) -> int | None:
        """Add to what a key has been asked for unless that exceeds ``limit``: new sum or None."""
        ...

    def key_used(self, public_key: bytes) -> int:
        """Elements that a key has been asked for."""
        ...


class LabelTableStore(Protocol):
    """Label tables that their provider signed."""

    def add(self, table: TableRecord) -> bool:
        """Keep a table, once; False if it was known."""
        ...

    def get(self, table_id: str) -> TableRecord | None:
        """One table."""
        ...

    def all(self) -> list[TableRecord]:
        """Every table, by id."""
        ...

    def describe(self, table_id: str, manifest: bytes, signature: bytes) -> None:
        """Replace what is kept of a table's files."""
        ...

    def has_epoch(self, flow: FlowKey, epoch: int) -> bool:
        """Whether a table of that epoch has been served."""
        ...

    def left(self, expired: datetime) -> list[TableRecord]:
        """Tables expired at that moment whose destruction is not recorded yet, by id."""
        ...

    def destroyed(self, table_id: str, now: datetime) -> None:
        """Record that a table's files are gone; what was kept of them goes too."""
        ...


class MarkStore(Protocol):
    """The store's mark."""

    def get(self) -> StoreMark | None:
        """The mark; None in a store that has none yet."""
        ...

    def keep(self, mark: StoreMark) -> None:
        """Replace the mark."""
        ...

    def is_unused(self) -> bool:
        """Whether the store has never had a dataset, a run or a release."""
        ...


class HeadStore(Protocol):
    """Chains of what must not go back: one for each agreement, one for each of its flows.

    Whatever else a transaction changes of that appends to them by itself.
    """

    def head(self, agreement: str, flow: str) -> Head:
        """The head of a flow's chain; with an empty ``flow`` that of the agreement."""
        ...

    def at(self, agreement: str, flow: str, generation: int) -> Head | None:
        """What a head was at a generation; None if the chain has not come so far."""
        ...

    def steps(self, agreement: str, flow: str, after: int, limit: int) -> list[bytes]:
        """What leads on from a generation, 32 bytes an event, the first of them first."""
        ...


class ReleaseStore(Protocol):
    """Records of releases."""

    def add(self, release: ReleaseRecord) -> None:
        """Keep a new release; one of each version of a line."""
        ...

    def get(self, flow: FlowKey, line: str, version: int) -> ReleaseRecord | None:
        """One release."""
        ...

    def newest(self, flow: FlowKey, line: str) -> int:
        """The highest version of the line that there ever was; 0 where there was none."""
        ...

    def page(self, flow: FlowKey, line: str, *, before: int, limit: int) -> list[ReleaseRecord]:
        """Releases with ``version < before``, newest first."""
        ...

    def kept(self) -> list[ReleaseRecord]:
        """All releases that are not erased."""
        ...

    def erased(self) -> set[str]:
        """Ids of the releases that are erased."""
        ...

    def erase(self, release_id: str) -> None:
        """Record that a release is erased."""
        ...


class Transaction(Protocol):
    """One consistent view; in a write block also one atomic change."""

    @property
    def datasets(self) -> DatasetStore:
        """Datasets."""
        ...

    @property
    def runs(self) -> RunStore:
        """Runs."""
        ...

    @property
    def agreements(self) -> AgreementStore:
        """Suspensions and epochs."""
        ...

    @property
    def quotas(self) -> QuotaStore:
        """Quotas."""
        ...

    @property
    def requests(self) -> RequestStore:
        """Request ids."""
        ...

    @property
    def lists(self) -> ListStore:
        """Blinded lists."""
        ...

    @property
    def label_tables(self) -> LabelTableStore:
        """Label tables."""
        ...

    @property
    def marks(self) -> MarkStore:
        """The store's mark."""
        ...

    @property
    def heads(self) -> HeadStore:
        """Chains of what must not go back."""
        ...

    @property
    def releases(self) -> ReleaseStore:
        """Releases."""
        ...


class Store(Protocol):
    """Keeps records."""

    def read(self) -> AbstractContextManager[Transaction]:
        """A view that does not change while the block runs."""
        ...

    def write(self) -> AbstractContextManager[Transaction]:
        """An atomic change, durable when the block has ended without an error."""
        ...

    def stamp(self) -> int:
        """Changes whenever a dataset's state, a release or a suspension has: all read is old."""
        ...

    def head(self, agreement: str, flow: str) -> Head:
        """The head of a chain, remembered; never behind one that was given before."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...

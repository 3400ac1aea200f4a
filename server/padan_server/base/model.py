"""What a server keeps: datasets, runs, epochs, blinded lists, as plain immutable records.

Byte fields stay out of every repr, so that none ends in a log line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import AwareDatetime

from padan_linkage.answering.answers import PassCounts


class Role(StrEnum):
    """A party's part in a flow."""

    PROVIDER = "provider"
    REQUESTER = "requester"


class DatasetState(StrEnum):
    """Where a dataset stands. DELETING is seen as DELETED from outside: its files may remain."""

    OPEN = "open"
    COMMITTED = "committed"
    DELETING = "deleting"
    DELETED = "deleted"


class RunState(StrEnum):
    """Where a run stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    #: Its list asked too often about one registry row: no answer of it is told (spec 32).
    CLOSED = "closed"


#: States that a run leaves no more, without answers to read and with them.
UNANSWERED = frozenset({RunState.FAILED, RunState.CANCELLED, RunState.CLOSED})
ENDED = UNANSWERED | {RunState.SUCCEEDED}


@dataclass(frozen=True)
class Encoding:
    """What must be equal on both sides before two rows may be compared.

    ``made_by``: the software that encoded, which refusals name and nobody compares.
    """

    epoch: int
    key_check_value: bytes = field(repr=False)
    schema_digest: bytes = field(repr=False)
    normaliser_version: str
    made_by: str = ""


@dataclass(frozen=True)
class FlowKey:
    """A flow of one exact agreement document: ``digest`` is the SHA-256 of its bytes."""

    agreement: str
    digest: bytes = field(repr=False)
    flow: str


@dataclass(frozen=True)
class DatasetTable:
    """One pass table of a dataset: ``uploaded`` of ``upload_rows`` rows are safe.

    ``rows`` is the number of rows once committed; it differs from ``upload_rows`` in a delta.
    """

    pass_id: str
    upload_rows: int
    rows: int
    uploaded: int = 0
    complete: bool = False
    digest: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Seal:
    """How the codes of a registry and of its deltas are sealed."""

    seal_id: bytes = field(repr=False)
    encapsulated_key: bytes = field(repr=False)


@dataclass(frozen=True)
class Dataset:
    """A registry or a list. ``sequence`` orders datasets by creation; 0 before it is stored.

    ``edition`` is the name of a committed registry's; a delta's is its base's, as its seal is.
    """

    id: str
    flow: FlowKey
    owner: str
    role: Role
    state: DatasetState
    record_count: int
    encoding: Encoding
    tables: tuple[DatasetTable, ...]
    seal: Seal | None
    base: str
    create_time: datetime
    expire_time: datetime
    commit_time: datetime | None = None
    edition: str = ""
    sequence: int = 0

    @property
    def is_delta(self) -> bool:
        """Whether its upload holds changes to ``base`` rather than a whole registry."""
        return bool(self.base)

    @property
    def held(self) -> tuple[HeldRows, ...]:
        """What it takes of its owner's share: what is open as if all of it had been sent."""
        return tuple(
            HeldRows(t.pass_id, self.is_delta, max(t.rows, t.upload_rows)) for t in self.tables
        )

    def table(self, pass_id: str) -> DatasetTable | None:
        """Its table of one pass."""
        return next((t for t in self.tables if t.pass_id == pass_id), None)


@dataclass(frozen=True)
class HeldRows:
    """How many rows of a pass somebody's registries or lists hold, or their deltas."""

    pass_id: str
    is_delta: bool
    rows: int


@dataclass(frozen=True)
class EditionRecord:
    """What a registry's answers rest on, as both parties of the flow may read it (spec 36)."""

    flow: FlowKey
    name: str
    document: bytes = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True)
class Run:
    """One matching. ``attempts`` counts leases since it last kept something.

    ``deaths``: how many more since then ended with the server. ``edition`` is the name of the
    registry's.
    """

    id: str
    flow: FlowKey
    owner: str
    requester_dataset: str
    provider_dataset: str
    state: RunState
    record_count: int
    edition: str
    create_time: datetime
    passes: tuple[PassCounts, ...] = ()
    attempts: int = 0
    deaths: int = 0
    failure_reason: str = ""
    end_time: datetime | None = None
    sequence: int = 0


@dataclass(frozen=True)
class AskedSoFar:
    """What was asked of a flow: lists in an epoch; lists in a year, and the epochs they were in.

    ``known``: the epoch is among the year's.
    """

    lists_of_epoch: int
    lists_of_year: int
    epochs_of_year: int
    known: bool


@dataclass(frozen=True)
class Contribution:
    """A party's signed part in a key epoch."""

    flow: FlowKey
    epoch: int
    party: str
    public_key: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    create_time: datetime


@dataclass(frozen=True)
class Suspension:
    """A party's standing suspension of an agreement."""

    agreement: str
    party: str
    article: str
    create_time: datetime


@dataclass(frozen=True)
class BlindedList:
    """Blinded elements that a requester committed to: their number and the root over them.

    ``public_keys``: of the epoch when the list was committed to, 32 bytes for each direct key in
    the schema's order.
    """

    id: str
    flow: FlowKey
    owner: str
    epoch: int
    public_keys: bytes = field(repr=False)
    element_count: int
    root: bytes = field(repr=False)
    create_time: datetime
    evaluated_count: int = 0


@dataclass(frozen=True)
class TableRecord:
    """A label table that its provider signed, kept after its files are gone.

    ``manifest`` and ``signature`` are the files' bytes, until they are gone: what has to be there.
    Empty in a record of a version that kept neither.
    """

    id: str
    flow: FlowKey
    epoch: int
    sequence: int
    rows: int
    root: bytes = field(repr=False)
    first_time: datetime
    expire_time: datetime
    destroy_time: datetime | None = None
    manifest: bytes = field(default=b"", repr=False)
    signature: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class StoreMark:
    """What a store and the files beside it both carry.

    ``starts``: how often a server has started on them; ``latest``: the latest moment believed;
    ``restored``: when an operator declared that the store was restored, or had lost something.
    """

    name: str
    starts: int
    latest: AwareDatetime | None
    restored: AwareDatetime | None = None

    @property
    def age(self) -> tuple[int, datetime]:
        """Orders the marks of one store, the oldest first."""
        return self.starts, self.latest or datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class ReleaseRecord:
    """One sealed version of a line, for ``receiver``; ``erased`` when its file is gone, or goes."""

    id: str
    flow: FlowKey
    line: str
    version: int
    publisher: str
    receiver: str
    size: int
    digest: bytes = field(repr=False)
    create_time: datetime
    expire_time: datetime
    erased: bool = False


@dataclass(frozen=True)
class RequestKey:
    """A request that names itself (AIP-155): scope, id, and a digest of what was asked."""

    party: str
    method: str
    request_id: str
    digest: bytes = field(repr=False)

    @property
    def name(self) -> tuple[str, str, str]:
        """What makes it one of a kind."""
        return self.party, self.method, self.request_id


@dataclass(frozen=True)
class AnsweredRequest:
    """A request, the resource that answers it, and when that was made."""

    key: RequestKey
    resource: str
    moment: datetime

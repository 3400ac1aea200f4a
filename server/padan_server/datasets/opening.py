"""What a dataset must be to be opened: checked before a row travels (spec 30, "Datasets")."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from padan_linkage.agreement import Risk
from padan_server.admission.compatibility import check_schema, check_sides
from padan_server.admission.enforcement import Grant
from padan_server.admission.quotas import check_batch
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.model import Dataset, DatasetState, DatasetTable, Encoding, Role, Seal
from padan_server.datasets.owners import newest_base
from padan_server.datasets.retention import upload_end
from padan_server.store.port import Transaction

MOST_IN_DATASET = 1_000_000_000


@dataclass(frozen=True)
class NewDataset:
    """What a caller asks to open. ``tables`` are (pass id, rows); ``base`` is a dataset id."""

    role: Role
    record_count: int
    encoding: Encoding
    tables: tuple[tuple[str, int], ...]
    seal: Seal | None
    base: str


def opened(grant: Grant, new: NewDataset) -> Dataset:
    """The dataset that is opened, once all checks are passed."""
    order = [p.id for p in grant.schema.passes]
    return Dataset(
        id=secrets.token_hex(16),
        flow=grant.key,
        owner=grant.party,
        role=grant.role,
        state=DatasetState.OPEN,
        record_count=new.record_count,
        encoding=new.encoding,
        tables=tuple(
            DatasetTable(pass_id, rows, rows)
            for pass_id, rows in sorted(new.tables, key=lambda t: order.index(t[0]))
        ),
        seal=new.seal,
        base=new.base,
        create_time=grant.now,
        expire_time=upload_end(grant, grant.now),
    )


def check_request(grant: Grant, new: NewDataset) -> None:
    """Refuse what the agreement and the schema alone show to be wrong."""
    if new.role is not grant.role:
        raise Refusal(Reason.ROLE_NOT_PERMITTED, **grant.metadata)
    provider = grant.role is Role.PROVIDER
    if (new.seal is not None) != provider:
        raise field_invalid(
            "dataset.seal",
            "wajib untuk penyedia dan dilarang untuk peminta",
            "required of a provider and forbidden to a requester",
        )
    if new.base and not provider:
        raise field_invalid(
            "dataset.base_dataset", "hanya untuk registri penyedia", "only for a registry"
        )
    if new.base and Risk.DELTAS not in grant.flow.accepts:
        raise Refusal(Reason.DELTAS_NOT_ACCEPTED, **grant.metadata)
    check_schema(grant, new.encoding)
    if not provider:
        check_batch(grant, new.record_count)
    _check_tables(grant, new)


def _check_tables(grant: Grant, new: NewDataset) -> None:
    wanted = {p.id for p in grant.schema.passes}
    given = [pass_id for pass_id, _ in new.tables]
    # Spec 10, "Deltas": how many of a delta's rows are people's is nobody's but their owner's.
    rows = new.record_count if new.base else grant.schema.padded_rows(new.record_count)
    if sorted(given) != sorted(wanted):
        raise Refusal(Reason.TABLES_INVALID, **grant.metadata, field="dataset.tables")
    for pass_id, count in new.tables:
        if count != rows:
            raise Refusal(
                Reason.TABLES_INVALID,
                **grant.metadata,
                field=f"dataset.tables[{pass_id}].row_count",
            )


def check_other_side(tx: Transaction, grant: Grant, new: NewDataset) -> None:
    """Compare with what the other side last committed.

    A provider may begin a new epoch while lists of the old one are still there; a requester must
    follow the newest registry.
    """
    if grant.role is Role.REQUESTER:
        other = tx.datasets.newest(grant.key, Role.PROVIDER)
    else:
        other = tx.datasets.newest(grant.key, Role.REQUESTER, epoch=new.encoding.epoch)
        _check_whole_once(tx, grant, new)
    if other is not None:
        check_sides(grant, new.encoding, other.encoding)


def _check_whole_once(tx: Transaction, grant: Grant, new: NewDataset) -> None:
    """A registry that is published anew in its epoch is an update too: what recurs would show."""
    if new.base or Risk.DELTAS in grant.flow.accepts:
        return
    if tx.datasets.begun(grant.key, grant.party, new.encoding.epoch):
        raise Refusal(Reason.DELTAS_NOT_ACCEPTED, **grant.metadata)


def base_of(tx: Transaction, grant: Grant, new: NewDataset) -> Dataset | None:
    """The registry that a delta is of, None where it is none."""
    if not new.base:
        return None
    base = newest_base(tx, grant, new.base)
    check_sides(grant, new.encoding, base.encoding)
    if new.seal != base.seal:
        raise field_invalid(
            "dataset.seal",
            "harus sama dengan segel registri dasarnya; dengan segel baru terbitkan registri penuh",
            "must be that of its base; with a new seal publish the whole registry",
        )
    return base

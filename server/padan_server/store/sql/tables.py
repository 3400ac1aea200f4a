"""The SQL tables. Moments are microseconds since 1970 UTC, so that every database orders them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: SQLite counts up only an INTEGER PRIMARY KEY.
_Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _bytes(name: str, **options: Any) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False, **options)


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **options)


def _number(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, **options)


datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    _text("id", unique=True),
    _text("agreement"),
    _bytes("agreement_digest"),
    _text("flow"),
    _text("owner"),
    _text("role"),
    _text("state"),
    _number("record_count"),
    _number("epoch"),
    _bytes("key_check_value"),
    _bytes("schema_digest"),
    _text("normaliser_version"),
    # Software that encoded it; empty where it did not say.
    _text("made_by", server_default=""),
    _text("base"),
    _number("create_time"),
    _number("expire_time"),
    sa.Column("commit_time", sa.BigInteger),
    _text("edition"),
    # Orders commits whatever the clock does; 0 before the commit.
    _number("commit_sequence"),
    sa.Index("datasets_of_flow", "agreement", "agreement_digest", "flow", "owner", "sequence"),
    sa.Index("datasets_by_state", "state"),
    sa.Index("datasets_of_owner", "agreement", "agreement_digest", "flow", "owner", "state"),
    sa.Index("datasets_by_commit", "commit_sequence"),
    sa.Index("datasets_committed", "agreement", "flow", "role", "state", "commit_sequence"),
    sa.Index(
        *("datasets_of_epoch", "agreement", "flow", "role", "state", "epoch", "commit_sequence")
    ),
    sqlite_autoincrement=True,
)

dataset_tables = sa.Table(
    "dataset_tables",
    metadata,
    _text("dataset", primary_key=True),
    _text("pass_id", primary_key=True),
    _number("place"),
    _number("upload_rows"),
    _number("rows"),
    _number("uploaded"),
    sa.Column("complete", sa.Boolean, nullable=False),
    _bytes("digest"),
)

#: What ``dataset_tables`` hold of datasets that have files, summed by owner: nobody adds it up.
held_rows = sa.Table(
    "held_rows",
    metadata,
    _text("agreement", primary_key=True),
    _bytes("agreement_digest", primary_key=True),
    _text("flow", primary_key=True),
    _text("owner", primary_key=True),
    _text("pass_id", primary_key=True),
    sa.Column("is_delta", sa.Boolean, primary_key=True),
    _number("rows"),
)

seals = sa.Table(
    "seals",
    metadata,
    _text("dataset", primary_key=True),
    _bytes("seal_id"),
    _bytes("encapsulated_key"),
)

editions = sa.Table(
    "editions",
    metadata,
    _text("agreement", primary_key=True),
    _bytes("agreement_digest", primary_key=True),
    _text("flow", primary_key=True),
    _text("name", primary_key=True),
    _bytes("document"),
    _bytes("signature"),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    _text("id", unique=True),
    _text("agreement"),
    _bytes("agreement_digest"),
    _text("flow"),
    _text("owner"),
    _text("requester_dataset", index=True),
    _text("provider_dataset", index=True),
    _text("state"),
    _number("record_count"),
    _text("edition"),
    _number("attempts"),
    _number("deaths"),
    _text("lease_owner"),
    _number("lease_until"),
    _text("failure_reason"),
    _number("create_time"),
    sa.Column("end_time", sa.BigInteger),
    sa.Index("runs_of_flow", "agreement", "agreement_digest", "flow", "owner", "sequence"),
    sa.Index("runs_of_owner", "owner", "sequence"),
    sa.Index("runs_by_state", "state", "owner", "sequence"),
    sqlite_autoincrement=True,
)

#: When each party last had a worker, as a number that only grows; 0: never.
run_turns = sa.Table(
    "run_turns",
    metadata,
    _text("owner", primary_key=True),
    _number("turn"),
)

run_passes = sa.Table(
    "run_passes",
    metadata,
    _text("run", primary_key=True),
    _text("pass_id", primary_key=True),
    _number("place"),
    _number("requester_rows"),
    _number("provider_rows"),
    _number("matched_rows"),
    _number("ambiguous_rows"),
    _number("undecided_rows"),
)

suspensions = sa.Table(
    "suspensions",
    metadata,
    _text("agreement", primary_key=True),
    _text("party", primary_key=True),
    _text("article"),
    _number("create_time"),
)

contributions = sa.Table(
    "contributions",
    metadata,
    _text("agreement", primary_key=True),
    _bytes("agreement_digest", primary_key=True),
    _text("flow", primary_key=True),
    _number("epoch", primary_key=True),
    _text("party", primary_key=True),
    _bytes("public_key"),
    _bytes("signature"),
    _number("create_time"),
)

quota_days = sa.Table(
    "quota_days",
    metadata,
    _text("agreement", primary_key=True),
    _text("flow", primary_key=True),
    _text("day", primary_key=True),
    _number("used"),
)

quota_epochs = sa.Table(
    "quota_epochs",
    metadata,
    _text("agreement", primary_key=True),
    _bytes("agreement_digest", primary_key=True),
    _text("flow", primary_key=True),
    _number("epoch", primary_key=True),
    _number("year", primary_key=True),
    _number("lists"),
)

blinded_lists = sa.Table(
    "blinded_lists",
    metadata,
    _text("id", primary_key=True),
    _text("agreement"),
    _bytes("agreement_digest"),
    _text("flow"),
    _text("owner"),
    _number("epoch"),
    _bytes("public_keys"),
    _number("element_count"),
    _bytes("root"),
    _number("evaluated_count"),
    _number("create_time"),
)

blinded_chunks = sa.Table(
    "blinded_chunks",
    metadata,
    _text("list", primary_key=True),
    _number("chunk", primary_key=True),
)

evaluation_keys = sa.Table(
    "evaluation_keys",
    metadata,
    _bytes("public_key", primary_key=True),
    _number("used"),
)

label_tables = sa.Table(
    "label_tables",
    metadata,
    _text("id", primary_key=True),
    _text("agreement"),
    _bytes("agreement_digest"),
    _text("flow"),
    _number("epoch"),
    _number("sequence"),
    _number("rows"),
    _bytes("root"),
    _number("first_time"),
    _number("expire_time"),
    sa.Column("destroy_time", sa.BigInteger),
    sa.Column("manifest", sa.LargeBinary),
    sa.Column("signature", sa.LargeBinary),
)

releases = sa.Table(
    "releases",
    metadata,
    _text("id", primary_key=True),
    _text("agreement"),
    _bytes("agreement_digest"),
    _text("flow"),
    _text("line"),
    _number("version"),
    _text("publisher"),
    _text("receiver"),
    _number("size"),
    _bytes("digest"),
    _number("create_time"),
    _number("expire_time"),
    sa.Column("erased", sa.Boolean, nullable=False),
    sa.UniqueConstraint("agreement", "agreement_digest", "flow", "line", "version"),
)

#: What must not go back, a chain for each agreement and (``flow``) each of its flows.
heads = sa.Table(
    "heads",
    metadata,
    _bytes("store", primary_key=True),
    _text("agreement", primary_key=True),
    _text("flow", primary_key=True),
    _number("generation", primary_key=True),
    _bytes("event"),
    _bytes("digest"),
)

#: One row: what the files beside the store carry too.
marks = sa.Table(
    "marks",
    metadata,
    _text("name", primary_key=True),
    _number("starts"),
    sa.Column("latest", sa.BigInteger),
    sa.Column("restored", sa.BigInteger),
)

requests = sa.Table(
    "requests",
    metadata,
    _text("party", primary_key=True),
    _text("method", primary_key=True),
    _text("request_id", primary_key=True),
    _bytes("digest"),
    _text("resource"),
    _number("create_time", index=True),
)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The moment, aware, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)

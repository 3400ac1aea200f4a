"""The two sides of a rehearsal: files to records to pass tables, exactly as in production."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records import prepare, read_table
from padan_client.rehearse.schema_file import Columns
from padan_linkage.advice import joined_columns
from padan_linkage.answering.payloads import Payloads
from padan_linkage.cover import with_cover
from padan_linkage.crypto.keys import LinkageKey, exchange_public_key
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.crypto.sealing import SEAL_ID_BYTES, Opener, Sealer
from padan_linkage.encoding import EncodedPass, PassEncoder, ProviderInputs
from padan_linkage.schema import Pass, Schema

#: Columns that name the rows where the user names none; the first that there is.
DEFAULT_IDS = ("rec_id", "id")
#: A column of row numbers, where no column of the file names its rows.
_NUMBER = "\x00row"
_FLOW, _EPOCH = "rehearsal", 1

Fields = dict[str, pa.StringArray]


@dataclass(frozen=True, repr=False)
class Records:
    """One file's rows that some pass can use.

    ``ids``: of all rows of the file; ``rows``: int64[n], the usable ones; ``fields``: their
    normalised values; ``quarantined``: rows that no pass can use.
    """

    ids: pa.StringArray
    rows: NDArray[np.int64]
    fields: dict[str, pa.StringArray]
    quarantined: int

    def __len__(self) -> int:
        return len(self.rows)


def read_side(
    path: Path,
    schema: Schema,
    columns: Mapping[str, Columns],
    id_column: str | None,
    *,
    listed: bool = False,
) -> Records:
    """Read, check and normalise one file. Raises BadInputError.

    Without ``id_column`` the ids come from the column rec_id or id where there is one, filled and
    without repeats; else they are the row numbers. ``listed``: as :func:`prepare` has it.
    """
    table = read_table(path)
    if id_column is None:
        id_column = _id_column(table)
    table, single = _joined(table, columns)
    prepared = prepare(table, schema, single, id_column, listed=listed)
    rows = np.flatnonzero(prepared.usable).astype(np.int64)
    if not len(rows):
        raise BadInputError(
            t(
                f"{path.name}: tidak ada baris yang dapat dipakai jalur mana pun.",
                f"{path.name}: no pass can use any of its rows.",
            )
        )
    return Records(
        ids=prepared.ids,
        rows=rows,
        fields={name: column.take(pa.array(rows)) for name, column in prepared.fields.items()},
        quarantined=len(prepared.ids) - len(rows),
    )


def named_rows(table: pa.Table, id_column: str | None) -> tuple[pa.Table, str]:
    """The table and the column that names its rows, of their numbers where there is none."""
    name = id_column or _id_column(table)
    if name is not None:
        return table, name
    numbers = pa.array(np.arange(1, table.num_rows + 1)).cast(pa.string())
    return table.append_column(_NUMBER, numbers), _NUMBER


def _id_column(table: pa.Table) -> str | None:
    """The first of the usual columns that can name the rows."""
    return next((name for name in DEFAULT_IDS if _names_rows(table, name)), None)


def _names_rows(table: pa.Table, name: str) -> bool:
    """Whether the table has a column of that name, filled and without repeats."""
    if name not in table.column_names:
        return False
    values = table.column(name)
    return len(values.unique()) == len(values) and not pc.any(pc.equal(values, "")).as_py()


def _joined(table: pa.Table, columns: Mapping[str, Columns]) -> tuple[pa.Table, dict[str, str]]:
    """The table with one column for every field that several make, and which column is whose."""
    single = {}
    for name, parts in columns.items():
        single[name] = " + ".join(parts)
        present = all(part in table.column_names for part in parts)
        if len(parts) > 1 and present and single[name] not in table.column_names:
            table = table.append_column(single[name], joined_columns(table, parts))
    return table, single


class Keys:
    """Throw-away keys of both agencies, and what is made with them; all from one seed.

    The seed alone opens everything: a rehearsal is no place for data that must stay secret.
    """

    def __init__(self, schema: Schema, seed: bytes) -> None:
        self._drbg = Drbg(hashlib.sha256(b"padan rehearsal\x00" + seed).digest())
        self._schema = schema
        self._digest = schema.digest()
        self._provider_private = self._drbg.bytes(32)
        self._requester_private = self._drbg.bytes(32)
        self._handle_key = self._drbg.bytes(32)
        self._key = LinkageKey(self._drbg.bytes(32), self._digest, _FLOW, _EPOCH)
        self._seal_id = self._drbg.bytes(SEAL_ID_BYTES)
        self._sides: dict[int, tuple[Records, Fields]] = {}
        self._encoders: dict[tuple[bytes, str, int], PassEncoder] = {}
        self._sealer = Sealer(
            self._provider_private,
            exchange_public_key(self._requester_private),
            agreement_digest=self._digest,
            flow_id=_FLOW,
            epoch=_EPOCH,
            seal_id=self._seal_id,
        )

    def __repr__(self) -> str:
        return "Keys(…)"

    def encode(
        self,
        p: Pass,
        records: Records,
        *,
        provider: bool,
        threads: int,
        schema: Schema | None = None,
        payloads: NDArray[np.uint8] | None = None,
        cover: bool = True,
    ) -> EncodedPass:
        """The table of pass ``p`` that this side would send; ``schema``: not that of these keys.

        ``payloads``: uint8[n, 16], what the codes say; by default all say the same. ``cover``:
        with the cover people behind them that this side would send.
        """
        schema = schema or self._schema
        if payloads is None:
            payloads = Payloads.of(np.ones(len(records), dtype=np.uint64)).pack()
        inputs = ProviderInputs(
            sealer=self._sealer,
            payloads=payloads,
            handle_key=self._handle_key,
            ids=records.ids.take(pa.array(records.rows)),
        )
        return self._encoder(schema, p, threads).encode(
            self._covered(records) if cover else records.fields,
            people=len(records),
            drbg=self._drbg.fork(f"{p.id} {provider}"),
            provider=inputs if provider else None,
        )

    def _covered(self, records: Records) -> Fields:
        """The records of a side and behind them their cover people, the same in every pass."""
        if id(records) not in self._sides:
            rows = self._schema.padded_rows(len(records))
            drbg = self._drbg.fork("cover")
            fields = with_cover(self._schema, records.fields, rows, drbg)
            self._sides[id(records)] = records, fields
        return self._sides[id(records)][1]

    def _encoder(self, schema: Schema, p: Pass, threads: int) -> PassEncoder:
        """The encoder of a pass; making its diffusion takes longer than a short list."""
        key = (schema.digest(), p.id, threads)
        if key not in self._encoders:
            self._encoders[key] = PassEncoder(schema, p, self._key, threads=threads)
        return self._encoders[key]

    def ask(self, p: Pass, questions: Mapping[str, pa.StringArray], threads: int) -> EncodedPass:
        """What a registry is asked about itself in pass ``p``, as a requester would ask."""
        drbg = self._drbg.fork(f"questions {p.id}")
        return self._encoder(self._schema, p, threads).encode(questions, drbg=drbg)

    def randomness(self, label: str) -> Drbg:
        """Randomness for one purpose, from the same seed."""
        return self._drbg.fork(label)

    def opener(self) -> Opener:
        """What the requester opens codes with."""
        return Opener(
            self._requester_private,
            exchange_public_key(self._provider_private),
            agreement_digest=self._digest,
            flow_id=_FLOW,
            epoch=_EPOCH,
            seal_id=self._seal_id,
            encapsulated_key=self._sealer.encapsulated_key,
        )

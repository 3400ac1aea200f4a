"""From normalised records to pass tables: what leaves the house.

Start at :func:`encode_table`. Spec: ``proto/spec/10-encoding.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.crypto.sealing import Sealer
from padan_linkage.encoding.columns import StringColumn, all_present
from padan_linkage.encoding.decoys import Decoys, cover_traffic, recombine
from padan_linkage.encoding.diffusion import diffusion_rows
from padan_linkage.encoding.handles import decoy_handles, record_handles
from padan_linkage.encoding.rows import FilterMaker, PassRows
from padan_linkage.encoding.selftest import check_kernels
from padan_linkage.encoding.sha256 import HASH_BYTES
from padan_linkage.encoding.tokens import Tokens, buckets, make_tokens, salt_keys
from padan_linkage.normalise import exact_values
from padan_linkage.normalise.normalised import MAX_CHARACTERS
from padan_linkage.schema import TOKEN_BYTES, Layout, Pass, Schema
from padan_linkage.tables import PassTable

Records = Mapping[str, StringColumn]
Numbers = NDArray[np.int64]
Column = NDArray[np.uint8]

UPSERT, DELETE = 1, 2
_MAX_LABELS = 256
#: Records that are hashed at a time.
_BLOCK = 1 << 18


@dataclass(frozen=True, repr=False)
class ProviderInputs:
    """What a provider's table has beyond a requester's, in the order of the records.

    ``payloads`` is ``uint8[n, 16]`` (see :mod:`padan_linkage.answering.payloads`), ``ids`` the
    records' own ids, ``handle_key`` 32 secret bytes that never leave the provider.
    """

    sealer: Sealer
    payloads: Column
    handle_key: bytes
    ids: pa.StringArray


@dataclass(frozen=True, repr=False)
class EncodedPass:
    """One pass's table, and what its owner keeps to understand the answers.

    ``record_of_row`` is ``int64[rows]``, -1 for a decoy; ``tokens`` ``uint8[rows, 16]``: secret,
    needed to open sealed codes.
    """

    table: PassTable
    record_of_row: Numbers
    tokens: Column

    @classmethod
    def of(cls, rows: PassRows) -> EncodedPass:
        """All of ``rows``."""
        return cls(rows.whole(), rows.record_of_row, rows.tokens)

    def __repr__(self) -> str:
        return f"EncodedPass({self.table!r})"


@dataclass(frozen=True, repr=False)
class EncodedDelta:
    """One pass's table of changes, and the decoys that the registry's pass has after it."""

    encoded: EncodedPass
    decoys: Decoys

    def __repr__(self) -> str:
        return f"EncodedDelta({self.encoded.table!r})"


@dataclass(frozen=True, repr=False)
class _Slots:
    """Rows before they are shuffled, ``int64[rows]`` each.

    ``record``: whom the row answers for, or -1; ``exact`` and ``other``: the records whose exact
    and other fields it shows, or -1.
    """

    record: Numbers
    exact: Numbers
    other: Numbers


@dataclass(frozen=True, repr=False)
class _Shuffled:
    """Rows in their final order: as in _Slots, with each row's hash ``uint8[rows, 32]``.

    Provider only: ``handles`` ``uint8[rows, 16]``; deltas only: ``operations`` ``uint8[rows, 1]``.
    """

    record: Numbers
    other: Numbers
    hashes: Column
    handles: Column | None
    operations: Column | None


def encode_table(
    schema: Schema,
    p: Pass,
    key: LinkageKey,
    records: Records,
    *,
    rows: int,
    drbg: Drbg,
    provider: ProviderInputs | None = None,
    threads: int = 1,
) -> EncodedPass:
    """The table of pass ``p``: every record once, decoys up to ``rows``, in random order.

    ``records`` are normalised columns of one length n, "" for a missing value; ``rows`` at least n,
    ``schema.padded_rows(n)`` for an upload. Without ``provider`` they are a list's, and those with
    a field of ``p.without`` are nobody in the table. Raises ValueError when they do not fit.
    """
    return PassEncoder(schema, p, key, threads=threads).encode(
        records, rows=rows, drbg=drbg, provider=provider
    )


class PassEncoder:
    """Encodes one pass under one key; keeps the diffusion rows between calls.

    Make one and keep it where records come one at a time. Safe to share between threads. Raises
    StaleKernelError if the compiled kernels are of another version.
    """

    def __init__(self, schema: Schema, p: Pass, key: LinkageKey, *, threads: int = 1) -> None:
        check_kernels()
        digest = schema.digest()
        labels = [segment.label for segment in p.similar]
        if len(labels) > _MAX_LABELS:
            raise ValueError(f"pass {p.id}: at most {_MAX_LABELS} segments")
        self._schema, self._pass = schema, p
        # Spec 20, step 7.
        self._token_key = key.subkey("token", digest, p.id)
        self._fill_keys = {
            side: key.subkey("fill", digest, p.id, side) for side in ("provider", "requester")
        }
        diffusion = {
            segment.label: diffusion_rows(
                key.subkey("diffusion", digest, p.id, segment.label),
                segment.bits,
                segment.diffusion,
            )
            for segment in p.similar
        }
        numbers = {label: labels.index(label) for label in labels}
        self._maker = FilterMaker(schema, p, diffusion, numbers, max(1, threads))

    def __repr__(self) -> str:
        return f"PassEncoder({self._pass.id!r}, …)"

    def encode(
        self, records: Records, *, rows: int, drbg: Drbg, provider: ProviderInputs | None = None
    ) -> EncodedPass:
        """As :func:`encode_table`."""
        return EncodedPass.of(self.arrange(records, rows=rows, drbg=drbg, provider=provider))

    def arrange(
        self, records: Records, *, rows: int, drbg: Drbg, provider: ProviderInputs | None = None
    ) -> PassRows:
        """As :func:`encode_table`, but filters and tags are made chunk by chunk, on demand."""
        drbg = drbg.fork(f"encode {self._pass.id}")
        count = _record_count(records, provider)
        if rows < count:
            raise ValueError(f"{count} records do not fit {rows} rows")
        records = _in_one_piece(records)
        handles = None
        if provider is not None:
            of_records = record_handles(provider.handle_key, self._pass.id, provider.ids)
            of_decoys = decoy_handles(provider.handle_key, self._pass.id, np.arange(rows - count))
            handles = np.concatenate([of_records, of_decoys])
        elsewhere = self._elsewhere(records) if provider is None else None
        shuffled = self._shuffled(records, rows, drbg, elsewhere=elsewhere, handles=handles)
        return self._finish(records, shuffled, provider, drbg)

    def encode_delta(
        self,
        changed: Records,
        *,
        deleted: Sequence[str],
        decoys: Decoys,
        rows: int,
        drbg: Drbg,
        provider: ProviderInputs,
        pool: Records | None = None,
    ) -> EncodedDelta:
        """As :func:`encode_delta`."""
        drbg = drbg.fork(f"delta {self._pass.id}")
        count = _record_count(changed, provider)
        if not set(provider.ids.to_pylist()).isdisjoint(deleted) or len(set(deleted)) != len(
            deleted
        ):
            raise ValueError("a delta names every record once")
        spare = rows - count - len(deleted)
        if spare < 0:
            raise ValueError(f"{count + len(deleted)} changes do not fit {rows} rows")
        cover = cover_traffic(decoys, spare, drbg)
        records = _in_one_piece(changed) if pool is None else _in_one_piece(changed, pool)
        pass_id, key = self._pass.id, provider.handle_key
        joined_or_renewed = np.concatenate([cover.joined, cover.renewed])
        handles = [
            record_handles(key, pass_id, provider.ids),
            decoy_handles(key, pass_id, joined_or_renewed),
            record_handles(key, pass_id, pa.array(deleted, pa.string())),
            decoy_handles(key, pass_id, cover.dropped),
        ]
        upserts = count + joined_or_renewed.size
        operations = np.where(np.arange(rows) < upserts, UPSERT, DELETE).astype(np.uint8)
        shuffled = self._shuffled(
            records,
            rows,
            drbg,
            count=count,
            handles=np.concatenate(handles),
            operations=operations.reshape(-1, 1),
        )
        made = self._finish(records, shuffled, provider, drbg)
        return EncodedDelta(EncodedPass.of(made), cover.after)

    def _tokens(self, records: dict[str, pa.StringArray]) -> Tokens:
        """Every record's hash."""
        return self._blockwise(
            records, self._token_key, lambda some: exact_values(self._schema, self._pass, some)
        )

    def _blockwise(
        self,
        records: dict[str, pa.StringArray],
        key: bytes,
        columns: Callable[[dict[str, pa.StringArray]], Sequence[StringColumn]],
    ) -> Tokens:
        """Hashes of ``columns``; so many at a time that what they are made of stays small."""
        count = len(next(iter(records.values())))
        if count <= _BLOCK:
            return make_tokens(key, columns(records))
        made = Tokens(np.empty((count, HASH_BYTES), np.uint8), np.empty(count, np.int64))

        def make(first: int) -> None:
            some = {name: column.slice(first, _BLOCK) for name, column in records.items()}
            part = make_tokens(key, columns(some))
            made.hashes[first : first + _BLOCK] = part.hashes
            made.kin[first : first + _BLOCK] = part.kin

        with ThreadPoolExecutor(self._maker.threads) as pool:
            list(pool.map(make, range(0, count, _BLOCK)))
        return made

    def _fills(self, records: dict[str, pa.StringArray], provider: bool) -> NDArray[np.uint64]:
        """Keys of what fills a record's empty fields, ``uint64[n, 2]``, of this side alone.

        They depend on all of the record's fields and not on the list, so that a row is the same
        whenever it is asked about, and is answered alike.
        """
        # Spec 10, step 3: a segment without a q-gram.
        if not (self._pass.similar or self._pass.confirm):
            return np.zeros((0, 2), np.uint64)
        side = "provider" if provider else "requester"
        made = self._blockwise(records, self._fill_keys[side], _beginnings)
        return np.ascontiguousarray(made.hashes[:, :16]).view("<u8").astype(np.uint64)

    def _elsewhere(self, records: dict[str, pa.StringArray]) -> NDArray[np.bool_]:
        """Which of a list's records this pass is not for, ``bool[n]``."""
        count = len(next(iter(records.values())))
        filled = [all_present([records[name]]) for name in self._pass.without]
        elsewhere: NDArray[np.bool_] = np.any([np.zeros(count, np.bool_), *filled], axis=0)
        return elsewhere

    def _slots(self, tokens: Tokens, usable: Numbers, rows: int, drbg: Drbg) -> _Slots:
        """The ``usable`` records at their numbers; the other rows are decoys of any records."""
        record = np.full(rows, -1, np.int64)
        record[usable] = usable
        exact, other = record.copy(), record.copy()
        vacant = np.flatnonzero(record < 0)
        # Spec 10, step 8.
        exact[vacant], other[vacant] = recombine(tokens.kin, vacant.size, drbg)
        if not self._pass.similar:
            exact[vacant] = -1  # a decoy of an exact pass shows a token that nobody has
        return _Slots(record, exact, other)

    def _shuffled(
        self,
        records: dict[str, pa.StringArray],
        rows: int,
        drbg: Drbg,
        *,
        count: int | None = None,
        elsewhere: NDArray[np.bool_] | None = None,
        handles: Column | None = None,
        operations: Column | None = None,
    ) -> _Shuffled:
        """The slots in random order, with their hashes.

        Of the first ``count`` records (all), those with their exact fields that are not
        ``elsewhere`` (bool[n]) have a row; all records lend to decoys.
        """
        tokens = self._tokens(records)
        usable = tokens.usable if count is None else tokens.usable[tokens.usable < count]
        if elsewhere is not None:
            usable = usable[~elsewhere[usable]]
        slots = self._slots(tokens, usable, rows, drbg)
        # Spec 10, step 9.
        order = drbg.permutation(rows)
        record, other, exact = (c[order] for c in (slots.record, slots.other, slots.exact))
        handles = None if handles is None else handles[order]
        operations = None if operations is None else operations[order]
        del slots, order  # of a national table a gigabyte, and the hashes are another
        return _Shuffled(record, other, _row_hashes(tokens, exact, drbg), handles, operations)

    def _finish(
        self,
        records: dict[str, pa.StringArray],
        rows: _Shuffled,
        provider: ProviderInputs | None,
        drbg: Drbg,
    ) -> PassRows:
        """Writes every column but those that wait for their chunk."""
        p = self._pass
        # Spec 10, step 2: token and bucket here, the salt key below.
        tokens = np.ascontiguousarray(rows.hashes[:, :TOKEN_BYTES])
        columns = {"keys": buckets(rows.hashes, p.bucket_bits) if p.similar else tokens}
        if provider is not None:
            assert rows.handles is not None
            # Spec 10, step 10.
            payloads = _payloads(provider.payloads, rows.record)
            columns["handles"] = rows.handles
            columns["sealed_codes"] = provider.sealer.seal(p.id, tokens, payloads, drbg)
        if rows.operations is not None:
            columns["operations"] = rows.operations
        return PassRows(
            layout=Layout.of(
                self._schema,
                p,
                provider=provider is not None,
                delta=rows.operations is not None,
            ),
            record_of_row=rows.record,
            tokens=tokens,
            settled=columns,
            texts=self._maker.texts(records),
            salts=salt_keys(rows.hashes),
            other=rows.other,
            fills=self._fills(records, provider is not None),
            maker=self._maker,
        )


def encode_delta(
    schema: Schema,
    p: Pass,
    key: LinkageKey,
    changed: Records,
    *,
    deleted: Sequence[str],
    decoys: Decoys,
    rows: int,
    drbg: Drbg,
    provider: ProviderInputs,
    pool: Records | None = None,
    threads: int = 1,
) -> EncodedDelta:
    """The table of pass ``p`` that updates a registry: rows to upsert and to delete, shuffled.

    ``changed`` are the new and altered records, ``provider`` their ids and payloads, ``deleted``
    the ids of records that leave. The rest of ``rows`` (``schema.padded_rows`` of the number of
    changes) is cover traffic with ``decoys``, which a base table starts as
    ``Decoys(rows - records)``. ``pool``, some thousand random records of the registry, gives
    decoys to recombine where changes are few. The layout has the operations column. Raises
    ValueError when a record is named twice or the changes do not fit.
    """
    return PassEncoder(schema, p, key, threads=threads).encode_delta(
        changed,
        deleted=deleted,
        decoys=decoys,
        rows=rows,
        drbg=drbg,
        provider=provider,
        pool=pool,
    )


def _beginnings(records: dict[str, pa.StringArray]) -> list[StringColumn]:
    """The values of all fields, as far as any is read."""
    return [pc.utf8_slice_codeunits(records[n], 0, MAX_CHARACTERS) for n in sorted(records)]


def _in_one_piece(*parts: Records) -> dict[str, pa.StringArray]:
    """The parts' columns behind each other, each a single array."""
    whole = {}
    for name in parts[0]:
        columns = [part[name] for part in parts]
        chunks = [c for column in columns for c in getattr(column, "chunks", [column])]
        whole[name] = pa.concat_arrays(chunks) if chunks else pa.array([], pa.string())
    return whole


def _record_count(records: Records, provider: ProviderInputs | None) -> int:
    counts = {len(column) for column in records.values()}
    if provider is not None:
        counts |= {len(provider.ids), len(provider.payloads)}
    if len(counts) != 1:
        raise ValueError("columns, ids and payloads must have one length")
    if provider is not None and len(provider.ids.unique()) != len(provider.ids):
        raise ValueError("record ids repeat")
    return counts.pop()


def _row_hashes(tokens: Tokens, exact: Numbers, drbg: Drbg) -> Column:
    """Every row's 32-byte hash: its record's, or random where it has none."""
    hashes = np.empty((exact.size, HASH_BYTES), np.uint8)
    if len(tokens.hashes):
        np.take(tokens.hashes, np.maximum(exact, 0), axis=0, out=hashes)
    unknown = np.flatnonzero(exact < 0)
    fresh = np.frombuffer(drbg.bytes(unknown.size * HASH_BYTES), np.uint8)
    hashes[unknown] = fresh.reshape(-1, HASH_BYTES)
    return hashes


def _payloads(payloads: Column, record_of_row: Numbers) -> Column:
    chosen = Payloads.decoys(record_of_row.size).pack()
    real = record_of_row >= 0
    chosen[real] = payloads[record_of_row[real]]
    return chosen

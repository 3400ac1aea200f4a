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
from padan_linkage.compiled.sha256 import HASH_BYTES
from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.crypto.sealing import Sealer
from padan_linkage.encoding.columns import StringColumn, all_present
from padan_linkage.encoding.diffusion import diffusion_rows
from padan_linkage.encoding.handles import cover_handles, record_handles
from padan_linkage.encoding.rows import FilterMaker, PassRows
from padan_linkage.encoding.selftest import check_kernels
from padan_linkage.encoding.tokens import Tokens, buckets, make_tokens, salt_keys
from padan_linkage.normalise import exact_values
from padan_linkage.normalise.normalised import MAX_CHARACTERS
from padan_linkage.schema import TOKEN_BYTES, Layout, Pass, Schema
from padan_linkage.tables import PassTable

Records = Mapping[str, StringColumn]
Numbers = NDArray[np.int64]
Column = NDArray[np.uint8]
#: The records' columns, each in one piece.
Fields = dict[str, pa.StringArray]

UPSERT, DELETE = 1, 2
_MAX_LABELS = 256
#: Records that are hashed at a time.
_BLOCK = 1 << 18
#: Sides, as subkeys are named by them (spec 20, step 7).
_PROVIDER, _REQUESTER = "provider", "requester"


@dataclass(frozen=True, repr=False)
class ProviderInputs:
    """What a provider's table has beyond a requester's, in the order of the records.

    ``payloads`` is ``uint8[people, 16]`` (see :mod:`padan_linkage.answering.payloads`), ``ids`` the
    people's own ids, ``handle_key`` 32 secret bytes that never leave the provider. ``cover``:
    int64[…], the numbers of the cover people behind them, by default from 0.
    """

    sealer: Sealer
    payloads: Column
    handle_key: bytes
    ids: pa.StringArray
    cover: Numbers | None = None


@dataclass(frozen=True, repr=False)
class Leaving:
    """Whom a delta deletes: people by their ids, cover people by their numbers (int64[…])."""

    ids: Sequence[str]
    cover: Numbers


@dataclass(frozen=True, repr=False)
class EncodedPass:
    """One pass's table, and what its owner keeps to understand the answers.

    ``record_of_row`` is ``int64[rows]``, -1 for a cover person and for a record that takes no part
    in the pass; ``tokens`` ``uint8[rows, 16]``: secret, needed to open sealed codes.
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
class _Shuffled:
    """Rows in their final order.

    ``record`` int64[rows]: whom the row answers for, or -1; ``shown`` int64[rows]: the record whose
    values it shows, or -1; ``hashes`` uint8[rows, 32]. Provider only: ``handles`` uint8[rows, 16];
    deltas only: ``operations`` uint8[rows, 1].
    """

    record: Numbers
    shown: Numbers
    hashes: Column
    handles: Column | None
    operations: Column | None


def encode_table(
    schema: Schema,
    p: Pass,
    key: LinkageKey,
    records: Records,
    *,
    drbg: Drbg,
    people: int | None = None,
    provider: ProviderInputs | None = None,
    threads: int = 1,
) -> EncodedPass:
    """The table of pass ``p``: every record once, in random order.

    ``records`` are normalised columns of one length, "" for a missing value: ``people`` (by default
    all), and behind them cover people (:func:`padan_linkage.cover.with_cover`), who are encoded
    alike and whom no row answers for. A record without the exact fields shows a stand-in, the same
    in every table of the key. Without ``provider`` they are a list's, and those with a field of
    ``p.without`` show a stand-in too. Raises ValueError when they do not fit.
    """
    return PassEncoder(schema, p, key, threads=threads).encode(
        records, people=people, drbg=drbg, provider=provider
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
        self._own_keys = {
            (label, side): key.subkey(label, digest, p.id, side)
            for label in ("fill", "stand-in")
            for side in (_PROVIDER, _REQUESTER)
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
        self,
        records: Records,
        *,
        drbg: Drbg,
        people: int | None = None,
        provider: ProviderInputs | None = None,
    ) -> EncodedPass:
        """As :func:`encode_table`."""
        return EncodedPass.of(self.arrange(records, people=people, drbg=drbg, provider=provider))

    def arrange(
        self,
        records: Records,
        *,
        drbg: Drbg,
        people: int | None = None,
        provider: ProviderInputs | None = None,
    ) -> PassRows:
        """As :func:`encode_table`, but filters and tags are made chunk by chunk, on demand."""
        people = _people(records, people, provider)
        return self._arranged(records, people, provider, None, drbg.fork(f"encode {self._pass.id}"))

    def encode_delta(
        self,
        changed: Records,
        *,
        drbg: Drbg,
        provider: ProviderInputs,
        leaving: Leaving,
        people: int | None = None,
    ) -> EncodedPass:
        """A table of changes: ``changed`` to upsert and ``leaving`` to delete, in random order.

        ``changed`` as in :func:`encode_table`; the layout has the operations column, and other
        columns of a deletion are random. Raises ValueError when a record is named twice.
        """
        people = _people(changed, people, provider)
        if len(set(leaving.ids) | set(provider.ids.to_pylist())) != len(leaving.ids) + people:
            raise ValueError("a delta names every record once")
        drbg = drbg.fork(f"delta {self._pass.id}")
        return EncodedPass.of(self._arranged(changed, people, provider, leaving, drbg))

    def _tokens(self, records: Fields) -> Tokens:
        """Every record's hash."""
        return self._blockwise(
            records, self._token_key, lambda some: exact_values(self._schema, self._pass, some)
        )

    def _blockwise(
        self,
        records: Fields,
        key: bytes,
        columns: Callable[[Fields], Sequence[StringColumn]],
    ) -> Tokens:
        """Hashes of ``columns``; so many at a time that what they are made of stays small."""
        count = len(next(iter(records.values())))
        if count <= _BLOCK:
            return make_tokens(key, columns(records))
        made = Tokens(np.empty((count, HASH_BYTES), np.uint8), np.empty(count, np.bool_))

        def make(first: int) -> None:
            some = {name: column.slice(first, _BLOCK) for name, column in records.items()}
            part = make_tokens(key, columns(some))
            made.hashes[first : first + _BLOCK] = part.hashes
            made.whole[first : first + _BLOCK] = part.whole

        with ThreadPoolExecutor(self._maker.threads) as pool:
            list(pool.map(make, range(0, count, _BLOCK)))
        return made

    def _fills(self, records: Fields, provider: bool) -> NDArray[np.uint64]:
        """Keys of what fills a record's empty fields, ``uint64[n, 2]``, of this side alone.

        They depend on all of the record's fields and not on the list, so that a row is the same
        whenever it is asked about, and is answered alike.
        """
        # Spec 10, step 3: a segment without a q-gram.
        if not (self._pass.similar or self._pass.confirm):
            return np.zeros((0, 2), np.uint64)
        made = self._blockwise(records, self._own_keys["fill", _side(provider)], _beginnings)
        return np.ascontiguousarray(made.hashes[:, :16]).view("<u8").astype(np.uint64)

    def _taking_part(self, records: Fields, tokens: Tokens, provider: bool) -> NDArray[np.bool_]:
        """Who has a row of their own, ``bool[n]``; not who lacks an exact field.

        A registry's records belong everywhere, a list's not where they have a field of ``without``.
        """
        there = tokens.whole.copy()
        for name in () if provider else self._pass.without:
            there &= ~all_present([records[name]])
        return there

    def _hashes(self, records: Fields, provider: bool) -> tuple[Column, NDArray[np.bool_]]:
        """Every record's 32 bytes, T or those of its stand-in, and who takes part."""
        tokens = self._tokens(records)
        there = self._taking_part(records, tokens, provider)
        # Spec 10, step 8.
        absent = np.flatnonzero(~there)
        some = {name: column.take(pa.array(absent)) for name, column in records.items()}
        if absent.size:
            key = self._own_keys["stand-in", _side(provider)]
            tokens.hashes[absent] = self._blockwise(some, key, _beginnings).hashes
        return tokens.hashes, there

    def _arranged(
        self,
        given: Records,
        people: int,
        provider: ProviderInputs | None,
        leaving: Leaving | None,
        drbg: Drbg,
    ) -> PassRows:
        """The records in random order, and those who leave among them."""
        records = _in_one_piece(given)
        hashes, there = self._hashes(records, provider is not None)
        count = len(hashes)
        gone = 0 if leaving is None else len(leaving.ids) + leaving.cover.size
        rows = count + gone
        if not rows:
            raise ValueError("a table has at least one row")
        # Spec 10, step 9.
        order = drbg.permutation(rows)
        shown = np.where(order < count, order, -1)
        own = np.append(there & (np.arange(count) < people), False)
        shuffled = _Shuffled(
            record=np.where(own[shown], shown, -1),
            shown=shown,
            hashes=_row_hashes(hashes, shown, drbg),
            handles=self._handles(provider, leaving, count - people)[order] if provider else None,
            operations=None if leaving is None else _operations(shown),
        )
        del hashes, order  # of a national table half a gigabyte
        return self._finish(records, shuffled, provider, drbg)

    def _handles(self, provider: ProviderInputs, leaving: Leaving | None, cover: int) -> Column:
        """Handles of people, cover people, and of those who leave."""
        key, p = provider.handle_key, self._pass.id
        numbers = np.arange(cover) if provider.cover is None else provider.cover
        handles = [record_handles(key, p, provider.ids), cover_handles(key, p, numbers)]
        if leaving is not None:
            ids = pa.array(leaving.ids, pa.string())
            handles += [record_handles(key, p, ids), cover_handles(key, p, leaving.cover)]
        return np.concatenate(handles)

    def _finish(
        self,
        records: Fields,
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
            shown=rows.shown,
            fills=self._fills(records, provider is not None),
            maker=self._maker,
        )


def _side(provider: bool) -> str:
    return _PROVIDER if provider else _REQUESTER


def _beginnings(records: Fields) -> list[StringColumn]:
    """The values of all fields, as far as any is read."""
    return [pc.utf8_slice_codeunits(records[n], 0, MAX_CHARACTERS) for n in sorted(records)]


def _in_one_piece(records: Records) -> Fields:
    """The columns, each a single array."""
    whole = {}
    for name, column in records.items():
        chunks = getattr(column, "chunks", [column])
        whole[name] = pa.concat_arrays(chunks) if chunks else pa.array([], pa.string())
    return whole


def _people(records: Records, people: int | None, provider: ProviderInputs | None) -> int:
    """How many of the records are people."""
    counts = {len(column) for column in records.values()}
    if len(counts) != 1:
        raise ValueError("columns must have one length")
    (count,) = counts
    people = count if people is None else people
    if not 0 <= people <= count:
        raise ValueError(f"{people} people among {count} records")
    if provider is None:
        return people
    if {len(provider.ids), len(provider.payloads)} != {people}:
        raise ValueError("people, ids and payloads must have one length")
    if provider.cover is not None and len(np.unique(provider.cover)) != count - people:
        raise ValueError("every cover person has a number of its own")
    if len(provider.ids.unique()) != len(provider.ids):
        raise ValueError("record ids repeat")
    return people


def _row_hashes(hashes: Column, shown: Numbers, drbg: Drbg) -> Column:
    """Every row's 32-byte hash: its record's, or random where it shows none."""
    made = np.empty((shown.size, HASH_BYTES), np.uint8)
    if len(hashes):
        np.take(hashes, np.maximum(shown, 0), axis=0, out=made)
    nobody = np.flatnonzero(shown < 0)
    made[nobody] = np.frombuffer(drbg.bytes(nobody.size * HASH_BYTES), np.uint8).reshape(-1, 32)
    return made


def _operations(shown: Numbers) -> Column:
    return np.where(shown >= 0, UPSERT, DELETE).astype(np.uint8).reshape(-1, 1)


def _payloads(payloads: Column, record_of_row: Numbers) -> Column:
    chosen = Payloads.decoys(record_of_row.size).pack()
    real = record_of_row >= 0
    chosen[real] = payloads[record_of_row[real]]
    return chosen

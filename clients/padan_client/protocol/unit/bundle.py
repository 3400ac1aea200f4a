"""What would leave the house, for a reviewer: a folder of .npy files, or one record's bits."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from padan_client.base.errors import BadInputError
from padan_client.base.files import ensure_private_folder, filled_whole, write_private
from padan_client.base.language import t
from padan_client.home.identity import Randomness
from padan_client.protocol.session import Session
from padan_client.protocol.unit.publishing import handle_key
from padan_client.records.lists import RequestList
from padan_client.records.registry import Registry
from padan_client.records.table_files import write_array
from padan_linkage.cover import with_cover
from padan_linkage.crypto.randomness import SEED_BYTES, Drbg
from padan_linkage.crypto.sealing import SEAL_ID_BYTES
from padan_linkage.encoding import PassEncoder, ProviderInputs, RowBits
from padan_linkage.normalise import NORMALISER_VERSION
from padan_linkage.schema import Pass
from padan_linkage.tables import PassTable


def write_bundle(
    folder: Path,
    session: Session,
    records: Registry | RequestList,
    *,
    throwaway: bool,
    randomness: Randomness,
    threads: int,
) -> dict[str, object]:
    """Encode every pass as an upload would and write its columns and a manifest.

    Returns the manifest: digests, sizes and counts; no key and no order of rows. ``throwaway``
    says that the session's key is good for this bundle alone. Raises BadInputError if the folder
    is not empty; a bundle that is not finished leaves it so.
    """
    with filled_whole(folder):
        schema, place = session.schema, session.place
        count = len(records)
        rows = schema.padded_rows(records.size if isinstance(records, RequestList) else count)
        covered = with_cover(schema, records.records, rows, Drbg(randomness(SEED_BYTES)))
        provider = _provider(session, records, randomness)
        passes = []
        for p in schema.passes:
            encoder = PassEncoder(schema, p, session.key, threads=threads)
            drbg = Drbg(randomness(SEED_BYTES))
            encoded = encoder.encode(covered, people=count, drbg=drbg, provider=provider)
            passes.append(_write_pass(folder, encoded.table))
        manifest: dict[str, object] = {
            "format": "padan bundle 1",
            "agreement": place.agreement.id,
            "agreement_digest": place.digest.hex(),
            "flow": place.flow.id,
            "party": place.party,
            "role": "provider" if provider else "requester",
            "throwaway_key": throwaway,
            "epoch": None if throwaway else session.key.epoch,
            "schema_digest": schema.digest().hex(),
            "normaliser_version": NORMALISER_VERSION,
            "records": len(records),
            "rows": rows,
            "passes": passes,
        }
        text = json.dumps(schema.model_dump(mode="json"), indent=1)
        write_private(folder / "schema.json", (text + "\n").encode())
        write_private(folder / "manifest.json", (json.dumps(manifest, indent=2) + "\n").encode())
        return manifest


def show_record(
    session: Session,
    records: Registry | RequestList,
    record_id: str,
    *,
    randomness: Randomness,
) -> list[tuple[Pass, RowBits | None]]:
    """What an upload would hold of one record, by pass; None where a stand-in goes in its place.

    Raises BadInputError for an id that no record has, or none that can be encoded.
    """
    at = _position(records, record_id)
    columns = {name: column.slice(at, 1) for name, column in records.records.items()}
    provider = _provider(session, records, randomness, slice(at, at + 1))
    shown: list[tuple[Pass, RowBits | None]] = []
    for p in session.schema.passes:
        encoder = PassEncoder(session.schema, p, session.key)
        drbg = Drbg(randomness(SEED_BYTES))
        encoded = encoder.encode(columns, drbg=drbg, provider=provider)
        there = encoded.record_of_row[0] >= 0
        shown.append((p, RowBits.of(p, encoded.table) if there else None))
    return shown


def _position(records: Registry | RequestList, record_id: str) -> int:
    """Where the record is among those that are encoded."""
    ids = records.ids
    if isinstance(records, RequestList):
        ids = ids.take(pa.array(records.usable))
    at: int = pc.index(ids, record_id).as_py()
    if at < 0:
        raise BadInputError(
            t(
                "Tidak ada rekaman yang dapat disandikan dengan id itu; lihat --quarantine.",
                "No record with that id can be encoded; see --quarantine.",
            )
        )
    return at


def _provider(
    session: Session,
    records: Registry | RequestList,
    randomness: Randomness,
    some: slice = slice(None),
) -> ProviderInputs | None:
    """What a provider's rows have beyond a requester's; of some records only, where told."""
    if not isinstance(records, Registry):
        return None
    sealer = session.sealer(randomness(SEAL_ID_BYTES))
    return ProviderInputs(sealer, records.payloads[some], handle_key(session), records.ids[some])


def _write_pass(folder: Path, table: PassTable) -> dict[str, object]:
    ensure_private_folder(folder / table.pass_id)
    columns = []
    for name, width in table.layout.columns():
        column = table.columns[name]
        file = f"{table.pass_id}/{name}.npy"
        write_array(folder / file, column)
        digest = hashlib.sha256(column.tobytes()).hexdigest()
        columns.append({"name": name, "file": file, "width": width, "sha256": digest})
    return {
        "id": table.pass_id,
        "row_bytes": table.layout.row_bytes,
        "table_digest": table.digest().hex(),
        "columns": columns,
    }

"""What would leave the house, as a folder of .npy files that a reviewer can look at."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from padan_client.base.files import empty_private_folder, ensure_private_folder, write_private
from padan_client.home.identity import Randomness
from padan_client.protocol.session import Session
from padan_client.protocol.unit.publishing import handle_key
from padan_client.records.lists import RequestList
from padan_client.records.registry import Registry
from padan_client.records.table_files import write_array
from padan_linkage.crypto.randomness import SEED_BYTES, Drbg
from padan_linkage.crypto.sealing import SEAL_ID_BYTES, Sealer
from padan_linkage.encoding import PassEncoder, ProviderInputs
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
    is not empty.
    """
    empty_private_folder(folder)
    schema, place = session.schema, session.place
    rows = schema.padded_rows(len(records))
    sealer = _sealer(session, randomness) if isinstance(records, Registry) else None
    passes = []
    for p in schema.passes:
        table = _encode(session, p, records, sealer, rows, randomness, threads)
        passes.append(_write_pass(folder, table))
    manifest: dict[str, object] = {
        "format": "padan bundle 1",
        "agreement": place.agreement.id,
        "agreement_digest": place.digest.hex(),
        "flow": place.flow.id,
        "party": place.party,
        "role": "provider" if sealer else "requester",
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


def _encode(
    session: Session,
    p: Pass,
    records: Registry | RequestList,
    sealer: Sealer | None,
    rows: int,
    randomness: Randomness,
    threads: int,
) -> PassTable:
    provider = None
    if sealer is not None and isinstance(records, Registry):
        provider = ProviderInputs(sealer, records.payloads, handle_key(session), records.ids)
    encoder = PassEncoder(session.schema, p, session.key, threads=threads)
    drbg = Drbg(randomness(SEED_BYTES))
    return encoder.encode(records.records, rows=rows, drbg=drbg, provider=provider).table


def _sealer(session: Session, randomness: Randomness) -> Sealer:
    return Sealer(
        session.identity.exchange_private(),
        session.peer_exchange_key,
        agreement_digest=session.place.digest,
        flow_id=session.place.flow.id,
        epoch=session.key.epoch,
        seal_id=randomness(SEAL_ID_BYTES),
    )


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

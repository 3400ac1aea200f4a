"""What the unit must not keep or tell: planted values are searched for in all that it leaves."""

from __future__ import annotations

import base64
import contextlib
import uuid

import grpc
import pytest
from parties import chunk

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan.v1 import confirmation_service_pb2 as confirmation_pb
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import resources_pb2 as resources_pb
from padan.v1 import run_service_pb2 as run_pb

NIK = "3201010101900001"


def spellings(secret: bytes) -> list[bytes]:
    """How a secret could be written: raw, hexadecimal, base64, as Python shows bytes."""
    return [
        secret,
        secret.hex().encode(),
        base64.b64encode(secret).rstrip(b"="),
        base64.urlsafe_b64encode(secret).rstrip(b"="),
        repr(secret)[2:-1].encode(),
    ]


def exercise(unit):
    """Every kind of call, good and bad; returns the rows that were sent and came back."""
    provider, requester = unit.pair()
    registry = provider.tables(20)
    mine = requester.tables(20, same_as=registry)
    provider.publish(20, tables=registry)
    run = requester.watch(
        requester.run_of(requester.start_run(requester.publish(20, tables=mine))).name
    )
    list(requester.runs.StreamResults(run_pb.StreamResultsRequest(name=run.name)))
    for table in mine.values():
        requester.confirmations.ConfirmRecords(
            confirmation_pb.ConfirmRecordsRequest(
                parent=requester.parent,
                encoding=requester.encoding(),
                pass_id=table.pass_id,
                rows=resources_pb.TableRows(row_count=10, **table.rows(0, 10)),
                request_id=str(uuid.uuid4()),
            )
        )
    misbehave(provider, registry)
    return registry, mine


def misbehave(client, tables):
    """Calls that are refused, with a value planted wherever a caller may write one."""
    dataset = client.create(20)
    table = next(iter(tables.values()))
    name = f"{dataset.name}/tables/{table.pass_id}"
    broken = chunk(name, table, 0, 10)
    broken.chunk_digest = bytes(32)
    short = chunk(name, table, 0, 10)
    short.rows.keys = NIK.encode()
    calls = [
        lambda: client.datasets.UploadTable(iter([broken])),
        lambda: client.datasets.UploadTable(iter([short])),
        lambda: client.datasets.UploadTable(
            iter([dataset_pb.UploadTableRequest(table=f"{dataset.name}/tables/n{NIK}")])
        ),
        lambda: client.create(20, f"n{NIK}"),
        lambda: client.create(20, encoding=client.encoding(normaliser_version=f"id {NIK}")),
        lambda: client.datasets.GetDataset(dataset_pb.GetDatasetRequest(name=f"{NIK}/x")),
        lambda: client.datasets.ListDatasets(
            dataset_pb.ListDatasetsRequest(parent=client.parent, page_token=NIK)
        ),
        lambda: client.datasets.ListDatasets(
            dataset_pb.ListDatasetsRequest(parent=f"agreements/n{NIK}/flows/n{NIK}")
        ),
        lambda: client.agreements.GetAgreement(
            agreement_pb.GetAgreementRequest(name=f"agreements/n{NIK}")
        ),
        lambda: client.datasets.ListDatasets(
            dataset_pb.ListDatasetsRequest(parent=f"agreements/kemnaker-bkn-2024/flows/n{NIK}")
        ),
    ]
    for call in calls:
        with pytest.raises(grpc.RpcError):
            call()


def test_neither_log_nor_database_shows_a_row_a_code_or_a_value(make_unit, unit_log):
    unit = make_unit()
    registry, mine = exercise(unit)
    unit.stop()
    told = unit_log.getvalue().encode()
    kept = b"".join(p.read_bytes() for p in unit.house.data_dir.glob("unit.sqlite*"))
    assert b'"event": "call"' in told
    assert b"asn-status" in kept
    for tables in (registry, mine):
        for table in tables.values():
            for column, width in table.layout.columns():
                if width < 8:  # a bucket is too short to be recognised
                    continue
                for row in (0, 5):
                    for spelling in spellings(table.columns[column][row].tobytes()):
                        assert spelling not in told, column
                        assert spelling not in kept, column
    assert NIK.encode() not in told
    assert NIK.encode() not in kept


def test_the_unit_keeps_no_key(make_unit, unit_log):
    unit = make_unit()
    exercise(unit)
    unit.stop()
    left = [p.read_bytes() for p in unit.house.data_dir.rglob("*") if p.is_file()]
    left.append(unit_log.getvalue().encode())
    assert len(left) > 10
    secrets = [k for i in unit.house.signed.identities.values() for k in (i.sign, i.exchange)]
    secrets += [c.key.read_bytes() for c in unit.house.certificates.values()]
    for content in left:
        for secret in secrets:
            assert not any(spelling in content for spelling in spellings(secret))


def test_answers_show_neither_rows_nor_scores(make_unit):
    """What leaves the unit is the proto's: outcome, code, confirmations."""
    unit = make_unit()
    exercise(unit)
    (run,) = (unit.house.data_dir / "runs").iterdir()
    for folder in run.iterdir():
        assert {p.stem for p in folder.iterdir()} == {
            "outcomes",
            "sealed_codes",
            "confirmations",
            "sums",
        }


def test_metrics_have_closed_sets_of_labels(make_unit):
    from prometheus_client import generate_latest

    unit = make_unit()
    with contextlib.suppress(grpc.RpcError):
        exercise(unit)
    text = generate_latest(unit.unit.metrics.registry).decode()
    assert 'padan_runs_total{state="succeeded"} 1.0' in text
    assert NIK not in text
    assert "kemnaker" not in text

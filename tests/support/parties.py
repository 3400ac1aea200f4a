"""A party's side of the protocol, message by message: for tests of the server, no encoding."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import grpc
import numpy as np
from google.longrunning import operations_pb2_grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from patience import PATIENCE
from signing import SignedFile

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan.v1 import agreement_service_pb2_grpc as agreement_grpc
from padan.v1 import confirmation_service_pb2_grpc as confirmation_grpc
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import dataset_service_pb2_grpc as dataset_grpc
from padan.v1 import direct_service_pb2_grpc as direct_grpc
from padan.v1 import release_service_pb2 as release_pb
from padan.v1 import release_service_pb2_grpc as release_grpc
from padan.v1 import resources_pb2 as resources_pb
from padan.v1 import run_service_pb2 as run_pb
from padan.v1 import run_service_pb2_grpc as run_grpc
from padan_lab.bench.rates.unmeasured import open_edition, priors_of, signed_edition
from padan_linkage.agreement import Flow
from padan_linkage.crypto import signatures
from padan_linkage.crypto.epochs import contribution_statement
from padan_linkage.schema import Layout
from padan_linkage.tables import PassTable, columns_digest


class _Deadline(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Sets a deadline on calls that have none."""

    def _call(self, continuation, details, request):
        if details.timeout is None:
            details = details._replace(timeout=PATIENCE)
        return continuation(details, request)

    intercept_unary_unary = _call
    intercept_unary_stream = _call
    intercept_stream_unary = _call
    intercept_stream_stream = _call


@dataclass(frozen=True)
class Refused:
    """What a refusal carried."""

    code: grpc.StatusCode
    reason: str
    metadata: dict[str, str]
    message: str
    details: list[object]


def refusal(error: grpc.RpcError) -> Refused:
    """The details of a refused call."""
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    found: list[object] = []
    for detail in status.details if status else ():
        for kind in (
            error_details_pb2.ErrorInfo,
            error_details_pb2.BadRequest,
            error_details_pb2.RetryInfo,
            error_details_pb2.LocalizedMessage,
        ):
            if detail.Is(kind.DESCRIPTOR):
                message = kind()
                detail.Unpack(message)
                found.append(message)
    infos = [d for d in found if isinstance(d, error_details_pb2.ErrorInfo)]
    info = infos[0] if infos else info
    return Refused(error.code(), info.reason, dict(info.metadata), error.details() or "", found)


class PartyClient:
    """One party at a unit, on one flow of one agreement."""

    def __init__(self, channel: grpc.Channel, party: str, signed: SignedFile, flow_id: str) -> None:
        self.raw = channel
        self.channel = grpc.intercept_channel(channel, _Deadline())
        self.party = party
        self.signed = signed
        self.flow: Flow = signed.agreement.flow(flow_id)
        self.parent = f"agreements/{signed.agreement.id}/flows/{flow_id}"
        self.agreements = agreement_grpc.AgreementServiceStub(self.channel)
        self.datasets = dataset_grpc.DatasetServiceStub(self.channel)
        self.runs = run_grpc.RunServiceStub(self.channel)
        self.confirmations = confirmation_grpc.ConfirmationServiceStub(self.channel)
        self.direct = direct_grpc.DirectServiceStub(self.channel)
        self.releases = release_grpc.ReleaseServiceStub(self.channel)
        self.operations = operations_pb2_grpc.OperationsStub(self.channel)

    @property
    def provider(self) -> bool:
        """Whether this party answers in the flow."""
        return self.party == self.flow.provider

    @property
    def schema(self):
        """The flow's schema."""
        assert self.flow.schema is not None
        return self.flow.schema

    def contribute(self, epoch: int = 1, salt: str = "") -> resources_pb.EpochContribution:
        """Contribute to a key epoch (with a public key that is only bytes)."""
        public_key = hashlib.sha256(f"{self.party} {epoch} {salt}".encode()).digest()
        statement = contribution_statement(
            self.signed.digest, self.flow.id, epoch, self.party, public_key
        )
        name = f"{self.parent}/epochs/{epoch}"
        return self.agreements.CreateEpochContribution(
            agreement_pb.CreateEpochContributionRequest(
                parent=name,
                contribution=resources_pb.EpochContribution(
                    epoch=name,
                    public_key=public_key,
                    signature=signatures.sign(self.signed.identities[self.party].sign, statement),
                ),
            )
        )

    def encoding(self, **changes) -> resources_pb.EncodingContext:
        """The encoding context that both sides agree on, with changes."""
        values = {
            "epoch": 1,
            "key_check_value": b"k" * 16,
            "schema_digest": self.schema.digest(),
            "normaliser_version": "id-1",
            **changes,
        }
        return resources_pb.EncodingContext(**values)

    def draft(self, records: int = 10, **changes) -> dataset_pb.Dataset:
        """A dataset as CreateDataset wants it, with changes."""
        rows = self.schema.padded_rows(records)
        values = {
            "role": resources_pb.ROLE_PROVIDER if self.provider else resources_pb.ROLE_REQUESTER,
            "record_count": rows if changes.get("base_dataset") else records,
            "encoding": self.encoding(),
            "tables": [dataset_pb.Table(pass_id=p.id, row_count=rows) for p in self.schema.passes],
            **changes,
        }
        if self.provider and "seal" not in values:
            values["seal"] = resources_pb.Seal(seal_id=b"s" * 16, encapsulated_key=b"e" * 32)
        return dataset_pb.Dataset(**values)

    def create(self, records: int = 10, request_id: str = "", **changes) -> dataset_pb.Dataset:
        """Open a dataset."""
        return self.datasets.CreateDataset(
            dataset_pb.CreateDatasetRequest(
                parent=self.parent, dataset=self.draft(records, **changes), request_id=request_id
            )
        )

    def tables(
        self, records: int = 10, *, seed: int = 0, same_as: dict[str, PassTable] | None = None
    ) -> dict[str, PassTable]:
        """Random tables; with ``same_as`` the first ``records`` rows match that side's."""
        rng = np.random.default_rng([seed, int(self.provider)])
        rows = self.schema.padded_rows(records)
        made = {}
        for p in self.schema.passes:
            layout = Layout.of(self.schema, p, provider=self.provider)
            columns = {
                name: rng.integers(0, 256, (rows, width), dtype=np.uint8)
                for name, width in layout.columns()
            }
            if p.similar:
                buckets = rng.integers(0, 1 << p.bucket_bits, rows).astype("<u2")
                columns["keys"] = buckets.view(np.uint8).reshape(rows, 2)
            for name in ("keys", "filters"):
                if same_as and name in columns:
                    columns[name][:records] = same_as[p.id].columns[name][:records]
            made[p.id] = PassTable(p.id, layout, columns)
        return made

    def send(
        self, dataset: dataset_pb.Dataset, table: PassTable, *, start: int = 0, step: int = 100
    ) -> dataset_pb.UploadTableResponse:
        """Upload a table in chunks of ``step`` rows."""
        return self.datasets.UploadTable(
            chunks(f"{dataset.name}/tables/{table.pass_id}", table, start=start, step=step)
        )

    def edition(self, **changes) -> resources_pb.Edition:
        """An edition of the flow, signed by its provider, with changes to the document."""
        calibrations = priors_of(self.schema)
        made = open_edition(
            self.schema, self.signed.digest, self.flow.id, self.flow.match, calibrations
        )
        key = self.signed.identities[self.flow.provider].sign
        return signed_edition(replace(made, **changes), calibrations, partial(signatures.sign, key))

    def commit(
        self,
        dataset: dataset_pb.Dataset,
        request_id: str = "",
        edition: resources_pb.Edition | None = None,
    ) -> dataset_pb.Dataset:
        """Close a dataset; a whole registry with its edition."""
        request = dataset_pb.CommitDatasetRequest(name=dataset.name, request_id=request_id)
        if edition is not None:
            request.edition.CopyFrom(edition)
        elif self.provider and not dataset.base_dataset:
            request.edition.CopyFrom(self.edition())
        return self.datasets.CommitDataset(request)

    def publish(
        self, records: int = 10, *, tables: dict[str, PassTable] | None = None, **changes
    ) -> dataset_pb.Dataset:
        """Create, upload and commit a dataset of random tables."""
        made = self.create(records, **changes)
        for table in (tables or self.tables(records)).values():
            self.send(made, table)
        return self.commit(made)

    def line(self, line_id: str = "casn-agregat", flow_id: str = "casn-agregat") -> str:
        """Name of a line of releases."""
        return f"agreements/{self.signed.agreement.id}/flows/{flow_id}/lines/{line_id}"

    def release(
        self,
        version: int,
        content: bytes = b"sealed",
        *,
        line: str = "",
        request_id: str = "",
        **changes,
    ) -> release_pb.Release:
        """Hand in a release of bytes that only look sealed."""
        values = {
            "version": version,
            "size_bytes": len(content),
            "digest": hashlib.sha256(content).digest(),
            **changes,
        }
        first = release_pb.CreateReleaseRequest(
            parent=line or self.line(), release=release_pb.Release(**values), request_id=request_id
        )
        pieces = (content[at : at + 1000] for at in range(0, len(content), 1000))
        return self.releases.CreateRelease(
            iter([first, *(release_pb.CreateReleaseRequest(content=p) for p in pieces)])
        )

    def start_run(self, listed: dataset_pb.Dataset, request_id: str = "", registry: str = ""):
        """Start a run; returns the operation."""
        return self.runs.CreateRun(
            run_pb.CreateRunRequest(
                parent=self.parent,
                run=run_pb.Run(requester_dataset=listed.name, provider_dataset=registry),
                request_id=request_id,
            )
        )

    def run_of(self, operation) -> run_pb.Run:
        """The run of an operation's metadata."""
        metadata = run_pb.RunMetadata()
        assert operation.metadata.Unpack(metadata)
        return metadata.run

    def watch(self, name: str) -> run_pb.Run:
        """Wait until a run ends; returns it."""
        return list(self.runs.WatchRun(run_pb.WatchRunRequest(name=name)))[-1]


def chunks(
    name: str, table: PassTable, *, start: int = 0, step: int = 100, stop: int | None = None
) -> Iterator[dataset_pb.UploadTableRequest]:
    """Upload messages for rows ``start`` to ``stop``; the last row of the table finishes it."""
    last = len(table) if stop is None else stop
    if start == last:  # every row is safe, but the message that finishes the table was lost
        yield chunk(name, table, start, start)
    for at in range(start, last, step):
        yield chunk(name, table, at, min(at + step, last))


def chunk(name: str, table: PassTable, start: int, stop: int) -> dataset_pb.UploadTableRequest:
    """One upload message."""
    columns = table.rows(start, stop)
    finish = stop == len(table)
    return dataset_pb.UploadTableRequest(
        table=name,
        row_offset=start,
        rows=resources_pb.TableRows(row_count=stop - start, **columns),
        chunk_digest=columns_digest(table.layout, columns),
        finish_write=finish,
        table_digest=table.digest() if finish else b"",
    )


def answers(
    responses: Iterable[run_pb.StreamResultsResponse],
) -> dict[str, resources_pb.MatchedRows]:
    """Streamed results joined to one message a pass."""
    joined: dict[str, resources_pb.MatchedRows] = {}
    for response in responses:
        rows = joined.setdefault(
            response.rows.pass_id, resources_pb.MatchedRows(pass_id=response.rows.pass_id)
        )
        assert response.rows.row_offset == rows.row_count
        rows.row_count += response.rows.row_count
        for name in ("outcomes", "sealed_codes", "confirmations"):
            setattr(rows, name, getattr(rows, name) + getattr(response.rows, name))
    return joined

"""DatasetService: datasets and their uploads."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import grpc
from google.protobuf.empty_pb2 import Empty

from padan.v1 import dataset_service_pb2 as pb
from padan.v1 import dataset_service_pb2_grpc as pb_grpc
from padan.v1 import resources_pb2 as resources_pb
from padan_server.admission.enforcement import Enforcement, Grant
from padan_server.base.errors import field_invalid
from padan_server.base.metrics import Metrics
from padan_server.datasets.lifecycle import Datasets
from padan_server.datasets.uploads import UploadChunk, Uploads
from padan_server.services import convert, names
from padan_server.services.guard.call import admitted, current_call
from padan_server.services.pages import PageTokens


class DatasetService(pb_grpc.DatasetServiceServicer):
    """Takes in encoded tables."""

    def __init__(
        self,
        enforcement: Enforcement,
        datasets: Datasets,
        uploads: Uploads,
        tokens: PageTokens,
        metrics: Metrics,
    ) -> None:
        self._admit = partial(admitted, enforcement)
        self._datasets = datasets
        self._uploads = uploads
        self._tokens = tokens
        self._metrics = metrics

    def CreateDataset(
        self, request: pb.CreateDatasetRequest, context: grpc.ServicerContext
    ) -> pb.Dataset:
        """Open a dataset."""
        del context
        grant = self._admit(*names.parse_flow("parent", request.parent))
        key = convert.request_key(request)
        made = self._datasets.create(grant, convert.new_dataset(grant, request.dataset), key)
        current_call().note(dataset=made.id, records=made.record_count)
        return convert.dataset_message(made)

    def UploadTable(
        self, request_iterator: Iterator[pb.UploadTableRequest], context: grpc.ServicerContext
    ) -> pb.UploadTableResponse:
        """Take rows of one table until it is complete or the caller ends the stream."""
        first = next(request_iterator, None)
        if first is None:
            raise field_invalid("table", "wajib di pesan pertama", "required in the first message")
        agreement_id, flow_id, dataset_id, pass_id = names.parse_table("table", first.table)
        call = current_call()
        call.note(dataset=dataset_id)

        def chunks() -> Iterator[UploadChunk]:
            yield convert.chunk(first)
            for message in request_iterator:
                # Spec 30, "Upload", step 1.
                if message.table not in {"", first.table}:
                    raise field_invalid(
                        "table", "satu aliran untuk satu tabel", "one stream serves one table"
                    )
                yield convert.chunk(message)

        before = self._uploads.status(self._admit(agreement_id, flow_id), dataset_id, pass_id)
        table = self._uploads.receive(
            lambda: self._admit(agreement_id, flow_id),
            dataset_id,
            pass_id,
            chunks(),
            context.cancel,
        )
        received = table.uploaded - before.uploaded
        call.note(table=table.pass_id, rows=received, complete=int(table.complete))
        self._metrics.rows.inc(max(received, 0))
        return pb.UploadTableResponse(committed_rows=table.uploaded, complete=table.complete)

    def QueryWriteStatus(
        self, request: pb.QueryWriteStatusRequest, context: grpc.ServicerContext
    ) -> pb.QueryWriteStatusResponse:
        """How many rows of a table are safe."""
        del context
        agreement_id, flow_id, dataset_id, pass_id = names.parse_table("table", request.table)
        current_call().note(dataset=dataset_id)
        table = self._uploads.status(self._admit(agreement_id, flow_id), dataset_id, pass_id)
        return pb.QueryWriteStatusResponse(committed_rows=table.uploaded, complete=table.complete)

    def CommitDataset(
        self, request: pb.CommitDatasetRequest, context: grpc.ServicerContext
    ) -> pb.Dataset:
        """Close a dataset whose tables are all complete."""
        del context
        grant, dataset_id = self._named(request.name)
        handed = convert.handed_edition(request)
        committed = self._datasets.commit(grant, dataset_id, handed, convert.request_key(request))
        return convert.dataset_message(committed)

    def GetEdition(
        self, request: pb.GetEditionRequest, context: grpc.ServicerContext
    ) -> resources_pb.Edition:
        """What a registry's answers rest on, for either party of the flow."""
        del context
        agreement_id, flow_id, name = names.parse_edition("name", request.name)
        grant = self._admit(agreement_id, flow_id)
        # Spec 36, "Carried", step 7.
        return convert.edition_message(self._datasets.edition(grant, name))

    def GetRegistry(
        self, request: pb.GetRegistryRequest, context: grpc.ServicerContext
    ) -> pb.Registry:
        """Which registry answers, or which one another was, for either party of the flow."""
        del context
        grant = self._admit(*names.parse_flow("parent", request.parent))
        # Spec 36, "Which registry answers".
        wanted = convert.dataset_in(grant, "dataset", request.dataset)
        return convert.registry_message(self._datasets.registry(grant, wanted))

    def GetDataset(
        self, request: pb.GetDatasetRequest, context: grpc.ServicerContext
    ) -> pb.Dataset:
        """One of the caller's datasets."""
        del context
        grant, dataset_id = self._named(request.name)
        return convert.dataset_message(self._datasets.get(grant, dataset_id))

    def ListDatasets(
        self, request: pb.ListDatasetsRequest, context: grpc.ServicerContext
    ) -> pb.ListDatasetsResponse:
        """The caller's datasets of a flow, newest first."""
        del context
        grant = self._admit(*names.parse_flow("parent", request.parent))
        shown, token = self._tokens.page(
            f"ListDatasets {grant.party} {request.parent}",
            request,
            lambda before, limit: self._datasets.page(grant, before=before, limit=limit),
            place=lambda dataset: dataset.sequence,
        )
        return pb.ListDatasetsResponse(
            datasets=[convert.dataset_message(d) for d in shown], next_page_token=token
        )

    def DeleteDataset(
        self, request: pb.DeleteDatasetRequest, context: grpc.ServicerContext
    ) -> Empty:
        """Erase a dataset; its owner may do so out of force too."""
        del context
        grant, dataset_id = self._named(request.name, erasing=True)
        self._datasets.delete(grant, dataset_id, convert.request_key(request))
        return Empty()

    def _named(self, name: str, *, erasing: bool = False) -> tuple[Grant, str]:
        agreement_id, flow_id, dataset_id = names.parse_dataset("name", name)
        current_call().note(dataset=dataset_id)
        return self._admit(agreement_id, flow_id, erasing=erasing), dataset_id

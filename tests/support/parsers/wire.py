"""What a server answers, where nobody has vouched for the server yet."""

from __future__ import annotations

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from padan.v1.reason_texts import ServerKind
from padan_client.base.errors import PadanError
from padan_client.transport.refusals import from_rpc_error
from parsers.target import Target


class _Failed(grpc.RpcError):
    """A failed call as grpcio shows it, with details of somebody's making."""

    def __init__(self, details: bytes) -> None:
        self._details = details

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.FAILED_PRECONDITION

    def details(self) -> str:
        return self._details.decode("latin-1")

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        return (("grpc-status-details-bin", self._details),)


def _read_refusal(content: bytes) -> None:
    error = from_rpc_error(_Failed(content), ServerKind.UNIT)
    assert isinstance(error, PadanError)
    assert str(error).isprintable()


def _refusal() -> bytes:
    info = error_details_pb2.ErrorInfo(
        reason="QUOTA_EXCEEDED", domain="padan", metadata={"limit": "5", "article": "Pasal 7 (2)"}
    )
    detail = any_pb2.Any()
    detail.Pack(info)
    return bytes(status_pb2.Status(code=9, message="x", details=[detail]).SerializeToString())


WIRE = (Target("refusal", _read_refusal, lambda: [_refusal()]),)

"""A gRPC server that answers no call and counts them: what a client would have said to it."""

from __future__ import annotations

from concurrent import futures
from pathlib import Path
from typing import Self

import grpc

from padan_lab.demo.pki import Certificate


class _Counting(grpc.GenericRpcHandler):
    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def service(self, handler_call_details):
        self._calls.append(handler_call_details.method)


class Impostor:
    """Serves on loopback with a certificate of choice; ``calls`` are the methods it was asked."""

    def __init__(self, ca: Path, shown: Certificate) -> None:
        self.calls: list[str] = []
        self._server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[_Counting(self.calls)])
        credentials = grpc.ssl_server_credentials(
            [(shown.key.read_bytes(), shown.certificate.read_bytes())],
            root_certificates=ca.read_bytes(),
            require_client_auth=True,
        )
        self.port = self._server.add_secure_port("127.0.0.1:0", credentials)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(0).wait()

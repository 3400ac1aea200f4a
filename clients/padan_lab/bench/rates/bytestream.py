"""A bare gRPC server over mutual TLS that takes a stream of bytes and does nothing with it.

Run as a process of its own, the peer of ``padan bench upload``: CA, certificate and key are files;
prints its port.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

METHOD = "/padan.bench.Bytes/Take"


class _Taker(grpc.GenericRpcHandler):
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if handler_call_details.method != METHOD:
            return None
        return grpc.stream_unary_rpc_method_handler(_take)


def _take(messages: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    del context
    return str(sum(len(message) for message in messages)).encode()


def serve(ca: Path, certificate: Path, key: Path) -> None:
    """Serve until the process is ended."""
    server = grpc.server(ThreadPoolExecutor(4), handlers=[_Taker()])
    credentials = grpc.ssl_server_credentials(
        [(key.read_bytes(), certificate.read_bytes())], ca.read_bytes(), require_client_auth=True
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    serve(*map(Path, sys.argv[1:4]))

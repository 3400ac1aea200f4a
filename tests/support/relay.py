"""A TCP relay on loopback that keeps what passes and can lead elsewhere: a network."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Relay:
    """Passes connections on to a port of loopback; ``sent`` and ``received`` keep the bytes.

    ``route(n)`` gives the port of the n-th connection, from 0, where they are not to go to one.
    """

    def __init__(self, port: int) -> None:
        self.route = lambda n: port
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.port = self._listening.getsockname()[1]
        self.sent = bytearray()
        self.received = bytearray()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()

    def cut(self) -> None:
        """Break every connection that is open."""
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _start(self, target, *args) -> None:
        self._threads.append(threading.Thread(target=target, args=args))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                self._greet(near)
                port, self.connections = self.route(self.connections), self.connections + 1
                far = socket.create_connection(("127.0.0.1", port))
                self._open += [near, far]
                self._start(self._pass_on, near, far, self.sent)
                self._start(self._pass_on, far, near, self.received)

    def _greet(self, near: socket.socket) -> None:
        """What is said before anything is passed on; here nothing."""

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                kept += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


class HttpProxy(Relay):
    """An HTTP proxy (RFC 9110, 9.3.6) all of whose ways lead to one port; keeps its requests."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.requests: list[str] = []

    def _greet(self, near: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += near.recv(1)
        self.requests.append(head.decode())
        near.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

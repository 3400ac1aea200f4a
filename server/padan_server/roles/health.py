"""Health as ``grpc.health.v1`` has it: what is served, and watches that wait on a thread each.

grpcio's own servicer tells every watcher by itself, one after the other, with a lock held that the
end of a watch needs too: a watcher that goes at the wrong moment, or does not read, keeps the
server from stopping. Here a slow watcher holds up its own thread alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_Response = health_pb2.HealthCheckResponse
#: Seconds after which a watch looks whether anybody still listens.
_LOOK_SECONDS = 0.5


class HealthService(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """The state of each service by name; "" is the whole server."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._states: dict[str, int] = {"": _Response.NOT_SERVING}
        self._changed = threading.Condition()

    def set(self, service: str, state: int) -> None:
        """Say how a service is; never waits for a watcher."""
        with self._changed:
            self._states[service] = state
            self._changed.notify_all()

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802 - the stub's name
        """The state of one service; NOT_FOUND for one that there is not."""
        state = self._states.get(request.service)
        if state is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return _Response(status=state)

    def Watch(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802 - the stub's name
        """The state of one service now, and at each change, until the server has stopped."""
        told = None
        while context.is_active():
            with self._changed:
                state = self._state(request.service)
                if state == told and not self._stopping.is_set():
                    self._changed.wait(_LOOK_SECONDS)
                    state = self._state(request.service)
            if state != told:
                told = state
                yield _Response(status=state)
            elif self._stopping.is_set():
                return

    def _state(self, service: str) -> int:
        return self._states.get(service, int(_Response.SERVICE_UNKNOWN))

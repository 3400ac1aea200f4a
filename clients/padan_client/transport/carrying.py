"""Makes the steps of a flow the methods of a client, so that a signature stands once: at the steps.

The asyncio twins are in :mod:`.async_channel`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from padan_client.base.closing import Closing
from padan_client.base.effects import Steps, run_here
from padan_client.home.folder import Home
from padan_client.transport.channel import Link


class FlowSteps(Protocol):
    """The protocol steps of one flow, from one of its sides."""

    agreement: str
    flow: str


F = TypeVar("F", bound=FlowSteps)
P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Callable[..., Any])

#: A method of a flow that gives steps, and one of a client that gives their result.
StepsOf = Callable[Concatenate[F, P], Steps[T]]


class FlowClient(Closing, Generic[F]):
    """A client of one flow. Without a ``link`` one is opened when it is needed."""

    def __init__(self, flow: F, home: Home, link: Link | None) -> None:
        self.flow = flow
        self._home = home
        self._link = link

    def run(self, steps: Steps[T]) -> T:
        """Carry out ``steps``."""
        if self._link is None:
            self._link = Link.open(self._home, self.flow.agreement, self.flow.flow)
        return self._link.run(steps)

    def close(self) -> None:
        """Close the connection."""
        if self._link is not None:
            self._link.close()


def carried_out(steps: StepsOf[F, P, T]) -> Callable[Concatenate[FlowClient[F], P], T]:
    """A client's method that carries out ``steps`` of its flow and returns their result."""

    def method(client: FlowClient[F], /, *args: P.args, **more: P.kwargs) -> T:
        return client.run(steps(client.flow, *args, **more))

    return named_after(steps, method)


def done_here(steps: StepsOf[F, P, T]) -> Callable[Concatenate[FlowClient[F], P], T]:
    """The same for steps that call nobody; no connection is opened."""

    def method(client: FlowClient[F], /, *args: P.args, **more: P.kwargs) -> T:
        return run_here(steps(client.flow, *args, **more))

    return named_after(steps, method)


def named_after(steps: Callable[..., Any], method: M) -> M:
    """``method`` with the name, text and parameters of ``steps``, and the type of their result."""
    wraps(steps)(method)
    result = str(steps.__annotations__["return"]).removeprefix("Steps[").removesuffix("]")
    method.__annotations__ = steps.__annotations__ | {"return": result}
    del method.__dict__["__wrapped__"]  # or signatures would be read there
    method.__dict__["__signature__"] = signature(steps).replace(return_annotation=result)
    return method

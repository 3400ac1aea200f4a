"""Padan for asyncio: the same protocol steps as the synchronous client, on ``grpc.aio``."""

from __future__ import annotations

from padan_client.home.folder import Home
from padan_client.provider import ProviderFlow
from padan_client.records.lists import Record
from padan_client.requester import RequesterFlow, first_row
from padan_client.transport.async_channel import (
    AsyncFlowClient,
    AsyncLink,
    carried_out,
    done_aside,
)


class AsyncProviderClient(AsyncFlowClient[ProviderFlow]):
    """:class:`~padan_client.provider.ProviderClient` for asyncio."""

    def __init__(
        self,
        home: Home,
        agreement: str,
        flow: str,
        *,
        link: AsyncLink | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(ProviderFlow(home, agreement, flow, threads), home, link)

    publish = carried_out(ProviderFlow.publish)
    publish_table = done_aside(ProviderFlow.publish_table)


class AsyncRequesterClient(AsyncFlowClient[RequesterFlow]):
    """:class:`~padan_client.requester.RequesterClient` for asyncio."""

    def __init__(
        self,
        home: Home,
        agreement: str,
        flow: str,
        *,
        link: AsyncLink | None = None,
        threads: int | None = None,
    ) -> None:
        steps = RequesterFlow(home, agreement, flow, threads)
        super().__init__(steps, home, link or AsyncLink.open(home, agreement, flow))

    confirm = carried_out(RequesterFlow.confirm)
    present = carried_out(RequesterFlow.present)
    known = carried_out(RequesterFlow.known)
    confirm_few = carried_out(RequesterFlow.confirm_few)

    async def confirm_one(self, record: Record, *, mode: str | None = None) -> dict[str, str]:
        """As :meth:`padan_client.requester.RequesterClient.confirm_one`."""
        return first_row(await self.confirm_few([record], mode=mode))

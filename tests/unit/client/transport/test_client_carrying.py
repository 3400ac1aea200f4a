"""A client's methods tell what they take and give, not how the steps of its flow do it."""

from __future__ import annotations

import inspect

import pytest

from padan_client import (
    AsyncProviderClient,
    AsyncRequesterClient,
    ProviderClient,
    RequesterClient,
)

METHODS = {
    "confirm": ("ConfirmResult", RequesterClient, AsyncRequesterClient),
    "confirm_few": ("ConfirmResult", RequesterClient, AsyncRequesterClient),
    "publish": ("PublishResult", ProviderClient, AsyncProviderClient),
    "publish_table": ("PublishResult", ProviderClient, AsyncProviderClient),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_tells_the_type_of_its_result(name):
    result, *clients = METHODS[name]
    for client in clients:
        method = getattr(client, name)
        assert inspect.signature(method).return_annotation == result
        assert method.__annotations__["return"] == result
        assert method.__name__ == name
        assert method.__doc__
    assert inspect.iscoroutinefunction(getattr(clients[1], name))

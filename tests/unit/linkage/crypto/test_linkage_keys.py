"""Linkage keys: the same on both sides, other for any other input, and never shown."""

import copy
import pickle
from functools import partial
from typing import ClassVar

import pytest

from padan_linkage.crypto.epochs import contribution_statement, flow_context, framed
from padan_linkage.crypto.keys import (
    KeyAgreementError,
    LinkageKey,
    derive_linkage_key,
    exchange,
    exchange_public_key,
)

STATIC, EPOCH = (b"a" * 32, b"b" * 32), (b"c" * 32, b"d" * 32)
PUBLIC = exchange_public_key


def derive(side, **change):
    """The key as the provider (0) or the requester (1) derives it."""
    inputs = {
        "my_static": STATIC[side],
        "peer_static": PUBLIC(STATIC[1 - side]),
        "my_epoch": EPOCH[side],
        "peer_epoch": PUBLIC(EPOCH[1 - side]),
        "agreement_digest": b"D" * 32,
        "flow_id": "asn-status",
        "epoch": 1,
        "provider_contribution": PUBLIC(EPOCH[0]),
        "requester_contribution": PUBLIC(EPOCH[1]),
    }
    given = {**inputs, **change}
    given["exchange_static"] = partial(exchange, given.pop("my_static"))
    return derive_linkage_key(**given)


def test_both_sides_derive_one_key():
    assert derive(0) == derive(1)
    assert derive(0).check_value() == derive(1).check_value()


class TestAnotherInputMakesAnotherKey:
    changes: ClassVar = {
        "agreement": {"agreement_digest": b"E" * 32},
        "flow": {"flow_id": "asn-perbaikan"},
        "epoch": {"epoch": 2},
        "peer": {"peer_static": PUBLIC(b"z" * 32)},
        "own static key": {"my_static": b"z" * 32},
        "roles": {
            "provider_contribution": PUBLIC(EPOCH[1]),
            "requester_contribution": PUBLIC(EPOCH[0]),
        },
    }

    @pytest.mark.parametrize("change", changes.values(), ids=changes)
    def test_key_and_check_value_differ(self, change):
        assert derive(0, **change) != derive(0)
        assert derive(0, **change).check_value() != derive(0).check_value()


@pytest.mark.parametrize(
    "change",
    [
        {"peer_epoch": PUBLIC(b"z" * 32)},
        {"my_epoch": b"z" * 32},
        {"provider_contribution": PUBLIC(b"z" * 32)},
        {"peer_epoch": PUBLIC(EPOCH[0]), "requester_contribution": PUBLIC(EPOCH[0])},
    ],
    ids=["other peer", "other own", "other contribution", "own key reflected"],
)
def test_contributions_that_are_not_both_sides_keys_are_refused(change):
    with pytest.raises(KeyAgreementError, match="contributions"):
        derive(0, **change)


@pytest.mark.parametrize("public", [bytes(32), bytes([1] + [0] * 31), b"x" * 31, b""])
def test_unusable_public_keys_are_refused(public):
    with pytest.raises(KeyAgreementError):
        exchange(b"a" * 32, public)
    with pytest.raises(KeyAgreementError):
        derive(0, peer_static=public)


def test_private_keys_of_a_wrong_length_are_refused_without_showing_them():
    with pytest.raises(KeyAgreementError) as raised:
        exchange_public_key(b"secret")
    assert "secret" not in str(raised.value)


def test_subkeys_differ_by_label_schema_and_names():
    key = derive(0)
    made = {
        key.subkey("token", b"s" * 32, "p"),
        key.subkey("diffusion", b"s" * 32, "p"),
        key.subkey("token", b"t" * 32, "p"),
        key.subkey("token", b"s" * 32, "q"),
        key.subkey("token", b"s" * 32, "p", "q"),
        key.subkey("token", b"s" * 32, "pq"),
        key.check_value().ljust(32, b"\x00"),
    }
    assert len(made) == 7
    with pytest.raises(ValueError, match="32"):
        key.subkey("token", b"short", "p")


def test_a_key_is_not_shown_pickled_copied_or_hashed():
    key = LinkageKey(b"TOPSECRET".ljust(32, b"!"), b"D" * 32, "f", 1)
    assert "TOPSECRET" not in repr(key)
    assert b"TOPSECRET".hex() not in repr(key)
    for escape in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never"):
            escape(key)
    with pytest.raises(TypeError, match="unhashable"):
        hash(key)
    assert key != "TOPSECRET"
    assert not hasattr(key, "__dict__")


@pytest.mark.parametrize(
    "change", [{"secret": b"x" * 31}, {"agreement_digest": b"x"}, {"epoch": 0}], ids=str
)
def test_malformed_keys_are_refused(change):
    inputs = {"secret": b"x" * 32, "agreement_digest": b"D" * 32, "flow_id": "f", "epoch": 1}
    with pytest.raises(ValueError, match=r"32|1"):
        LinkageKey(**{**inputs, **change})


def test_statements_bind_party_flow_epoch_agreement_and_key():
    base = {
        "agreement_digest": b"D" * 32,
        "flow_id": "f",
        "epoch": 1,
        "party": "bkn",
        "public_key": b"k" * 32,
    }
    changes = [
        {},
        {"agreement_digest": b"E" * 32},
        {"flow_id": "fb", "party": "kn"},
        {"epoch": 2},
        {"party": "kemnaker"},
        {"public_key": b"l" * 32},
    ]
    made = {contribution_statement(**{**base, **change}) for change in changes}
    assert len(made) == len(changes)
    with pytest.raises(ValueError, match="32"):
        contribution_statement(**{**base, "public_key": b"k"})


def test_a_text_too_long_to_frame_is_refused():
    with pytest.raises(ValueError, match="65,535"):
        framed("x" * 70_000)
    with pytest.raises(ValueError, match="epochs"):
        flow_context(b"D" * 32, "f", -1)

"""Key epochs: the local keys, and the contributions that a unit relays or invents."""

from __future__ import annotations

import base64
import os

import pytest
from agency import NOW, make_session, small_passes
from signing import PartyKeys, write_signed

from padan.v1 import agreement_service_pb2 as pb
from padan.v1 import resources_pb2
from padan_client.base.effects import Patience, Unary
from padan_client.base.errors import BadInputError, RefusedError, VerificationError
from padan_client.home.epochs import Contributions, EpochStore
from padan_client.home.protection.private_keys import PrivateKeys
from padan_client.protocol.contributions import fetch_contributions, require_current
from padan_linkage.crypto import signatures
from padan_linkage.crypto.epochs import contribution_statement
from padan_linkage.crypto.keys import exchange_public_key

PATIENCE = Patience(jitter=lambda: 0.0)


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    return write_signed(tmp_path_factory.mktemp("signed"), edit=small_passes)


@pytest.fixture
def session(signed):
    return make_session(signed, "asn-status", provider=False)


@pytest.fixture
def place(session):
    return session.place


@pytest.fixture
def store(tmp_path, session):
    return EpochStore(tmp_path / "epochs", session.identity, os.urandom)


def both(store, place, epoch=1, peer=bytes(range(32))):
    record = store.create(place, epoch, NOW)
    mine = base64.b64decode(record.public_key)
    return Contributions({epoch: {place.party: mine, place.peer: exchange_public_key(peer)}})


def test_a_key_is_made_once_and_kept_wrapped(store, place, tmp_path):
    record = store.create(place, 1, NOW)
    assert store.create(place, 1, NOW) == record
    private = store.private_key(place, 1)
    assert exchange_public_key(private) == base64.b64decode(record.public_key)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o777 == 0o600
            assert private not in path.read_bytes()
            assert base64.b64encode(private) not in path.read_bytes()


class Token(PrivateKeys):
    """Keys that are somewhere else: nothing but what the interface has can be asked of them."""

    def __init__(self, within):
        self.sign, self.exchange, self.derive = within.sign, within.exchange, within.derive
        self.holding = lambda keys: Token(within.holding(keys))


def test_epochs_need_no_key_that_is_at_hand(signed, tmp_path):
    session = make_session(signed, "asn-status", provider=False)
    token = Token(session.identity)
    assert not [name for name in vars(token) if "private" in name]
    elsewhere = EpochStore(tmp_path / "epochs", token, os.urandom)
    contributions = both(elsewhere, session.place)
    derived = elsewhere.linkage_key(session.place, contributions, 1)
    here = EpochStore(tmp_path / "epochs", session.identity, os.urandom)
    assert here.linkage_key(session.place, contributions, 1) == derived


def test_both_sides_derive_the_same_key_and_another_epoch_another(signed, tmp_path):
    sides = [make_session(signed, "asn-status", provider=p) for p in (True, False)]
    stores = [EpochStore(tmp_path / s.place.party, s.identity, os.urandom) for s in sides]
    keys = []
    for epoch in (1, 2):
        public = {
            s.place.party: base64.b64decode(e.create(s.place, epoch, NOW).public_key)
            for s, e in zip(sides, stores, strict=True)
        }
        contributions = Contributions({epoch: public})
        mine, theirs = (
            e.linkage_key(s.place, contributions, epoch) for s, e in zip(sides, stores, strict=True)
        )
        assert mine == theirs
        keys.append(mine)
    assert keys[0] != keys[1]


def test_a_destroyed_epoch_is_gone_for_good_and_on_record(store, place, tmp_path):
    contributions = both(store, place)
    store.linkage_key(place, contributions, 1)
    store.destroy(place, 1, NOW)
    store.destroy(place, 1, NOW)
    assert store.record(place, 1).destroyed == NOW
    assert not list(tmp_path.rglob("*.key"))
    with pytest.raises(BadInputError, match="dimusnahkan"):
        store.linkage_key(place, contributions, 1)
    with pytest.raises(BadInputError):
        store.destroy(place, 2, NOW)


def test_a_destruction_that_a_crash_interrupted_is_finished(store, place, tmp_path):
    store.create(place, 1, NOW)
    (key,) = tmp_path.rglob("*.key")
    content = key.read_bytes()
    store.destroy(place, 1, NOW)
    key.write_bytes(content)
    with pytest.raises(BadInputError):
        store.private_key(place, 1)
    store.destroy(place, 1, NOW)
    assert not key.exists()


def test_the_other_sides_key_may_not_change_within_an_epoch(store, place):
    store.linkage_key(place, both(store, place), 1)
    with pytest.raises(VerificationError, match="berubah"):
        store.linkage_key(place, both(store, place, peer=bytes(range(1, 33))), 1)


def test_an_older_epoch_than_one_used_is_refused(store, place):
    first = both(store, place, 1)
    store.linkage_key(place, both(store, place, 2), 2)
    with pytest.raises(VerificationError, match="epok 2 sudah dipakai"):
        store.linkage_key(place, first, 1)


def test_a_key_that_is_not_ours_is_refused(store, place):
    contributions = both(store, place)
    contributions.keys[1][place.party] = exchange_public_key(b"x" * 32)
    with pytest.raises(VerificationError, match="bukan milik kedua pihak"):
        store.linkage_key(place, contributions, 1)


def test_an_altered_key_file_is_refused(store, place, tmp_path):
    store.create(place, 1, NOW)
    (key,) = tmp_path.rglob("*.key")
    key.write_bytes(key.read_bytes()[:-1] + b"\x00")
    with pytest.raises(VerificationError):
        store.private_key(place, 1)


def test_another_identity_cannot_open_the_keys(store, place, signed, tmp_path):
    store.create(place, 1, NOW)
    stranger = make_session(signed, "asn-status", provider=True).identity
    with pytest.raises(VerificationError):
        EpochStore(tmp_path / "epochs", stranger, os.urandom).private_key(place, 1)


# What the unit relays.


def contribution(place, party, epoch=1, *, signer=None, changes=None):
    public_key = exchange_public_key(party.encode().ljust(32, b"\x01"))
    statement = contribution_statement(place.digest, place.flow.id, epoch, party, public_key)
    values = {
        "epoch": f"{place.name}/epochs/{epoch}",
        "party": party,
        "public_key": public_key,
        "signature": signatures.sign(PartyKeys.of(signer or party).sign, statement),
    }
    return resources_pb2.EpochContribution(**{**values, **(changes or {})})


def fetch(place, *pages):
    """Run the steps against pages of contributions."""
    steps = fetch_contributions(place, PATIENCE)
    answers = [
        pb.ListEpochContributionsResponse(
            contributions=page, next_page_token=f"{i + 1}" if i + 1 < len(pages) else ""
        )
        for i, page in enumerate(pages)
    ]
    try:
        effect = next(steps)
        for answer in answers:
            assert isinstance(effect, Unary)
            effect = steps.send(answer)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("asked for more pages than there are")


def test_the_newest_epoch_with_both_sides_is_current(place):
    found = fetch(
        place,
        [contribution(place, "bkn", 3), contribution(place, "bkn", 2)],
        [contribution(place, "kemnaker", 2), contribution(place, "bkn", 1)],
    )
    assert (found.current(), found.newest()) == (2, 3)
    assert require_current(place, found) == 2


LIES = {
    "signed by another": {"signer": "kemnaker"},
    "key exchanged": {"public_key": exchange_public_key(b"evil".ljust(32, b"\x01"))},
    "short key": {"public_key": b"short"},
    "no signature": {"signature": b""},
    "signature of another epoch": {
        "epoch": "agreements/kemnaker-bkn-2024/flows/asn-status/epochs/2"
    },
    "another flow": {"epoch": "agreements/kemnaker-bkn-2024/flows/jf-binaan/epochs/1"},
    "no number": {"epoch": "agreements/kemnaker-bkn-2024/flows/asn-status/epochs/x"},
    "a digit that is none": {"epoch": "agreements/kemnaker-bkn-2024/flows/asn-status/epochs/²"},
    "a stranger": {"party": "imigrasi"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_contribution_that_is_not_the_partys_own_is_refused(place, lie):
    changes = dict(LIES[lie])
    signer = changes.pop("signer", None)
    false = contribution(place, "bkn", signer=signer, changes=changes)
    with pytest.raises(VerificationError):
        fetch(place, [contribution(place, "kemnaker"), false])


def test_two_different_contributions_of_one_party_are_refused(place):
    other = exchange_public_key(b"\x07" * 32)
    statement = contribution_statement(place.digest, place.flow.id, 1, "bkn", other)
    second = contribution(
        place,
        "bkn",
        changes={
            "public_key": other,
            "signature": signatures.sign(PartyKeys.of("bkn").sign, statement),
        },
    )
    with pytest.raises(VerificationError):
        fetch(place, [contribution(place, "bkn"), second])


def send_for_ever(steps, answer):
    for _ in range(10_000):
        steps.send(answer)


def test_an_endless_list_of_pages_ends(place):
    steps = fetch_contributions(place, PATIENCE)
    next(steps)
    with pytest.raises(VerificationError, match="berujung"):
        send_for_ever(steps, pb.ListEpochContributionsResponse(next_page_token="more"))


def test_an_incomplete_epoch_says_who_is_awaited(place):
    waiting = fetch(place, [contribution(place, place.party)])
    with pytest.raises(RefusedError, match=f"menunggu {place.peer}"):
        require_current(place, waiting)
    with pytest.raises(BadInputError, match="padan keys rotate"):
        require_current(place, fetch(place, []))

"""Key changes: what holds, and that nothing else does."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from padan_linkage.agreement import (
    NEW,
    OLD,
    AgreementError,
    KeyChange,
    PublicKeys,
    SignedKeyChange,
    agreement_digest,
    load_agreement,
    unit_flows,
)
from padan_linkage.agreement.directory import load_signed
from padan_linkage.agreement.key_changes import with_key_changes
from padan_linkage.crypto import signatures

MADE = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.fixture
def agreement(flagship):
    return load_agreement(flagship)


def keys_of(signers, name):
    """Public keys of a party, or of what it might call itself next."""
    sign, exchange = (base64.b64encode(k).decode() for k in signers.public(name))
    return PublicKeys(sign_key=sign, exchange_key=exchange)


def change(within, document, signers, party="bkn", new="bkn 2", number=1, **more):
    """A change as it should be, except for what ``more`` says."""
    values = {
        "agreement": agreement_digest(document).hex(),
        "party": party,
        "number": number,
        "made": MADE + timedelta(days=number),
        "first_epochs": dict.fromkeys(unit_flows(within, party), 3),
        "old": within.party(party).keys,
        "new": keys_of(signers, new),
    }
    return SignedKeyChange(change=KeyChange(**{**values, **more}))


def signed_by(made, signers, **names):
    """With signatures: by whom, and as whom."""
    for signer, name in names.items():
        statement = made.change.statement()
        made = made.signed(signer, signatures.sign(signers.sign_private(name), statement))
    return made


def held(within, document, signers, **more):
    made = change(within, document, signers, **more)
    return signed_by(made, signers, **{OLD: "bkn", NEW: "bkn 2"})


def test_old_and_new_key_sign_and_the_epoch_tells_whose_it_is(agreement, flagship, signers):
    after = with_key_changes(
        agreement, agreement_digest(flagship), [held(agreement, flagship, signers)]
    )
    assert after.party("bkn").keys == keys_of(signers, "bkn 2")
    assert after.party("kemnaker") == agreement.party("kemnaker")
    for epoch, name in ((1, "bkn"), (2, "bkn"), (3, "bkn 2"), (9, "bkn 2")):
        then = after.at("asn-status", epoch).party("bkn")
        assert then.keys == keys_of(signers, name)
    assert after.signers("bkn") == (signers.public("bkn 2")[0], signers.public("bkn")[0])


def test_changes_follow_each_other(agreement, flagship, signers):
    first = held(agreement, flagship, signers)
    once = with_key_changes(agreement, agreement_digest(flagship), [first])
    second = change(once, flagship, signers, new="bkn 3", number=2)
    second = signed_by(second, signers, **{OLD: "bkn 2", NEW: "bkn 3"})
    twice = with_key_changes(agreement, agreement_digest(flagship), [second, first])
    assert twice.party("bkn").keys == keys_of(signers, "bkn 3")
    with pytest.raises(AgreementError):
        with_key_changes(agreement, agreement_digest(flagship), [second])


def test_lost_keys_are_replaced_by_every_other_party_and_the_new_key(agreement, flagship, signers):
    made = change(agreement, flagship, signers, lost=True)
    digest = agreement_digest(flagship)
    for names in ({NEW: "bkn 2"}, {"kemnaker": "kemnaker"}, {OLD: "bkn", NEW: "bkn 2"}):
        with pytest.raises(AgreementError):
            with_key_changes(agreement, digest, [signed_by(made, signers, **names)])
    whole = signed_by(made, signers, **{NEW: "bkn 2", "kemnaker": "kemnaker"})
    after = with_key_changes(agreement, digest, [whole])
    assert after.signers("bkn") == (signers.public("bkn 2")[0],)
    assert after.at("asn-status", 2).party("bkn").keys == keys_of(signers, "bkn")


@pytest.mark.parametrize(
    "more",
    [
        {"agreement": "0" * 64},
        {"party": "kemnaker", "new": "bkn 2"},
        {"number": 2},
        {"first_epochs": {}},
        {"first_epochs": {"asn-status": 3}},
    ],
    ids=["of other bytes", "of another party", "out of order", "no epochs", "not all epochs"],
)
def test_what_does_not_belong_is_refused(agreement, flagship, signers, more):
    with pytest.raises(AgreementError) as caught:
        with_key_changes(
            agreement, agreement_digest(flagship), [held(agreement, flagship, signers, **more)]
        )
    assert [f.code for f in caught.value.findings] == ["key-change-refused"]


@pytest.mark.parametrize("new", ["bkn", "kemnaker"])
def test_new_keys_are_new_and_nobody_else_s(agreement, flagship, signers, new):
    made = change(agreement, flagship, signers, new=new)
    made = signed_by(made, signers, **{OLD: "bkn", NEW: new})
    with pytest.raises(AgreementError):
        with_key_changes(agreement, agreement_digest(flagship), [made])


@pytest.mark.parametrize("missing", [OLD, NEW])
def test_one_signature_is_not_enough_and_a_wrong_one_none(agreement, flagship, signers, missing):
    names = {OLD: "bkn", NEW: "bkn 2"}
    made = change(agreement, flagship, signers)
    for given in ({k: v for k, v in names.items() if k != missing}, {**names, missing: "kemnaker"}):
        with pytest.raises(AgreementError, match=f"belum ditandatangani {missing}"):
            with_key_changes(
                agreement, agreement_digest(flagship), [signed_by(made, signers, **given)]
            )


def test_a_file_beside_the_agreement_counts_under_its_own_name(
    agreement, flagship, signers, tmp_path
):
    path = signers.write(tmp_path, flagship)
    made = held(agreement, flagship, signers)
    beside = tmp_path / f"{path.name}{made.name}"
    beside.write_bytes(made.text())
    loaded = load_signed(path)
    assert loaded.agreement is not None
    assert loaded.agreement.party("bkn").keys == keys_of(signers, "bkn 2")
    assert loaded.digest == agreement_digest(flagship)
    beside.rename(tmp_path / f"{path.name}.bkn.7.keys")
    assert [f.code for f in load_signed(path).problems] == ["key-change-name"]
    (tmp_path / f"{path.name}.bkn.7.keys").write_text("{}")
    assert [f.code for f in load_signed(path).problems] == ["key-change-malformed"]

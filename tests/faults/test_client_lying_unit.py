"""Somebody changes what the unit says, step by step: a clear error, and never a wrong code."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import numpy as np
import pytest
from agency import TamperingLink, people, registry_table
from signing import PartyKeys

from padan.v1 import run_service_pb2 as run_pb
from padan_client import (
    BadInputError,
    ProviderClient,
    RefusedError,
    RequesterClient,
    UnavailableError,
    VerificationError,
)
from padan_client.protocol.unit import running
from padan_linkage.crypto import signatures
from padan_linkage.edition.document import SIGNED, Edition

PEOPLE = people(60, seed=4)
REGISTRY = registry_table(PEOPLE[:40])
LIST = PEOPLE[20:48]
PLANTED = re.compile("|".join(value for person in PEOPLE for value in person.values()))


@pytest.fixture(scope="module")
def published(small_pair):
    with ProviderClient(small_pair.provider, *small_pair.names) as client:
        client.publish(REGISTRY, id_column="id", status_column="status")
    return small_pair


@pytest.fixture
def pair(published, fresh_jobs):
    return fresh_jobs


def only(method, change):
    """Tampers with the messages of one method; ``change`` edits in place or returns others."""

    def tamper(called, message):
        stream = called in {"RunService.WatchRun", "RunService.StreamResults"}
        if called == method:
            result = change(message)
            if result is not None:
                return result
        return [message] if stream else message

    return tamper


def confirm(pair, tamper, delivered=None):
    delivered = [] if delivered is None else delivered
    with RequesterClient(
        pair.requester, *pair.names, link=TamperingLink(pair.requester, tamper)
    ) as client:
        return client.confirm(LIST, deliver=delivered.append)


def caught(pair, tamper, kinds=(VerificationError, UnavailableError)):
    """The error that a tampered confirmation ends in; nothing was delivered, nothing shown."""
    delivered = []
    with pytest.raises(kinds) as error:
        confirm(pair, tamper, delivered)
    assert delivered == []
    for text in (str(error.value), repr(error.value)):
        assert not PLANTED.search(text)
    return error.value


def test_untouched_messages_give_the_codes(pair):
    result = confirm(pair, only("", lambda message: None))
    assert result.counts["TIDAK_DITEMUKAN"] == 8
    assert sum(result.counts.values()) == 28


# The agreement, the epochs.


def forge_agreement(message):
    document = message.document.replace(b"minimum_batch = 10", b"minimum_batch = 11")
    assert document != message.document
    message.document = document
    message.digest = hashlib.sha256(document).digest()


def resign_agreement(message):
    forge_agreement(message)
    statement = b"padan/v1 agreement\x00" + message.document
    for signature in message.signatures:
        signature.signature = signatures.sign(bytes(32), statement)


def drop_signature(message):
    del message.signatures[1]


def another_agreement(message):
    message.name = "agreements/other"


def another_digest(message):
    message.digest = bytes(32)


@pytest.mark.parametrize(
    "change",
    [forge_agreement, resign_agreement, drop_signature, another_agreement, another_digest],
)
def test_an_agreement_other_than_the_signed_one_is_refused(pair, change):
    error = caught(pair, only("AgreementService.GetAgreement", change))
    assert isinstance(error, VerificationError)
    assert "kemnaker-bkn-2024" in str(error)


def test_an_agreement_that_even_all_parties_signed_must_still_be_the_local_one(pair):
    def change(message):
        forge_agreement(message)
        statement = b"padan/v1 agreement\x00" + message.document
        for signature in message.signatures:
            signature.signature = signatures.sign(PartyKeys.of(signature.party).sign, statement)

    assert isinstance(
        caught(pair, only("AgreementService.GetAgreement", change)), VerificationError
    )


def exchange_peer_key(message):
    for contribution in message.contributions:
        if contribution.party == "bkn":
            contribution.public_key = bytes(range(32))


def drop_peer_signature(message):
    for contribution in message.contributions:
        contribution.signature = bytes(64)


def hide_own_key(message):
    for contribution in message.contributions:
        contribution.party = "bkn"


@pytest.mark.parametrize("change", [exchange_peer_key, drop_peer_signature, hide_own_key])
def test_a_false_contribution_is_refused(pair, change):
    error = caught(pair, only("AgreementService.ListEpochContributions", change))
    assert isinstance(error, VerificationError)


def test_epochs_that_vanish_are_noticed(pair):
    def change(message):
        del message.contributions[:]

    tamper = only("AgreementService.ListEpochContributions", change)
    error = caught(pair, tamper, BadInputError)
    assert "padan keys rotate" in str(error)


# The upload.


def edit(**values):
    """Sets fields."""

    def change(message):
        for name, value in values.items():
            setattr(message, name, value)

    return change


def elsewhere(message):
    message.name = message.name.replace("asn-status", "jf-binaan")


def path_out(message):
    message.name += "/../../x"


def other_key(message):
    message.encoding.key_check_value = bytes(16)


def fewer_tables(message):
    del message.tables[0]


@pytest.mark.parametrize(
    "change", [elsewhere, path_out, other_key, fewer_tables, edit(record_count=1), edit(role=1)]
)
def test_a_dataset_other_than_asked_for_is_refused(pair, change):
    error = caught(pair, only("DatasetService.CreateDataset", change))
    assert isinstance(error, VerificationError)


@pytest.mark.parametrize(
    "change",
    [
        edit(committed_rows=10**9),
        edit(committed_rows=-1),
        edit(committed_rows=5, complete=True),
    ],
)
@pytest.mark.parametrize("method", ["QueryWriteStatus", "UploadTable"])
def test_rows_that_were_never_sent_are_not_believed_safe(pair, method, change):
    error = caught(pair, only(f"DatasetService.{method}", change))
    assert isinstance(error, VerificationError)


def test_an_acknowledgement_that_was_too_low_is_put_right(pair):
    tamper = only("DatasetService.UploadTable", edit(committed_rows=0, complete=False))
    assert confirm(pair, tamper).counts["TIDAK_DITEMUKAN"] == 8


def test_a_unit_that_never_keeps_anything_is_given_up(pair):
    change = edit(committed_rows=0, complete=False)

    def tamper(method, message):
        if method in {"DatasetService.UploadTable", "DatasetService.QueryWriteStatus"}:
            change(message)
        return [message] if method.startswith("RunService.") else message

    error = caught(pair, tamper, (UnavailableError, RefusedError))
    assert getattr(error, "reason", "OFFSET_OUT_OF_ORDER") == "OFFSET_OUT_OF_ORDER"


@pytest.mark.parametrize("change", [edit(state=1), edit(state=3), elsewhere])
def test_a_commit_that_did_not_happen_is_noticed(pair, change):
    assert isinstance(caught(pair, only("DatasetService.CommitDataset", change)), VerificationError)


# The run.


def other_run(message):
    metadata = run_pb.RunMetadata()
    message.metadata.Unpack(metadata)
    metadata.run.name = metadata.run.name.replace("asn-status", "jf-binaan")
    message.metadata.Pack(metadata)


def other_list(message):
    metadata = run_pb.RunMetadata()
    message.metadata.Unpack(metadata)
    metadata.run.requester_dataset += "0"
    message.metadata.Pack(metadata)


def no_metadata(message):
    message.ClearField("metadata")


@pytest.mark.parametrize("change", [other_run, other_list, no_metadata])
def test_a_run_of_something_else_is_refused(pair, change):
    assert isinstance(caught(pair, only("RunService.CreateRun", change)), VerificationError)


def test_a_watched_run_must_be_ours(pair):
    error = caught(pair, only("RunService.WatchRun", edit(name="agreements/a/flows/b/runs/c")))
    assert isinstance(error, VerificationError)


def test_a_run_that_never_ends_is_given_up(pair, monkeypatch):
    monkeypatch.setattr(running, "_IDLE_SECONDS", 3600.0)
    error = caught(pair, only("RunService.WatchRun", edit(state=run_pb.Run.STATE_RUNNING)))
    assert isinstance(error, UnavailableError)


def test_a_failed_run_gives_its_reason_but_no_foreign_text(pair):
    change = edit(state=run_pb.Run.STATE_FAILED, failure_reason="DROP TABLE; " + LIST[0]["nama"])
    error = caught(pair, only("RunService.WatchRun", change), RefusedError)
    assert error.reason == "UNKNOWN"


# The edition.


def signed_otherwise(**changes):
    """Another edition, which the provider really signed."""

    def change(message):
        other = replace(Edition.read(message.document), **changes)
        message.document = other.document()
        message.signature = signatures.sign(PartyKeys.of("bkn").sign, SIGNED + message.document)

    return change


def renamed(change):
    """As ``change``, and named by what the document then is."""

    def also(message):
        change(message)
        name = Edition.read(message.document).name()
        message.name = f"{message.name.rpartition('/')[0]}/{name}"

    return also


def cut(message):
    message.document = message.document[:-1]


def signed_by_another(message):
    key = PartyKeys.of("kemnaker").sign
    message.signature = signatures.sign(key, SIGNED + message.document)


EDITION_LIES = [
    signed_otherwise(records=41),
    renamed(signed_otherwise(records=41)),
    signed_otherwise(agreement="0" * 64),
    renamed(signed_otherwise(rate=0.5)),
    edit(signature=b""),
    edit(signature=bytes(64)),
    edit(document=b""),
    edit(name=""),
    cut,
    signed_by_another,
]


@pytest.mark.parametrize("change", EDITION_LIES)
def test_an_edition_other_than_the_one_that_was_signed_is_refused(pair, change):
    error = caught(pair, only("DatasetService.GetEdition", change))
    assert isinstance(error, VerificationError)
    assert "penyedia" in str(error)


@pytest.mark.parametrize(("version", "told"), [(1, "menerbitkan ulang"), (3, "lebih baru")])
def test_an_edition_of_another_version_is_not_called_a_forgery(pair, version, told):
    def other(message):
        given = f'"version":{version}'.encode()
        message.document = message.document.replace(b'"version":2', given)
        message.signature = signatures.sign(PartyKeys.of("bkn").sign, SIGNED + message.document)

    said = str(caught(pair, only("DatasetService.GetEdition", other)))
    assert told in said
    assert "tidak sah" not in said


@pytest.mark.parametrize("name", ["", "x", "agreements/a/flows/b/editions/0123456789abcdef"])
def test_a_run_without_an_edition_of_the_flow_is_refused(pair, name):
    def change(message):
        metadata = run_pb.RunMetadata()
        message.metadata.Unpack(metadata)
        metadata.run.edition = name
        message.metadata.Pack(metadata)

    assert isinstance(caught(pair, only("RunService.CreateRun", change)), VerificationError)


# The answers.


def rows(change):
    """Applies ``change`` to the answers of every piece."""

    def apply(message):
        change(message.rows)

    return apply


def swap_codes(answers):
    width = 44
    codes = [
        answers.sealed_codes[i : i + width] for i in range(0, len(answers.sealed_codes), width)
    ]
    answers.sealed_codes = b"".join(codes[1:] + codes[:1])


def flip_codes(answers):
    altered = np.frombuffer(answers.sealed_codes, np.uint8).copy()
    altered[20::44] ^= 1
    answers.sealed_codes = altered.tobytes()


def answer_with_one_code(answers):
    answers.sealed_codes = answers.sealed_codes[:44] * (len(answers.sealed_codes) // 44)


def truncate(name):
    def change(answers):
        setattr(answers, name, getattr(answers, name)[:-1])

    return change


def all_matched(answers):
    answers.outcomes = bytes([2]) * answers.row_count


def unknown_outcomes(answers):
    answers.outcomes = bytes([9]) * answers.row_count


def shift(answers):
    answers.row_offset += 1


def more(answers):
    answers.row_count += 1


ANSWER_LIES = [
    swap_codes,
    flip_codes,
    answer_with_one_code,
    truncate("outcomes"),
    truncate("sealed_codes"),
    all_matched,
    unknown_outcomes,
    shift,
    more,
]


@pytest.mark.parametrize("change", ANSWER_LIES, ids=lambda f: f.__qualname__)
def test_a_false_answer_gives_no_code_at_all(pair, change):
    error = caught(pair, only("RunService.StreamResults", rows(change)))
    assert isinstance(error, VerificationError)


def test_a_false_seal_gives_no_code_at_all(pair):
    def change(message):
        if message.HasField("seal"):
            message.seal.encapsulated_key = bytes(31) + b"\x09"

    assert isinstance(caught(pair, only("RunService.StreamResults", change)), VerificationError)


def test_answers_cut_short_are_refused(pair):
    error = caught(pair, only("RunService.StreamResults", lambda message: []))
    assert isinstance(error, VerificationError)


def test_a_stream_without_end_is_cut(pair):
    def change(message):
        head = run_pb.StreamResultsResponse(seal=message.seal)
        return (head for _ in range(10**9))

    assert isinstance(caught(pair, only("RunService.StreamResults", change)), VerificationError)


def test_answers_sent_twice_are_refused(pair):
    error = caught(pair, only("RunService.StreamResults", lambda message: [message, message]))
    assert isinstance(error, VerificationError)


# Real time.


def real_time(pair, change):
    link = TamperingLink(pair.requester, only("ConfirmationService.ConfirmRecords", change))
    with RequesterClient(pair.requester, *pair.names, link=link) as client:
        return client.confirm_few(LIST[8:])


def drop_row(message):
    message.rows.row_count -= 1


def nobody(message):
    message.ClearField("rows")


REAL_TIME_LIES = [rows(change) for change in ANSWER_LIES] + [drop_row, nobody]


@pytest.mark.parametrize("change", REAL_TIME_LIES)
def test_a_false_answer_in_real_time_gives_no_code(pair, change):
    with pytest.raises(VerificationError) as error:
        real_time(pair, change)
    assert not PLANTED.search(str(error.value))


@pytest.mark.parametrize("change", [cut, signed_otherwise(records=41), edit(signature=b"")])
def test_a_false_edition_in_real_time_gives_no_code(pair, change):
    link = TamperingLink(pair.requester, only("DatasetService.GetEdition", change))
    with (
        RequesterClient(pair.requester, *pair.names, link=link) as client,
        pytest.raises(VerificationError),
    ):
        client.confirm_few(LIST[8:])


def test_a_registry_published_anew_between_two_passes_is_asked_anew(pair):
    """Answers of two editions are never put together."""
    asked = []

    def tamper(method, message):
        if method == "ConfirmationService.ConfirmRecords":
            asked.append(message.edition)
            if len(asked) == 2:
                message.edition = old[0]
        return message

    with RequesterClient(pair.requester, *pair.names) as client:
        first = client.confirm_few(LIST[:3])
    with ProviderClient(pair.provider, *pair.names) as client:
        other = client.publish(registry_table(PEOPLE[:41]), id_column="id", status_column="status")
    assert other.edition.name() != first.edition
    old = [f"{pair.requester.place(*pair.names).name}/editions/{first.edition}"]
    link = TamperingLink(pair.requester, tamper)
    with RequesterClient(pair.requester, *pair.names, link=link) as client:
        result = client.confirm_few(LIST[:3])
    assert result.edition == other.edition.name()
    assert len(asked) == 4
    with ProviderClient(pair.provider, *pair.names) as client:
        client.publish(REGISTRY, id_column="id", status_column="status")


# The provider's side.


def test_a_provider_notices_that_the_unit_names_another_edition(pair):
    change = edit(edition="agreements/kemnaker-bkn-2024/flows/asn-status/editions/" + "0" * 16)
    link = TamperingLink(pair.provider, only("DatasetService.CommitDataset", change))
    with (
        ProviderClient(pair.provider, *pair.names, link=link) as client,
        pytest.raises(VerificationError),
    ):
        client.publish(REGISTRY, id_column="id", status_column="status")


@pytest.mark.parametrize("change", [elsewhere, other_key, edit(record_count=1)])
def test_a_provider_notices_a_false_dataset_too(pair, change):
    tamper = only("DatasetService.CreateDataset", change)
    link = TamperingLink(pair.provider, tamper)
    with (
        ProviderClient(pair.provider, *pair.names, link=link) as client,
        pytest.raises(VerificationError),
    ):
        client.publish(REGISTRY, id_column="id", status_column="status")


@pytest.mark.parametrize("name", ["", "x", "agreements/a/flows/b/datasets/" + "0" * 32])
def test_a_run_of_a_registry_of_another_flow_is_refused(pair, name):
    change = edit(provider_dataset=name)
    assert isinstance(caught(pair, only("RunService.WatchRun", change)), VerificationError)


@pytest.mark.parametrize("field", ["dataset", "edition"])
def test_a_registry_of_another_flow_does_not_answer_now(pair, field):
    change = edit(**{field: "agreements/a/flows/b/datasets/" + "0" * 32})
    link = TamperingLink(pair.requester, only("DatasetService.GetRegistry", change))
    client = RequesterClient(pair.requester, *pair.names, link=link)
    with client, pytest.raises(VerificationError):
        client.present("unit")

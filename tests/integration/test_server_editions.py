"""The edition of a registry at the unit: checked at commit, kept, named by every answer."""

from __future__ import annotations

import uuid

import grpc
import numpy as np
import pytest
from parties import refusal

from padan.v1 import confirmation_service_pb2 as confirmation_pb
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import resources_pb2 as resources_pb
from padan_linkage.schema import Layout
from padan_linkage.tables import PassTable


def refused(call, *args, **kwargs):
    with pytest.raises(grpc.RpcError) as caught:
        call(*args, **kwargs)
    return refusal(caught.value)


def filled(client, records=10, **changes):
    """A dataset whose tables are complete; the next thing is to commit it."""
    made = client.create(records, **changes)
    for table in client.tables(records).values():
        client.send(made, table)
    return made


def get_edition(client, name):
    return client.datasets.GetEdition(dataset_pb.GetEditionRequest(name=name))


def real_time(client, table):
    """One row of a pass, asked at once."""
    return client.confirmations.ConfirmRecords(
        confirmation_pb.ConfirmRecordsRequest(
            parent=client.parent,
            encoding=client.encoding(),
            pass_id=table.pass_id,
            rows=resources_pb.TableRows(row_count=1, **table.rows(0, 1)),
        )
    )


def test_both_parties_read_the_edition_and_nobody_its_calibrations(make_unit):
    provider, requester = make_unit().pair()
    published = provider.publish(10)
    made = provider.edition()
    for party in (provider, requester):
        read = get_edition(party, published.edition)
        assert (read.name, read.document) == (published.edition, made.document)
        assert read.signature == made.signature
        assert not read.calibrations


def test_lists_runs_and_questions_name_the_edition_that_answered(make_unit):
    provider, requester = make_unit().pair()
    published = provider.publish(10)
    listed = requester.publish(10)
    assert not listed.edition
    run = requester.watch(requester.run_of(requester.start_run(listed)).name)
    assert run.edition == published.edition
    table = requester.tables(1)["nik-depan"]
    assert real_time(requester, table).edition == published.edition


def test_an_answer_goes_on_naming_the_edition_it_was_made_by(make_unit):
    provider, requester = make_unit().pair()
    first = provider.publish(10)
    listed = requester.publish(10)
    run = requester.watch(requester.run_of(requester.start_run(listed)).name)
    later = filled(provider)
    second = provider.commit(later, edition=provider.edition(records=2000))
    assert second.edition != first.edition
    assert real_time(requester, requester.tables(1)["nik-depan"]).edition == second.edition
    provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=first.name))
    assert requester.watch(run.name).edition == first.edition
    assert get_edition(requester, first.edition).name == first.edition


def test_a_registry_comes_with_its_edition_and_nothing_else_does(make_unit):
    provider, requester = make_unit().pair()
    bare = filled(provider)
    request = dataset_pb.CommitDatasetRequest(name=bare.name)
    found = refused(provider.datasets.CommitDataset, request)
    assert (found.reason, found.metadata["field"]) == ("FIELD_INVALID", "edition")
    found = refused(requester.commit, filled(requester), edition=provider.edition())
    assert (found.reason, found.metadata["field"]) == ("FIELD_INVALID", "edition")


def test_a_delta_has_the_edition_of_its_base_also_when_the_base_is_gone(make_unit):
    provider, requester = make_unit().pair()
    base = provider.publish(10)
    made = provider.create(10, base_dataset=base.name)
    for table in provider.tables(10, seed=4).values():
        provider.send(made, as_upserts(provider, table))
    found = refused(provider.commit, made, edition=provider.edition())
    assert (found.reason, found.metadata["field"]) == ("FIELD_INVALID", "edition")
    updated = provider.commit(made)
    assert updated.edition == base.edition
    provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=base.name))
    listed = requester.publish(10)
    run = requester.watch(requester.run_of(requester.start_run(listed)).name)
    assert (run.edition, run.failure_reason) == (base.edition, "")


def as_upserts(client, table):
    """A table of changes in which every row is new."""
    p = client.schema.get_pass(table.pass_id)
    layout = Layout.of(client.schema, p, provider=True, delta=True)
    operations = np.ones((len(table), 1), np.uint8)
    return PassTable(p.id, layout, {**table.columns, "operations": operations})


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"agreement": "0" * 64}, "agreement"),
        ({"flow": "jf-binaan"}, "flow"),
        ({"schema": "0" * 64}, "schema"),
        ({"rate": 0.25}, "rate"),
        ({"records": -5}, "document"),
        ({"calibrations": "0" * 64}, "calibrations"),
        ({"given": ()}, "given"),
    ],
)
def test_an_edition_of_something_else_is_refused_and_the_registry_stays_open(
    make_unit, changes, differs
):
    provider, _ = make_unit().pair()
    made = filled(provider)
    found = refused(provider.commit, made, edition=provider.edition(**changes))
    assert (found.reason, found.metadata["differs"]) == ("EDITION_INVALID", differs)
    assert found.metadata["article"]
    shown = provider.datasets.GetDataset(dataset_pb.GetDatasetRequest(name=made.name))
    assert (shown.state, shown.edition) == (dataset_pb.Dataset.STATE_OPEN, "")
    assert provider.commit(made).state == dataset_pb.Dataset.STATE_COMMITTED


def damaged(client, part):
    """The provider\'s edition with one part of the message changed."""
    made = client.edition()
    changes = {
        "signature": lambda: setattr(made, "signature", bytes(64)),
        "document": lambda: setattr(made, "document", made.document[:-1]),
        "no calibrations": lambda: setattr(made, "calibrations", b""),
        "garbage": lambda: setattr(made, "calibrations", b"{" * 100_000),
    }
    changes[part]()
    return made


@pytest.mark.parametrize("part", ["signature", "document", "no calibrations", "garbage"])
def test_a_damaged_edition_is_refused(make_unit, part):
    provider, _ = make_unit().pair()
    found = refused(provider.commit, filled(provider), edition=damaged(provider, part))
    assert found.reason == "EDITION_INVALID"


def test_no_stranger_reads_an_edition_and_an_unknown_one_is_told_as_such(make_unit):
    unit = make_unit()
    provider, requester = unit.pair()
    published = provider.publish(10)
    found = refused(get_edition, requester, published.edition[:-1] + "x")
    assert found.reason == "FIELD_INVALID"
    other = published.edition.rpartition("/")[0] + "/" + "0" * 16
    assert refused(get_edition, requester, other).reason == "EDITION_NOT_FOUND"
    assert refused(get_edition, unit.client("bpjstk", "asn-status"), published.edition).reason == (
        "AGREEMENT_NOT_FOUND"
    )


def get_registry(client, dataset=""):
    return client.datasets.GetRegistry(
        dataset_pb.GetRegistryRequest(parent=client.parent, dataset=dataset)
    )


def test_either_party_learns_which_registry_answers_and_nothing_of_its_rows(make_unit):
    unit = make_unit()
    provider, requester = unit.pair()
    assert refused(get_registry, requester).reason == "REGISTRY_NOT_PUBLISHED"
    base = provider.publish(10)
    made = provider.create(10, base_dataset=base.name)
    assert get_registry(requester).dataset == base.name
    assert refused(get_registry, requester, made.name).reason == "DATASET_NOT_FOUND"
    for table in provider.tables(10, seed=4).values():
        provider.send(made, as_upserts(provider, table))
    updated = provider.commit(made)
    for party in (provider, requester):
        now = get_registry(party)
        assert (now.dataset, now.edition) == (updated.name, base.edition)
        assert (now.encoding, now.commit_time) == (updated.encoding, updated.commit_time)
    provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=base.name))
    assert get_registry(requester, base.name).commit_time == base.commit_time


def test_a_list_is_no_registry_and_a_stranger_learns_of_none(make_unit):
    unit = make_unit()
    provider, requester = unit.pair()
    provider.publish(10)
    listed = requester.publish(10)
    for party in (provider, requester):
        assert refused(get_registry, party, listed.name).reason == "DATASET_NOT_FOUND"
    stranger = unit.client("bpjstk", "asn-status")
    assert refused(get_registry, stranger).reason == "AGREEMENT_NOT_FOUND"


def test_what_a_registry_is_scored_by_goes_with_its_rows(make_unit):
    unit = make_unit()
    provider, _ = unit.pair()
    published = provider.publish(10)
    folder = unit.house.data_dir / "datasets"
    assert [p.name for p in folder.rglob("calibrations.json")] == ["calibrations.json"]
    provider.datasets.DeleteDataset(
        dataset_pb.DeleteDatasetRequest(name=published.name, request_id=str(uuid.uuid4()))
    )
    assert not list(folder.iterdir())


def test_a_kill_between_edition_and_commit_leaves_neither_half(make_unit_process):
    unit = make_unit_process()
    unit.start(failpoint="commit.edition_kept")
    provider, requester = unit.client("bkn"), unit.client("kemnaker")
    provider.contribute()
    requester.contribute()
    made = filled(provider)
    request_id = str(uuid.uuid4())
    with pytest.raises(grpc.RpcError):
        provider.commit(made, request_id)
    unit.wait_killed()
    unit.start()
    provider, requester = unit.client("bkn"), unit.client("kemnaker")
    shown = provider.datasets.GetDataset(dataset_pb.GetDatasetRequest(name=made.name))
    assert (shown.state, shown.edition) == (dataset_pb.Dataset.STATE_OPEN, "")
    committed = provider.commit(made, request_id)
    assert get_edition(requester, committed.edition).document == provider.edition().document
    assert real_time(requester, requester.tables(1)["nik-depan"]).edition == committed.edition

"""A list below the agreement's minimum is answered, filled up with cover, or refused: as agreed."""

from __future__ import annotations

import pytest
from agency import people, registry_table, small_passes

from padan_client import ProviderClient, RefusedError, RequesterClient

PEOPLE = people(60, seed=9)


def publish(pair):
    with ProviderClient(pair.provider, *pair.names) as client:
        client.publish(registry_table(PEOPLE[:40]), id_column="id", status_column="status")


def confirm(pair, records):
    with RequesterClient(pair.requester, *pair.names) as client:
        return client.confirm(records)


def test_a_list_of_any_length_is_answered_and_costs_the_minimum(make_pair):
    pair = make_pair(edit=small_passes)
    publish(pair)
    whole = confirm(pair, PEOPLE[30:50])
    assert (whole.cover, whole.counts["TIDAK_DITEMUKAN"]) == (0, 10)
    kode = whole.table["kode"].to_pylist()
    schema = pair.requester.place(*pair.names).flow.schema
    for count in (1, 2, 9):
        short = confirm(pair, PEOPLE[30 : 30 + count])
        assert short.table["kode"].to_pylist() == kode[:count]
        assert (short.cover, short.charged) == (10 - count, schema.charged_records(10))
        listed = pair.unit.unit._store
        with listed.read() as tx:
            asked = tx.runs.of_owner("kemnaker", before=1 << 60, limit=1)[0]
            assert tx.datasets.get(asked.requester_dataset).record_count == 10


def test_where_the_agreement_does_not_allow_cover_a_short_list_is_refused(make_pair):
    pair = make_pair(
        edit=lambda text: small_passes(text).replace(
            "minimum_batch = 10 }", "minimum_batch = 10, top_up = false }"
        )
    )
    publish(pair)
    with pytest.raises(RefusedError) as refused:
        confirm(pair, PEOPLE[30:39])
    assert refused.value.reason == "BATCH_TOO_SMALL"
    assert confirm(pair, PEOPLE[30:40]).cover == 0

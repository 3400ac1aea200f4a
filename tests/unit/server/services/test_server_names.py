"""Resource names and page tokens: what is not exactly right is refused."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import FlowKey
from padan_server.services import names
from padan_server.services.pages import FIRST, PageTokens, page_size

KEY = FlowKey("kemnaker-bkn-2024", b"", "asn-status")
HEX = "0123456789abcdef" * 2


def test_names_come_apart_as_they_were_put_together():
    assert names.parse_flow("f", names.flow_name(KEY)) == (KEY.agreement, KEY.flow)
    assert names.parse_dataset("f", names.dataset_name(KEY, HEX))[2] == HEX
    assert names.parse_run("f", names.run_name(KEY, HEX))[2] == HEX
    assert names.parse_epoch("f", names.epoch_name(KEY, 12))[2] == 12
    assert names.parse_table("f", names.dataset_name(KEY, HEX) + "/tables/nik")[3] == "nik"
    assert names.parse_operation("f", f"operations/{HEX}") == HEX
    assert names.dataset_name(KEY, "") == ""


@pytest.mark.parametrize(
    "name",
    [
        "",
        "agreements/",
        "agreements/a/flows/",
        "agreements/a/flows/f/",
        "agreements/a/flows/f\n",
        "agreements/A/flows/f",
        "agreements/../flows/f",
        "/agreements/a/flows/f",
        "agreements/a/flows/f/datasets/../../x",
    ],
)
def test_another_form_is_refused_by_field(name):
    for parse in (names.parse_flow, names.parse_dataset, names.parse_table, names.parse_run):
        with pytest.raises(Refusal) as refused:
            parse("parent", name)
        assert refused.value.reason is Reason.FIELD_INVALID
        assert refused.value.violations[0].field == "parent"


@given(st.text(max_size=200))
def test_no_text_makes_a_path_that_leaves_its_folder(text):
    try:
        parts = names.parse_table("table", text)
    except Refusal:
        return
    assert all("/" not in part and ".." not in part for part in parts)


@given(st.integers(0, 2**62), st.text(max_size=40))
def test_a_page_token_goes_on_where_it_was_made(cursor, scope):
    tokens = PageTokens(b"s" * 32)
    assert tokens.read(scope, tokens.make(scope, cursor)) == cursor
    assert tokens.read(scope, "") == FIRST


@given(st.text(max_size=60))
def test_another_page_token_is_refused(text):
    tokens = PageTokens(b"s" * 32)
    for token in (text or "x", PageTokens(b"t" * 32).make("scope", 1), tokens.make("other", 1)):
        with pytest.raises(Refusal) as refused:
            tokens.read("scope", token)
        assert refused.value.reason is Reason.PAGE_TOKEN_INVALID


def test_the_secret_of_page_tokens_outlives_a_restart(tmp_path):
    token = PageTokens.at(tmp_path / "key").make("scope", 7)
    assert PageTokens.at(tmp_path / "key").read("scope", token) == 7
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


ENTRIES = list(range(7, 0, -1))


def skipping(skip, limit):
    return ENTRIES[skip : skip + limit]


def before(place, limit):
    return [entry for entry in ENTRIES if entry < place][:limit]


@pytest.mark.parametrize("size", [1, 3, 7, 8])
@pytest.mark.parametrize("fitting", [len, lambda found: min(len(found), 2)])
@pytest.mark.parametrize(
    ("fetch", "place", "goes_on"),
    [(skipping, None, len), (before, int, lambda shown: shown[-1])],
)
def test_pages_follow_each_other_to_the_end(size, fitting, fetch, place, goes_on):
    tokens, token, shown = PageTokens(b"s" * 32), "", []
    while True:
        request = SimpleNamespace(page_size=size, page_token=token)
        page, token = tokens.page("scope", request, fetch, place=place, fitting=fitting)
        assert len(page) == min(fitting(ENTRIES[:size]), len(ENTRIES) - len(shown))
        shown += page
        if not token:
            break
        assert token == tokens.make("scope", goes_on(shown))
    assert shown == ENTRIES
    empty = SimpleNamespace(page_size=size, page_token="")
    assert tokens.page("scope", empty, lambda *_: [], place=place, fitting=fitting) == ([], "")


def test_page_sizes_are_bounded():
    assert page_size(0) == 50
    assert page_size(5000) == 1000
    with pytest.raises(Refusal):
        page_size(-1)

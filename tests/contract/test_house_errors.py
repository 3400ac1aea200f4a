"""One list of reasons: the proto, the spec page, the server and the client agree."""

import re
from pathlib import Path

import grpc
import pytest

from padan.v1 import error_reason_pb2
from padan_client.base import reasons

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "ERROR_REASON_"
REASONS = [n.removeprefix(PREFIX) for n in error_reason_pb2.ErrorReason.keys()][1:]  # noqa: SIM118 - not a dict


@pytest.fixture(scope="module")
def page():
    """Rows of the spec's tables: reason -> (status, cause, what to do, repeat)."""
    text = (ROOT / "proto/spec/50-errors.md").read_text("utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", text, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a reason stands twice"
    return {reason: [cell.strip() for cell in rest.split(" | ")] for reason, rest in rows}


@pytest.fixture(scope="module")
def statuses():
    """The status code that the proto's comment on each reason names; None where it names none."""
    text = (ROOT / "proto/padan/v1/error_reason.proto").read_text("utf-8")
    found = {}
    for comment, name in re.findall(rf"((?:  //.*\n)+)  {PREFIX}([A-Z_]+) =", text):
        codes = [c.name for c in grpc.StatusCode if re.search(rf"\b{c.name}\b", comment)]
        assert len(codes) <= 1, f"{name}: {codes}"
        found[name] = codes[0] if codes else None
    return found


def test_the_page_documents_every_reason_and_no_other(page):
    assert list(page) == REASONS
    for reason, cells in page.items():
        assert len(cells) == 4, reason
        assert all(cells), reason


def test_the_page_gives_each_reason_the_status_of_the_proto(page, statuses):
    assert {r: cells[0] for r, cells in page.items()} == {r: statuses[r] or "–" for r in REASONS}


def test_the_client_has_a_text_for_every_reason_in_both_languages():
    assert set(reasons._TEXTS) == set(REASONS)
    for indonesian, english in reasons._TEXTS.values():
        assert indonesian
        assert english
        assert indonesian != english

"""One table of reasons: the proto, the spec page and the generated module agree with it."""

import ast
import importlib.util
import re
import string
import tomllib
from pathlib import Path

import grpc
import pytest

from padan.v1 import error_reason_pb2
from padan.v1.reason_texts import WORDINGS, Reason, ServerKind, worded
from padan_client.base.errors import VerificationError
from padan_client.transport.faults import ConnectionFault, fault_error
from padan_client.transport.pinning import SERVER_PIN
from padan_linkage.crypto.tls_faults import TlsFault

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "ERROR_REASON_"
REASONS = [n.removeprefix(PREFIX) for n in error_reason_pb2.ErrorReason.keys()][1:]  # noqa: SIM118 - not a dict
TABLE = tomllib.loads((ROOT / "proto/reasons.toml").read_text("utf-8"))
PLACE = {"agreement", "flow", "article"}


PAGE = (ROOT / "proto/spec/50-errors.md").read_text("utf-8")
BEFORE = "## Before a call"


def rows_of(text):
    """(reason, the other cells) of each row of its tables."""
    return re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", text, re.MULTILINE)


@pytest.fixture(scope="module")
def page():
    """Rows of the spec's tables: reason -> (status, cause, what to do, repeat)."""
    rows = rows_of(PAGE.partition(BEFORE)[0])
    assert len(rows) == len(dict(rows)), "a reason stands twice"
    return {reason: [cell.strip() for cell in rest.split(" | ")] for reason, rest in rows}


@pytest.fixture(scope="module")
def statuses():
    """The status code that the proto's comment on each reason names."""
    text = (ROOT / "proto/padan/v1/error_reason.proto").read_text("utf-8")
    found = {}
    for comment, name in re.findall(rf"((?:  //.*\n)+)  {PREFIX}([A-Z_]+) =", text):
        found[name] = [c.name for c in grpc.StatusCode if re.search(rf"\b{c.name}\b", comment)]
    return {name: codes[0] for name, codes in found.items() if len(codes) == 1}


@pytest.fixture
def maker():
    """proto/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "proto/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_table_has_every_reason_of_the_proto_and_no_other(page):
    assert list(TABLE["reasons"]) == REASONS
    assert list(page) == REASONS
    assert list(Reason) == REASONS


def test_the_causes_before_a_call_are_those_of_the_code_with_their_exit_codes():
    files, _, connection = PAGE.partition(BEFORE)[2].partition("The connection (")
    assert [name for name, _ in rows_of(files)] == list(TlsFault)
    told = {name: int(cells.partition(" | ")[0]) for name, cells in rows_of(connection)}
    assert told.pop(SERVER_PIN) == VerificationError.exit_code
    made = {f: fault_error(f, ServerKind.UNIT, "unit.example:7443") for f in ConnectionFault}
    assert told == {fault: error.exit_code for fault, error in made.items()}
    assert not set(TlsFault) & set(told) | set(REASONS) & (set(told) | set(TlsFault))


def test_each_reason_has_one_status_everywhere(page, statuses):
    assert {r: w["status"] for r, w in TABLE["reasons"].items()} == statuses
    assert {r: cells[0] for r, cells in page.items()} == statuses


def test_the_page_fills_every_cell(page):
    for reason, cells in page.items():
        assert len(cells) == 4, reason
        assert all(cells), reason


def test_the_page_names_the_metadata_of_each_reason(page):
    keys = {key for w in TABLE["reasons"].values() for key in w.get("metadata", ())}
    for reason, (_, cause, _, _) in page.items():
        told = set(re.findall(r"`(\w+)`", cause)) & keys
        assert told == set(TABLE["reasons"][reason].get("metadata", ())), reason


def test_a_retry_is_offered_where_the_page_says_that_it_helps(page):
    offered = {r for r, w in TABLE["reasons"].items() if "retry_seconds" in w}
    helped = {r for r, cells in page.items() if cells[3] in {"yes", "from there"}}
    assert offered == helped - {"RUN_WORKER_FAILED"}, "that one is never a call's error"


@pytest.mark.parametrize("reason", REASONS)
def test_both_languages_say_the_same_fields(reason):
    indonesian, english = TABLE["reasons"][reason]["id"], TABLE["reasons"][reason]["en"]
    assert indonesian
    assert english
    assert indonesian != english
    keys = set(TABLE["reasons"][reason].get("metadata", ())) | PLACE
    assert fields(indonesian) & keys == fields(english) & keys


@pytest.mark.parametrize("server", ServerKind)
@pytest.mark.parametrize("reason", REASONS)
def test_every_sentence_is_whole_for_either_server(reason, server):
    wording = WORDINGS[reason]
    for text in worded(wording.texts, server, {key: f"<{key}>" for key in wording.metadata}):
        assert "{" not in text
        assert "–" not in text
        assert text[0].isupper() or text.startswith("<")
        assert text.endswith(".")
    for text in worded(wording.texts, server, {}):
        assert "{" not in text
        assert "(–)" not in text


def test_no_sentence_names_a_kind_of_server_by_itself():
    names = {
        form.lower()
        for kind in TABLE["servers"].values()
        for name in ("server", "operator", "mode")
        for form in kind[name]
    }
    for reason, wording in TABLE["reasons"].items():
        for text in (wording["id"], wording["en"]):
            assert [name for name in names if name in text.lower()] == [], reason


def test_the_servers_differ_in_every_form():
    unit, provider = TABLE["servers"]["unit"], TABLE["servers"]["provider"]
    assert unit.keys() == provider.keys()
    for name, forms in unit.items():
        assert not set(forms) & set(provider[name]), name


def test_metadata_cannot_pass_for_the_server():
    planted = dict.fromkeys(("server", "Server", "operator"), "mallory.example")
    texts = worded(WORDINGS["CALLER_UNKNOWN"].texts, ServerKind.UNIT, planted)
    assert "mallory" not in "".join(texts)


def test_the_generated_module_is_that_of_the_table(maker):
    assert maker.reasons(check=True) == 0


def test_drift_of_the_module_is_found(maker, monkeypatch, tmp_path, capsys):
    altered = tmp_path / "reasons.toml"
    text = maker.REASONS.read_text("utf-8")
    assert text.count("(padan keys show)") >= 1
    altered.write_text(text.replace("(padan keys show)", "(padan keys)"), "utf-8")
    monkeypatch.setattr(maker, "REASONS", altered)
    assert maker.reasons(check=True) == 1
    assert "reason_texts.py" in capsys.readouterr().out


def test_a_field_that_nothing_fills_is_refused(maker):
    wording = {"status": "INTERNAL", "id": "{limit}.", "en": "Limit {limit}."}
    with pytest.raises(ValueError, match="limit"):
        maker.module_of({"servers": TABLE["servers"], "reasons": {"INTERNAL": wording}})


def server_code():
    """Name and text of each file of the server."""
    for path in sorted((ROOT / "server/padan_server").rglob("*.py")):
        yield path.name, path.read_text("utf-8")


def refusals():
    """Each refusal in the server's code whose reason is written out: its place, reason, fields."""
    for name, text in server_code():
        for call in ast.walk(ast.parse(text)):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "Refusal":
                reason = ast.unparse(call.args[0]).removeprefix("Reason.")
                if reason in WORDINGS:
                    yield f"{name}:{call.lineno}", reason, {k.arg for k in call.keywords}


def test_the_server_gives_each_sentence_its_fields():
    forms = TABLE["servers"]["unit"].keys()
    found = list(refusals())
    assert len(found) > 50
    for place, reason, given in found:
        # A bare ``**`` stands for agreement, flow and article.
        known = given - {None} | (PLACE if None in given else set())
        assert fields(TABLE["reasons"][reason]["id"]) - forms <= known, place
        assert known <= set(WORDINGS[reason].metadata), place


def test_the_server_uses_every_reason():
    code = "".join(text for _, text in server_code())
    assert [r for r in REASONS if not re.search(rf"\bReason\.{r}\b", code)] == []

"""Negative vectors: each fault is refused, and the case that it was made from passes."""

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from padan.v1.resources_pb2 import EpochContribution
from padan_client.base.place import FlowPlace
from padan_client.protocol.contributions import verify_contribution
from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.keys import LinkageKey, derive_linkage_key, exchange
from padan_linkage.crypto.sealing import Opener
from padan_linkage.direct import commitment, table
from padan_linkage.direct.blinding import blind
from padan_linkage.direct.commitment import ListLayout
from padan_linkage.direct.labelling.bodies import BODY
from padan_linkage.direct.labelling.hkdf import extract
from padan_linkage.direct.labelling.labels import label_keys, read_bodies
from padan_linkage.direct.labelling.lookup import LabelMeetings
from padan_linkage.direct.labelling.opening import opened
from padan_linkage.direct.manifest import (
    check_manifest,
    in_order,
    parse_manifest,
    parse_moment,
    verify_manifest,
)
from padan_linkage.direct.oprf import epoch_key
from padan_linkage.direct.schema import DirectSchema
from padan_linkage.release.envelope import open_release
from padan_linkage.release.manifest import Line, verify_release
from padan_linkage.schema import Layout, Schema
from padan_server.admission.compatibility import check_sides
from padan_server.base.model import Encoding
from padan_server.datasets.uploads import UploadChunk, checked_columns

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "proto/vectors/negative").glob("*.json"))


class Declined(Exception):
    """The call raised nothing and answered no."""


def require(*answers):
    if not all(answers):
        raise Declined


def unhex(case, *names):
    return [bytes.fromhex(case[name]) for name in names]


def rows_of(text):
    """One row of bytes as an array."""
    return np.frombuffer(bytes.fromhex(text), np.uint8)[None]


# Keys


def take_contribution(case):
    digest, signer, public, signature = unhex(
        case, "agreement_digest", "sign_public", "public_key", "signature"
    )
    party = SimpleNamespace(sign_key_bytes=signer)
    agreement = SimpleNamespace(id=case["agreement"], party=lambda _: party)
    agreement.at = lambda *_: agreement  # whose keys never changed
    flow = SimpleNamespace(id=case["flow_id"], provider="provider", requester="requester")
    given = EpochContribution(
        epoch=case["epoch"], party=case["party"], public_key=public, signature=signature
    )
    verify_contribution(FlowPlace(agreement, digest, flow, "requester"), given)


def meet(case):
    """Derive the key, and hold its check value beside the other side's."""
    given = {k: bytes.fromhex(v) for k, v in case.items() if k not in {"flow_id", "epoch"}}
    theirs = given.pop("check_value")
    given["exchange_static"] = partial(exchange, given.pop("my_static"))
    key = derive_linkage_key(**given, flow_id=case["flow_id"], epoch=case["epoch"])
    mine, other = (Encoding(1, value, bytes(32), "id") for value in (key.check_value(), theirs))
    check_sides(SimpleNamespace(metadata={}), mine, other)


def make_subkey(case):
    secret, digest = unhex(case, "linkage_secret", "schema_digest")
    LinkageKey(secret, bytes(32), "flow", 1).subkey(case["label"], digest, *case["names"])


# Sealed codes


def open_code(case):
    requester, provider, digest, seal_id, encapsulated = unhex(
        case,
        "requester_private",
        "provider_public",
        "agreement_digest",
        "seal_id",
        "encapsulated_key",
    )
    opener = Opener(
        requester,
        provider,
        agreement_digest=digest,
        flow_id=case["flow_id"],
        epoch=case["epoch"],
        seal_id=seal_id,
        encapsulated_key=encapsulated,
    )
    payloads, genuine = opener.open(case["pass"], rows_of(case["token"]), rows_of(case["sealed"]))
    require(genuine[0], Payloads.unpack(payloads).valid[0])


def read_payload(case):
    require(Payloads.unpack(rows_of(case["payload"])).valid[0])


# Encoding


def take_chunk(case):
    schema = Schema.model_validate_json(case["schema"])
    p = schema.get_pass(case["pass"])
    layout = Layout.of(schema, p, provider=True, delta=True)
    columns = {name: bytes.fromhex(text) for name, text in case["columns"].items()}
    chunk = UploadChunk(
        row_offset=0,
        row_count=case["row_count"],
        columns=columns,
        digest=bytes.fromhex(case["digest"]),
        finish=False,
        table_digest=b"",
    )
    checked_columns(layout, p, chunk, case["room"])


def compare_sides(case):
    mine, theirs = (
        Encoding(
            case[f"{side}_epoch"],
            *unhex(case, f"{side}_key_check_value", f"{side}_schema_digest"),
            case[f"{side}_normaliser_version"],
        )
        for side in ("my", "their")
    )
    check_sides(SimpleNamespace(metadata={}), mine, theirs)


# Direct mode


def evaluate(case):
    seed, digest, elements = unhex(case, "seed", "agreement_digest", "elements")
    key = epoch_key(
        seed,
        agreement_digest=digest,
        flow_id=case["flow_id"],
        epoch=case["epoch"],
        key_id=case["key_id"],
    )
    key.evaluate_blinded(elements, bytes(32))


def finalise(case):
    blinded = blind([bytes.fromhex(each) for each in case["inputs"]], *unhex(case, "randomness"))
    blinded.finalise(*unhex(case, "evaluated", "proof", "public_key"))


def open_labels(case):
    schema = DirectSchema(keys=case["keys"], records_per_day=1, records_per_list=1)
    ids = [key.id for key in schema.keys]
    (table_id,) = unhex(case, "table_id")
    bodies = [np.zeros(0, BODY)]
    for label in case["labels"]:
        secret, number = extract(rows_of(label["output"])), np.array([label["number"]])
        tags, pads = label_keys(secret, number, table_id)
        row = rows_of(label["row"])
        require((tags == row[:, :10]).all())
        bodies.append(read_bodies(row, pads))
    keys = np.array([ids.index(label["key"]) for label in case["labels"]], np.int64)
    none = np.zeros(len(keys), np.int64)
    met = LabelMeetings(none, keys, none, none, np.concatenate(bodies))
    everything = np.ones((1, len(ids)), np.bool_)
    people, said = opened(schema, [table_id], met, everything, case["codes"])
    require(people.opens.sum() == 1, not said.broken.any())


def take_table(case):
    hashes, root, rows = unhex(case, "chunk_hashes", "root", "rows")
    leaves = table.split_hashes(hashes, case["row_count"], root)
    table.verify_chunk(leaves, case["row_count"], case["chunk"], rows)


def take_committed(case):
    root, elements, path = unhex(case, "root", "elements", "audit_path")
    layout = ListLayout(case["records"], tuple(case["widths"]))
    commitment.verify_chunk(root, layout, case["chunk"], elements, path)


def agree(case):
    check_manifest(
        parse_manifest(case["document"].encode()),
        agreement=case["agreement"],
        agreement_digest=bytes.fromhex(case["agreement_digest"]),
        flow=case["flow"],
        direct_schema_digest=bytes.fromhex(case["direct_schema_digest"]),
        key_ids=case["key_ids"],
        now=parse_moment(case["now"]),
        normaliser_version=case["normaliser_version"],
    )


def line_of(case):
    names = case["line"]
    return Line(**names | {"agreement_digest": bytes.fromhex(names["agreement_digest"])})


def take_release(case):
    signature, signer = unhex(case, "signature", "sign_public")
    document = case["document"].encode()
    verify_release(document, signature, signer, line_of(case), case["version"])


def open_envelope(case):
    names = ("receiver_private", "publisher_public", "publisher_sign_key")
    keys = dict(zip(names, unhex(case, *names), strict=True))
    open_release(*unhex(case, "sealed"), line_of(case), case["version"], **keys)


CALLS = {
    "exchange": lambda case: exchange(*unhex(case, "private", "public")),
    "contribution": take_contribution,
    "linkage_key": meet,
    "subkey": make_subkey,
    "sealed_code": open_code,
    "payload": read_payload,
    "schema": lambda case: Schema.model_validate_json(case["schema"]),
    "chunk": take_chunk,
    "sides": compare_sides,
    "element": evaluate,
    "evaluation": finalise,
    "labels": open_labels,
    "label_table": take_table,
    "committed_chunk": take_committed,
    "manifest": lambda case: parse_manifest(case["document"].encode()),
    "signed_manifest": lambda case: verify_manifest(
        case["document"].encode(), *unhex(case, "signature", "sign_public")
    ),
    "agreed_manifest": agree,
    "sequence": lambda case: in_order(
        [parse_manifest(each.encode()) for each in case["documents"]], parse_moment(case["now"])
    ),
    "release": take_release,
    "envelope": open_envelope,
}


def error_of(call, case):
    """What a call says to a case: the error's type, with its field or reason; None if it takes it.

    A call that answers no without an error gives "".
    """
    try:
        call(case)
    except Declined:
        return ""
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        told = getattr(error, "field", "") or getattr(error, "reason", "")
        return type(error).__name__ + (f":{told}" if told else "")
    return None


def read(path):
    return json.loads(path.read_text("utf-8"))["calls"]


FAULTS = [
    pytest.param(name, call["valid"], fault, id=fault["fault"])
    for path in FILES
    for name, call in read(path).items()
    for fault in call["refused"]
]


@pytest.mark.parametrize(("name", "valid", "fault"), FAULTS)
def test_a_fault_is_refused_and_nothing_but_the_fault(name, valid, fault):
    assert fault["change"].keys() <= valid.keys()
    assert error_of(CALLS[name], valid) is None
    error = error_of(CALLS[name], valid | fault["change"])
    assert error is not None
    assert error == fault["error"] or error.startswith(f"{fault['error'] or '-'}:")


def test_every_fault_has_a_name_of_its_own_and_every_call_some():
    names = [param.id for param in FAULTS]
    assert len(set(names)) == len(names) > 200
    assert {param.values[0] for param in FAULTS} == CALLS.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_name_the_page_and_its_sections(path):
    content = json.loads(path.read_text("utf-8"))
    headings = (ROOT / content["spec"]).read_text("utf-8").split("\n")
    named = {each for call in content["calls"].values() for each in call["section"].split("; ")}
    assert [each for each in named if f"## {each}" not in headings] == []

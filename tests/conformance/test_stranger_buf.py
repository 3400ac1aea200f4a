"""A stranger's client: buf curl, with nothing of ours but the address and a certificate."""

import json
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest
from google.rpc import error_details_pb2
from impostor import Impostor

FLOW = "agreements/kemnaker-bkn-2024/flows/asn-status"


@pytest.fixture
def unit(make_unit):
    """A running unit."""
    return make_unit()


@pytest.fixture
def call(unit):
    """Calls a method of the unit as a party: ``(exit code, stdout, stderr)``.

    ``port`` and ``trusted``: whom to call, and the only authority; the unit, and the unit.
    """
    house, own = unit.house, unit.house.servers["unit"].certificate
    buf = shutil.which("buf", path=str(Path(sys.executable).parent)) or shutil.which("buf")

    def call(
        party, method, request=None, options=("--timeout", "30s"), port=unit.port, trusted=own
    ):
        certificate = house.certificates[party]
        identity = ["--cert", certificate.certificate, "--key", certificate.key]
        command = [buf, "curl", "--protocol", "grpc", "--cacert", trusted, *identity, *options]
        if request is not None:
            command += ["--data", json.dumps(request)]
        command.append(f"https://127.0.0.1:{port}{method}")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    return call


def error_info(stderr):
    """The ErrorInfo of a refusal, as reflection lets buf show it."""
    details = json.loads(stderr)["details"]
    found = [d for d in details if d["type"] == "google.rpc.ErrorInfo"]
    assert len(found) == 1
    return error_details_pb2.ErrorInfo.FromString(b64decode(found[0]["value"] + "=="))


def test_reflection_tells_every_call(call):
    code, said, _ = call("kemnaker", "", options=["--list-methods"])
    assert code == 0
    assert set(said.split()) >= {
        "google.longrunning.Operations/GetOperation",
        "grpc.health.v1.Health/Check",
        "padan.v1.AgreementService/GetAgreement",
        "padan.v1.ConfirmationService/ConfirmRecords",
        "padan.v1.DatasetService/UploadTable",
        "padan.v1.RunService/CreateRun",
    }


def test_a_party_reads_its_agreement(call):
    name = {"name": "agreements/kemnaker-bkn-2024"}
    code, said, error = call("kemnaker", "/padan.v1.AgreementService/GetAgreement", name)
    assert code == 0, error
    agreement = json.loads(said)
    assert agreement["state"] == "STATE_IN_FORCE"
    assert {s["party"] for s in agreement["signatures"]} == {"kemnaker", "bkn"}


def test_health_is_served(call):
    code, said, error = call("kemnaker", "/grpc.health.v1.Health/Check", {})
    assert code == 0, error
    assert json.loads(said) == {"status": "SERVING"}


def test_a_refusal_shows_its_reason_and_article(call):
    request = {"parent": FLOW, "run": {"requester_dataset": f"{FLOW}/datasets/none"}}
    code, _, error = call("bkn", "/padan.v1.RunService/CreateRun", request)
    assert code != 0
    info = error_info(error)
    assert (info.domain, info.reason) == ("padan", "ROLE_NOT_PERMITTED")
    assert info.metadata["agreement"] == "kemnaker-bkn-2024"
    assert info.metadata["flow"] == "asn-status"
    assert info.metadata["article"]


def test_an_outsider_is_told_of_no_agreement(call):
    name = {"name": "agreements/kemnaker-bkn-2024"}
    code, _, error = call("imigrasi", "/padan.v1.AgreementService/GetAgreement", name)
    assert code != 0
    assert error_info(error).reason == "AGREEMENT_NOT_FOUND"


def test_a_call_without_a_deadline_is_told_to_set_one(call):
    name = {"name": "agreements/kemnaker-bkn-2024"}
    code, _, error = call("kemnaker", "/padan.v1.AgreementService/GetAgreement", name, options=())
    assert code != 0
    assert error_info(error).reason == "DEADLINE_REQUIRED"


def test_a_party_s_certificate_in_the_units_place_gets_no_call(call, unit):
    name = {"name": "agreements/kemnaker-bkn-2024"}
    with Impostor(unit.house.pki.ca, unit.house.servers["bkn"]) as other:
        asked = ("kemnaker", "/padan.v1.AgreementService/GetAgreement", name)
        assert call(*asked, port=other.port)[0] != 0
        assert other.calls == []
        assert call(*asked, port=other.port, trusted=unit.house.pki.ca)[0] != 0
        assert other.calls  # the control: who trusts the whole authority, calls

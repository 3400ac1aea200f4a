"""A stranger's client in another language: Node with @grpc/grpc-js and the published protos."""

import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from impostor import Impostor

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("stranger.cjs")
PACKAGES = ("@grpc/grpc-js@1", "@grpc/proto-loader@0", "protobufjs@7")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node_project(tmp_path_factory):
    """A folder in which Node finds the packages; skips where it cannot be made."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node is not installed")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text("{}")
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", *PACKAGES]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("the packages cannot be had from a registry here")
    shutil.copy(SCRIPT, folder)
    return folder


@pytest.fixture
def protos():
    """Folders with our protos and Google's, as a stranger would collect them."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "proto/generate.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    google = importlib.metadata.distribution("googleapis-common-protos").locate_file("")
    with maker.workspace() as ours:
        yield [str(ours), str(google)]


def test_node_reads_an_agreement_and_sees_the_reason_of_a_refusal(node_project, protos, make_unit):
    unit = make_unit()
    parties = {
        party: {"certificate": str(c.certificate), "key": str(c.key)}
        for party, c in unit.house.certificates.items()
    }
    given = {
        "address": f"127.0.0.1:{unit.port}",
        "ca": str(unit.house.pki.ca),
        "pins": list(unit.house.signed.agreement.unit_pins),
        "parties": parties,
        "protos": protos,
    }
    with Impostor(unit.house.pki.ca, unit.house.servers["bkn"]) as other:
        given["elsewhere"] = f"127.0.0.1:{other.port}"
        done = subprocess.run(
            ["node", SCRIPT.name],
            cwd=node_project,
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["state"] == "STATE_IN_FORCE"
    assert seen["document"].encode() == unit.house.signed.document
    assert seen["refused"]["code"] == "PERMISSION_DENIED"
    assert (seen["refused"]["domain"], seen["refused"]["reason"]) == ("padan", "ROLE_NOT_PERMITTED")
    assert seen["refused"]["metadata"]["article"]
    assert (seen["elsewhere"], other.calls) == ({"code": "UNAVAILABLE"}, [])

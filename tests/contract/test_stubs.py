"""The committed stubs, the lint and the baseline are those of proto/padan/v1."""

import importlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

ROOT = Path(__file__).resolve().parents[2]
PROTOS = sorted((ROOT / "proto/padan/v1").glob("*.proto"))
STUBS = ROOT / "proto/gen/padan/v1"


@pytest.fixture(scope="module")
def maker():
    """proto/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "proto/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def compiled(maker, tmp_path_factory):
    """Descriptors compiled from the protos just now, by file name."""
    for proto in PROTOS:  # brings the option extensions that the descriptors are parsed with
        importlib.import_module(f"padan.v1.{proto.stem}_pb2")
    image = tmp_path_factory.mktemp("image") / "image.binpb"
    with maker.workspace() as root:
        buf = shutil.which("buf", path=str(Path(sys.executable).parent)) or "buf"
        plain = ["--exclude-source-info", "--as-file-descriptor-set", "-o", image]
        subprocess.run([buf, "build", *plain], cwd=root, check=True)
    return {file.name: file for file in FileDescriptorSet.FromString(image.read_bytes()).file}


@pytest.mark.parametrize("proto", PROTOS, ids=lambda p: p.stem)
def test_stub_says_what_its_proto_says(proto, compiled):
    stub = importlib.import_module(f"padan.v1.{proto.stem}_pb2")
    committed = FileDescriptorProto.FromString(stub.DESCRIPTOR.serialized_pb)
    assert without_json_names(committed) == without_json_names(compiled[f"padan/v1/{proto.name}"])


def without_json_names(file):
    """``file`` without the JSON names, which one compiler writes out and another leaves implied."""
    messages = list(file.message_type)
    for message in messages:
        messages.extend(message.nested_type)
        for field in message.field:
            field.ClearField("json_name")
    return file


def test_every_stub_has_a_proto_and_is_typed():
    expected = set()
    for proto in PROTOS:
        suffixes = ["_pb2", "_pb2_grpc"] if "\nservice " in proto.read_text() else ["_pb2"]
        expected |= {f"{proto.stem}{s}{e}" for s in suffixes for e in (".py", ".pyi")}
    assert {p.name for p in STUBS.iterdir() if "_pb2" in p.name} == expected


def test_oldest_runtimes_allowed_are_those_that_the_stubs_accept():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lowest = dict(d.split(">=") for d in project["dependencies"])
    text = "".join(p.read_text() for p in STUBS.glob("*_pb2*.py"))
    needed_protobuf = set(re.findall(r"Protobuf Python Version: ([\d.]+)", text))
    needed_grpc = set(re.findall(r"GRPC_GENERATED_VERSION = '([\d.]+)'", text))
    assert {lowest["protobuf"]} == needed_protobuf
    assert {lowest["grpcio"]} == needed_grpc


def test_drift_is_found(maker, monkeypatch, capsys):
    def generate_another(root, target):
        shutil.copytree(maker.STUBS, target, dirs_exist_ok=True)
        with (target / "padan/v1/run_service_pb2.py").open("a") as stub:
            stub.write("#\n")
        (target / "padan/v1/resources_pb2.pyi").unlink()

    monkeypatch.setattr(maker, "generate", generate_another)
    assert maker.stubs(check=True) == 1
    said = capsys.readouterr().out
    assert "run_service_pb2.py:" in said
    assert "resources_pb2.pyi:" in said
    assert "resources_pb2.py:" not in said


SYNC = """
import grpc
from padan.v1 import run_service_pb2 as messages, run_service_pb2_grpc as calls

def states(channel: grpc.Channel, name: str) -> list[messages.Run.State.ValueType]:
    stub = calls.RunServiceStub(channel)
    run: messages.Run = stub.GetRun(messages.GetRunRequest(name=name), timeout=5)
    return [run.state, *(r.state for r in stub.WatchRun(messages.WatchRunRequest(name=name)))]
"""

ASYNC = """
import grpc.aio
from padan.v1 import run_service_pb2 as messages, run_service_pb2_grpc as calls

async def state(channel: grpc.aio.Channel, name: str) -> messages.Run.State.ValueType:
    stub: calls.RunServiceAsyncStub = calls.RunServiceStub(channel)  # type: ignore[assignment]
    async for run in stub.WatchRun(messages.WatchRunRequest(name=name)):
        last = run.state
    return last
"""

WRONG = """
from padan.v1 import run_service_pb2 as messages

messages.GetRunRequest(name=5)
messages.Run().nmae
"""


def test_stubs_serve_a_typed_client(tmp_path):
    modules = {"sync_client.py": SYNC, "async_client.py": ASYNC, "wrong.py": WRONG}
    for name, code in modules.items():
        (tmp_path / name).write_text(code)
    options = ["--strict", "--config-file=", "--explicit-package-bases", "--cache-dir=cache"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *modules],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT / "proto/gen")},
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert [line.split(":")[:2] for line in errors] == [["wrong.py", "4"], ["wrong.py", "5"]], (
        errors
    )


@pytest.fixture
def altered(maker, tmp_path):
    """A copy of the protos in which one text is replaced by another."""

    def alter(file, old, new):
        shutil.copytree(ROOT / "proto/padan", tmp_path / "padan")
        shutil.copy(ROOT / "proto/buf.yaml", tmp_path)
        path = tmp_path / "padan/v1" / file
        text = path.read_text()
        assert text.count(old) >= 1
        path.write_text(text.replace(old, new, 1))
        return tmp_path

    return alter


BREAKING = {
    "field renumbered": ("run_service.proto", "double progress = 7", "double progress = 27"),
    "field retyped": ("resources.proto", "int64 epoch = 1", "string epoch = 1"),
    "field gone": ("resources.proto", "string normaliser_version = 4", "string version = 9"),
    "call gone": ("run_service.proto", "rpc CancelRun(", "rpc StopRun("),
    "reason renamed": ("error_reason.proto", "ERROR_REASON_BATCH_TOO_SMALL", "ERROR_REASON_TINY"),
}


@pytest.mark.parametrize("change", BREAKING.values(), ids=BREAKING)
def test_breaking_change_is_caught(change, altered, maker):
    assert maker.breaking(altered(*change)) != 0


def test_the_protos_and_an_addition_to_them_break_nothing(altered, maker):
    assert maker.breaking() == 0
    added = "double progress = 7;\n  // New.\n  string note = 99;"
    changed = (
        "run_service.proto",
        "double progress = 7 [(google.api.field_behavior) = OUTPUT_ONLY];",
    )
    assert maker.breaking(altered(*changed, added)) == 0


def test_lint_passes_and_finds_what_has_no_comment(altered, maker):
    assert maker.lint() == 0
    assert maker.lint(altered("run_service.proto", "  // Progress, 0 to 1.\n", "")) != 0


def test_baseline_holds_nothing_but_our_own_files():
    files = json.loads((ROOT / "proto/baseline.json").read_text())["file"]
    assert {f["name"] for f in files} <= {f"padan/v1/{p.name}" for p in PROTOS}

"""What is built is the same twice, and what is known of vulnerabilities is not passed over."""

import importlib.util
import json
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dev():
    """dev.py as a module."""
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report(*packages):
    return json.dumps({"dependencies": list(packages), "fixes": []}).encode()


KNOWN = {"id": "PYSEC-2099-1", "aliases": ["CVE-2099-1"], "fix_versions": ["2.0"]}
WELL = {"name": "baik", "version": "1.0", "vulns": []}
ILL = {"name": "rapuh", "version": "1.0", "vulns": [KNOWN]}
UNKNOWN = {"name": "asing", "version": "1.0", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        (report(WELL, UNKNOWN), 0, ("0 of 1 packages", "1 unknown")),
        (report(WELL, ILL), 1, ("rapuh 1.0", "CVE-2099-1", "mended in 2.0", "1 of 2 packages")),
        (report(UNKNOWN), 0, ("NOT LOOKED THROUGH",)),
        (b"", 0, ("NOT LOOKED THROUGH", "no such host")),
        (b"{}", 0, ("NOT LOOKED THROUGH",)),
    ],
)
def test_a_vulnerability_fails_and_missing_data_are_told(dev, capsys, found, code, words):
    assert dev.verdict("some.lock", found, b"Traceback ...\nno such host\n") == code
    told = capsys.readouterr().err
    assert all(word in told for word in words)


def test_every_lock_of_what_users_run_is_looked_through(dev):
    assert {dev.RUN_LOCK, dev.DEV_LOCK, dev.AUDIT_LOCK, dev.UV_LOCK} <= set(dev.AUDITED)
    assert set(dev.AUDITED) <= set(dev.LOCKS)


def test_another_byte_or_another_file_is_found(dev, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "same").write_bytes(b"1")
        (folder / "differs").write_bytes(folder.name.encode())
    (one / "alone").touch()
    assert dev.differences(one, other) == ["alone", "differs"]


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no clone")
def test_a_wheel_built_twice_is_the_same(dev, tmp_path):
    python = Path(sys.executable)
    first = dev.built(tmp_path / "first", python=python)
    second = dev.built(tmp_path / "far" / "second", 0o077, "Asia/Jakarta", python)
    assert dev.differences(first, second) == []
    (wheel,) = first.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
    assert not [name for name in names if name.startswith(("tests/", "requirements"))]
    assert {name.split("/")[0] for name in names if name.endswith("__init__.py")} == {
        "padan_client",
        "padan_lab",
        "padan_linkage",
        "padan_server",
    }


def test_what_a_command_compiles_is_kept_for_the_next(dev, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    code = "import sys; sys.exit(sys.dont_write_bytecode)"
    assert dev.run(sys.executable, "-c", code) == 0

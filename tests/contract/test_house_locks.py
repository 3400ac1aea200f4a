"""The lock files pin by hash, agree with pyproject.toml, and name no host or machine."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
RUN, DEV, STUBS = "requirements.lock", "requirements-dev.lock", "proto/requirements.lock"
AUDIT, UV = "requirements-audit.lock", "requirements-uv.lock"
LOCKS = (RUN, DEV, STUBS, AUDIT, UV)


def pins(lock):
    """Every (name, version, marker) that a lock file pins."""
    text = (ROOT / lock).read_text("utf-8").replace("\\\n", " ")
    requirements = [Requirement(line.partition("--hash")[0]) for line in text.splitlines() if line]
    return [(canonicalize_name(r.name), str(r.specifier), r.marker) for r in requirements]


def wanted():
    """What pyproject.toml asks for, by lock file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"]
    groups = project["dependency-groups"]
    run = project["project"]["dependencies"] + extras["server"] + groups["build"]
    tools = {STUBS: groups["stubs"], AUDIT: groups["audit"], UV: groups["lock"]}
    return {RUN: run, DEV: run + extras["dev"], **tools}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_file_pins_all_that_the_project_asks_for(lock):
    pinned = {(name, version) for name, version, _ in pins(lock)}
    for text in wanted()[lock]:
        asked = Requirement(text)
        if asked.name == "padan":
            continue
        versions = [v for n, v in pinned if n == canonicalize_name(asked.name)]
        assert versions, f"{asked.name}: not in {lock}; run `python3 dev.py lock`"
        for version in versions:
            assert asked.specifier.contains(version.removeprefix("==")), f"{asked} but {version}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_exact_and_hashed(lock):
    text = (ROOT / lock).read_text("utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        assert re.match(r"^[a-z0-9.-]+==\S+ ", line), line[:60]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", line), line[:60]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_file_names_no_host_and_no_path(lock):
    text = (ROOT / lock).read_text("utf-8")
    assert not re.search(r"https?:|file:|--index|--find-links|(^|\s)/", text)


def test_tools_run_against_what_users_run():
    assert {(n, v) for n, v, _ in pins(RUN)} <= {(n, v) for n, v, _ in pins(DEV)}

"""Sets the scene on loopback: folders, certificates, keys, a signed agreement, three processes.

The unit and each agency are processes of their own with a folder of their own, and talk over mutual
TLS only. The agencies run the very commands that a data officer runs.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from padan_client.demo.pki import Authority, Certificate
from padan_client.errors import PadanError, UnavailableError
from padan_client.language import current_language, t
from padan_linkage.agreement import AgreementState, load_agreement

_READY_SECONDS = 60


class StepError(PadanError):
    """A command of one of the agencies failed; the message is the command's own."""


@dataclass(frozen=True)
class Stage:
    """Where everything of one demonstration lies."""

    folder: Path
    agreement_id: str
    flow_id: str
    provider: str
    requester: str
    address: str
    simulated_time: dt.datetime | None

    def home(self, party: str) -> Path:
        """Home folder of an agency."""
        return self.folder / party

    @property
    def unit(self) -> Path:
        """Folder of the unit: configuration, data, log."""
        return self.folder / "unit"

    @property
    def log(self) -> Path:
        """Log file of the unit, one JSON object a line."""
        return self.folder / "logs" / "unit.jsonl"

    def run(self, party: str, *arguments: str, as_json: bool = False) -> dict[str, Any]:
        """Run ``padan …`` as ``party`` in a process of its own; its messages go to its log.

        With ``as_json`` returns the object it prints. Raises StepError with its message.
        """
        command = [sys.executable, "-m", "padan_client", "--lang", current_language(), *arguments]
        environment = {**os.environ, "PADAN_HOME": str(self.home(party)), "COLUMNS": "200"}
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            [*command, "--json"] if as_json else command,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        with (self.folder / "logs" / f"{party}.log").open("a", encoding="utf-8") as log:
            log.write(f"$ padan {' '.join(arguments)}\n{done.stderr}\n")
        if done.returncode:
            raise StepError(f"{party}: padan {arguments[0]}: {done.stderr.strip()}")
        return dict(json.loads(done.stdout)) if as_json else {}


def prepare(
    folder: Path, agreement_id: str, flow_id: str, document: bytes, now: dt.datetime
) -> Stage:
    """Make folders, certificates, identities and the signed agreement; start nothing.

    ``document`` is the agreement without keys. If it is not in force at ``now``, the unit's clock
    will start in the middle of its term.
    """
    agreement = load_agreement(document)
    flow = agreement.flow(flow_id)
    for name in ("logs", "data", "unit", "agreement"):
        (folder / name).mkdir(parents=True)
    standing = agreement.standing(now)
    simulated = None
    if standing.state is not AgreementState.IN_FORCE:
        middle = agreement.in_force_from + (agreement.in_force_until - agreement.in_force_from) / 2
        simulated = dt.datetime.combine(middle, dt.time(3), dt.UTC)
    address = f"127.0.0.1:{_free_port()}"
    stage = Stage(folder, agreement_id, flow_id, flow.provider, flow.requester, address, simulated)
    parties = [p.id for p in agreement.parties]
    _make_identities(stage, parties)
    _install_tls(stage, parties, Authority(folder / "tls", dt.datetime.now(dt.UTC)))
    _sign(stage, parties)
    return stage


def _make_identities(stage: Stage, parties: Sequence[str]) -> None:
    for party in parties:
        stage.run(party, "keys", "init", "--party", party, "--no-passphrase")


def _install_tls(stage: Stage, parties: Sequence[str], authority: Authority) -> None:
    certificates = {party: authority.issue(party) for party in parties}
    for party, certificate in certificates.items():
        _write_client_config(stage, party, authority.path, certificate)
    own = authority.issue("unit")
    pins = {party: [certificate.spki] for party, certificate in certificates.items()}
    clock = (
        f"simulated_time = {_toml(stage.simulated_time.isoformat())}\n"
        if (stage.simulated_time)
        else ""
    )
    (stage.unit / "unit.toml").write_text(
        f"listen = {_toml(stage.address)}\n"
        'data_dir = "data"\n'
        'agreements_dir = "../agreement"\n'
        f"match_threads = {max(1, len(os.sched_getaffinity(0)))}\n{clock}"
        f"\n[tls]\nca = {_toml(str(authority.path.resolve()))}\n"
        f"certificate = {_toml(str(own.cert.resolve()))}\nkey = {_toml(str(own.key.resolve()))}\n"
        "\n[parties]\n" + "".join(f"{p} = {json.dumps(pin)}\n" for p, pin in pins.items()),
        encoding="utf-8",
    )


def _write_client_config(stage: Stage, party: str, ca: Path, certificate: Certificate) -> None:
    (stage.home(party) / "client.toml").write_text(
        f"party = {_toml(party)}\nunit = {_toml(stage.address)}\n"
        f"agreements = {_toml(str((stage.folder / 'agreement').resolve()))}\n\n"
        f"[tls]\nca = {_toml(str(ca.resolve()))}\n"
        f"certificate = {_toml(str(certificate.cert.resolve()))}\n"
        f"key = {_toml(str(certificate.key.resolve()))}\n",
        encoding="utf-8",
    )


def _sign(stage: Stage, parties: Sequence[str]) -> None:
    path = stage.folder / "agreement" / f"{stage.agreement_id}.toml"
    keys = [
        argument
        for party in parties
        for argument in ("--party", f"{party}={stage.home(party) / f'{party}.public.json'}")
    ]
    first = parties[0]
    stage.run(first, "agreement", "new", "--from", stage.agreement_id, "--out", str(path), *keys)
    for party in parties:
        stage.run(party, "agreement", "sign", str(path))
    stage.run(first, "agreement", "verify", str(path))


@contextlib.contextmanager
def running_unit(stage: Stage) -> Iterator[None]:
    """The unit as a process of its own, ready to serve; stopped gracefully at the end."""
    with stage.log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [
                sys.executable,
                "-m",
                "padan_server",
                "unit",
                "--config",
                str(stage.unit / "unit.toml"),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(stage, process)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(stage: Stage, process: subprocess.Popen[bytes]) -> None:
    tls = stage.folder / "tls"
    credentials = grpc.ssl_channel_credentials(
        (tls / "ca.pem").read_bytes(),
        (tls / f"{stage.provider}.key").read_bytes(),
        (tls / f"{stage.provider}.pem").read_bytes(),
    )
    with grpc.secure_channel(stage.address, credentials) as channel:
        ready = grpc.channel_ready_future(channel)
        for _ in range(_READY_SECONDS * 4):
            with contextlib.suppress(grpc.FutureTimeoutError):
                ready.result(timeout=0.25)
                return
            if process.poll() is not None:
                break
    raise UnavailableError(
        t(
            f"Unit pemadanan tidak dapat dijalankan; lihat {stage.log}.",
            f"The linkage unit did not start; see {stage.log}.",
        )
    )


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _toml(text: str) -> str:
    """``text`` as a TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(text)


def counts_by_code(result: Mapping[str, Any]) -> dict[str, int]:
    """The ``counts`` object that ``padan confirm --json`` prints."""
    return {str(code): int(n) for code, n in result["counts"].items()}

"""Sets the scene on loopback: folders, certificates, keys, a signed agreement, the servers.

The unit, the provider's server of direct mode and each agency are processes of their own with
folders of their own, and talk over mutual TLS only. The agencies run the very commands that a data
officer runs.
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

from padan_client.base.errors import PadanError, UnavailableError
from padan_client.base.language import current_language, t
from padan_lab.demo.pki import Authority, Certificate
from padan_linkage.agreement import AgreementState, load_agreement, standing_of

_READY_SECONDS = 60


class StepError(PadanError):
    """A command of one of the agencies failed; the message is the command's own."""


@dataclass(frozen=True)
class Deployment:
    """Where everything of one demonstration lies."""

    folder: Path
    agreement_id: str
    flow_id: str
    provider: str
    requester: str
    address: str
    provider_address: str
    simulated_time: dt.datetime | None

    def home(self, party: str) -> Path:
        """Home folder of an agency."""
        return self.folder / party

    @property
    def unit(self) -> Path:
        """Folder of the unit: configuration, data, log."""
        return self.folder / "unit"

    @property
    def provider_server(self) -> Path:
        """Certificate of the provider's server of direct mode."""
        return self.folder / "tls" / "provider.pem"

    def log(self, role: str) -> Path:
        """Log file of the unit or the provider's server, one JSON object a line."""
        return self.folder / "logs" / f"{role}.jsonl"

    def config(self, role: str) -> Path:
        """Settings of the unit or of the provider's server."""
        return self.folder / role / f"{role}.toml"

    def command(self, party: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """The command line of ``padan …`` as ``party``, and its environment."""
        command = [sys.executable, "-m", "padan_client", "--lang", current_language(), *arguments]
        own = {"PADAN_HOME": str(self.home(party)), "COLUMNS": "200"}
        return command, {**own_environment(), **own}

    def run(self, party: str, *arguments: str, as_json: bool = False) -> dict[str, Any]:
        """Run ``padan …`` as ``party`` in a process of its own; its messages go to its log.

        With ``as_json`` returns the object it prints. Raises StepError with its message.
        """
        command, environment = self.command(party, *arguments)
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            [*command, "--json"] if as_json else command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        with (self.folder / "logs" / f"{party}.log").open("a", encoding="utf-8") as log:
            log.write(f"$ padan {' '.join(arguments)}\n{done.stderr}\n")
        if done.returncode:
            raise StepError(f"{party}: padan {arguments[0]}: {done.stderr.strip()}")
        return dict(json.loads(done.stdout)) if as_json else {}


def own_environment() -> dict[str, str]:
    """This process's environment without Padan's settings: they may name real servers and keys."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PADAN_")}


def prepare(
    folder: Path,
    agreement_id: str,
    flow_id: str,
    document: bytes,
    now: dt.datetime,
    strangers: Sequence[str] = (),
) -> Deployment:
    """Make folders, certificates, identities and the signed agreement; start nothing.

    ``document`` is the agreement without keys. If it is not in force at ``now``, the unit's clock
    will start in the middle of its term. ``strangers`` get certificates and are no parties.
    """
    agreement = load_agreement(document)
    flow = agreement.flow(flow_id)
    for name in ("logs", "data", "unit", "provider", "agreement"):
        (folder / name).mkdir(parents=True)
    standing = standing_of(agreement, now)
    simulated = None
    if standing.state is not AgreementState.IN_FORCE:
        middle = agreement.in_force_from + (agreement.in_force_until - agreement.in_force_from) / 2
        simulated = dt.datetime.combine(middle, dt.time(3), dt.UTC)
    unit, provider = (f"127.0.0.1:{port}" for port in _free_ports(2))
    site = Deployment(
        folder, agreement_id, flow_id, flow.provider, flow.requester, unit, provider, simulated
    )
    parties = [p.id for p in agreement.parties]
    _make_identities(site, parties)
    authority = Authority(folder / "tls", dt.datetime.now(dt.UTC))
    _install_tls(site, parties, authority)
    for name in strangers:
        authority.issue_client(name)
    # An agreement names every server that it lets be asked, also those that do not run here.
    others = {
        party: site.provider_server
        if party == site.provider
        else authority.issue_server(f"{party}-server").certificate
        for party in agreement.direct_providers
    }
    _sign(site, parties, document, others)
    return site


def _make_identities(site: Deployment, parties: Sequence[str]) -> None:
    for party in parties:
        site.run(party, "keys", "init", "--party", party, "--no-passphrase")


def _install_tls(site: Deployment, parties: Sequence[str], authority: Authority) -> None:
    certificates = {party: authority.issue_client(party) for party in parties}
    for party, certificate in certificates.items():
        _write_client_config(site, party, authority.ca, certificate)
    pins = {party: [certificate.pin] for party, certificate in certificates.items()}
    cores = max(1, len(os.sched_getaffinity(0)))
    unit = f"listen = {_toml(site.address)}\nmatch_threads = {cores}\n"
    own = site.home(site.provider).resolve() / "direct"
    provider = (
        f"listen = {_toml(site.provider_address)}\nparty = {_toml(site.provider)}\n"
        f"tables_dir = {_toml(str(own / 'published'))}\n"
        f"seeds_dir = {_toml(str(own / 'seeds'))}\n"
    )
    for role, settings in (("unit", unit), ("provider", provider)):
        _write_server_config(site, role, settings, authority, pins)


def _write_server_config(
    site: Deployment,
    role: str,
    settings: str,
    authority: Authority,
    pins: Mapping[str, Sequence[str]],
) -> None:
    own = authority.issue_server(role)
    clock = (
        f"simulated_time = {_toml(site.simulated_time.isoformat())}\n"
        if (site.simulated_time)
        else ""
    )
    site.config(role).write_text(
        f'{settings}data_dir = "data"\nagreements_dir = "../agreement"\n{clock}'
        f"\n[tls]\nca = {_toml(str(authority.ca.resolve()))}\n"
        f"certificate = {_toml(str(own.certificate.resolve()))}\n"
        f"key = {_toml(str(own.key.resolve()))}\n"
        "\n[parties]\n" + "".join(f"{p} = {json.dumps(pin)}\n" for p, pin in pins.items()),
        encoding="utf-8",
    )


def _write_client_config(site: Deployment, party: str, ca: Path, certificate: Certificate) -> None:
    (site.home(party) / "client.toml").write_text(
        f"party = {_toml(party)}\nunit = {_toml(site.address)}\n"
        f"provider = {_toml(site.provider_address)}\n"
        f"agreements = {_toml(str((site.folder / 'agreement').resolve()))}\n\n"
        f"[tls]\nca = {_toml(str(ca.resolve()))}\n"
        f"certificate = {_toml(str(certificate.certificate.resolve()))}\n"
        f"key = {_toml(str(certificate.key.resolve()))}\n",
        encoding="utf-8",
    )


def _sign(
    site: Deployment, parties: Sequence[str], document: bytes, servers: Mapping[str, Path]
) -> None:
    draft = site.folder / "draft.toml"
    draft.write_bytes(document)
    path = site.folder / "agreement" / f"{site.agreement_id}.toml"
    keys = [
        argument
        for party in parties
        for argument in ("--party", f"{party}={site.home(party) / f'{party}.public.json'}")
    ]
    keys += ["--unit", str(site.folder / "tls" / "unit.pem")]
    keys += [part for party, path in servers.items() for part in ("--server", f"{party}={path}")]
    first = parties[0]
    site.run(first, "agreement", "new", "--from", str(draft), "--out", str(path), *keys)
    for party in parties:
        site.run(party, "agreement", "sign", str(path))
    site.run(first, "agreement", "verify", str(path))


@contextlib.contextmanager
def running(site: Deployment, role: str) -> Iterator[int]:
    """The ``unit`` or ``provider`` as a process, ready to serve; stopped gracefully at the end.

    Gives its process id.
    """
    with site.log(role).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [
                sys.executable,
                "-m",
                "padan_server",
                role,
                "--config",
                str(site.config(role)),
            ],
            env=own_environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(site, role, process)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(site: Deployment, role: str, process: subprocess.Popen[bytes]) -> None:
    address = site.address if role == "unit" else site.provider_address
    tls = site.folder / "tls"
    credentials = grpc.ssl_channel_credentials(
        (tls / "ca.pem").read_bytes(),
        (tls / f"{site.provider}.key").read_bytes(),
        (tls / f"{site.provider}.pem").read_bytes(),
    )
    direct = [("grpc.enable_http_proxy", 0)]
    with grpc.secure_channel(address, credentials, direct) as channel:
        ready = grpc.channel_ready_future(channel)
        for _ in range(_READY_SECONDS * 4):
            with contextlib.suppress(grpc.FutureTimeoutError):
                ready.result(timeout=0.25)
                return
            if process.poll() is not None:
                break
    raise UnavailableError(
        t(
            f"Server {role} tidak dapat dijalankan; lihat {site.log(role)}.",
            f"The {role} server did not start; see {site.log(role)}.",
        )
    )


def _free_ports(count: int) -> list[int]:
    """Ports that are free now, no two alike."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [int(s.getsockname()[1]) for s in sockets]


def _toml(text: str) -> str:
    """``text`` as a TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(text)

"""A server that cannot start says why: its own files, its address; never "failed to bind"."""

from __future__ import annotations

import errno
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import pytest
from server_fixture import toml
from tls_ways import CLIENT, own_files, private, put_certificate, put_key
from typer.testing import CliRunner

from padan_linkage.crypto.tls_faults import TlsFileError
from padan_server.app import app
from padan_server.roles.listening import ListenError, metrics_error

DAY = timedelta(days=1)


def joined(files):
    files.certificate.write_bytes(files.ca.read_bytes() + files.certificate.read_bytes())


def expired(files):
    put_certificate(files, private(files), (), begin=-3 * DAY, end=-DAY)


def marked(files):
    for path in (files.ca, files.certificate, files.key):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))


@pytest.fixture
def mine(tmp_path, session_pki):
    return own_files(tmp_path / "own", session_pki[0], "unit-own", server=True)


def tls(files):
    return {"ca": str(files.ca), "certificate": str(files.certificate), "key": str(files.key)}


@pytest.mark.parametrize(
    ("breakage", "fault"),
    [
        (lambda f: put_key(f, private(f), password=b"frasa"), "KEY_ENCRYPTED"),
        (
            lambda f: f.key.write_bytes(own_files(f.key.parent / "o", f.pki).key.read_bytes()),
            "KEY_MISMATCH",
        ),
        (joined, "CHAIN_ORDER"),
        (lambda f: f.key.unlink(), "FILE_MISSING"),
        (lambda f: f.ca.write_bytes(b""), "FILE_EMPTY"),
        (lambda f: put_certificate(f, private(f), (CLIENT,)), "CERTIFICATE_USAGE"),
        (
            lambda f: put_certificate(f, private(f), (), begin=-3 * DAY, end=-DAY),
            "CERTIFICATE_EXPIRED",
        ),
    ],
)
def test_an_own_file_of_no_use_is_told_before_the_port_is_bound(make_unit, mine, breakage, fault):
    breakage(mine)
    with pytest.raises(TlsFileError) as caught:
        make_unit(settings={"tls": tls(mine)})
    assert caught.value.fault == fault


def test_files_with_a_mark_before_them_serve(make_unit, mine):
    marked(mine)
    unit = make_unit(settings={"tls": tls(mine)})
    provider, _ = unit.pair()
    assert provider.contribute(2)


@pytest.mark.parametrize(
    ("listen", "word"),
    [
        ("tidak-ada.invalid:7443", "DNS"),
        ("192.0.2.1:7443", "not this machine's"),
        ("{taken}", "another process"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_told(make_unit, listen, word):
    with socket.create_server(("127.0.0.1", 0)) as held:
        listen = listen.format(taken=f"127.0.0.1:{held.getsockname()[1]}")
        with pytest.raises(ListenError, match=word) as caught:
            make_unit(settings={"listen": listen})
    assert f"listen = {listen}" in str(caught.value)


def test_a_port_of_the_metrics_that_is_taken_is_told(make_unit):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(ListenError, match=f"metrics_port = 127.0.0.1:{port}"):
            make_unit(settings={"metrics_port": port})


def test_a_port_for_root_alone_is_told():
    told = metrics_error("127.0.0.1", 80, PermissionError(errno.EACCES, "no"))
    assert "1024" in str(told)


def started(house, changes, mark=b""):
    """What the command says and leaves with."""
    config = house.folder / "unit.toml"
    config.write_bytes(mark + toml(house.settings(**changes)).encode())
    command = [sys.executable, "-m", "padan_server", "unit", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_the_command_says_it_in_both_languages_and_no_traceback(make_house, mine):
    house = make_house()
    put_key(mine, private(mine), password=b"frasa")
    code, said = started(house, {"tls": tls(mine)}, mark=b"\xef\xbb\xbf")
    assert code == 3
    assert "terlindung frasa sandi" in said
    assert "protected by a passphrase" in said
    assert "Traceback" not in said
    for listen in ("0.0.0.0", "0.0.0.0:70000", "https://0.0.0.0:7443"):
        code, said = started(house, {"listen": listen})
        assert code == 2
        assert "listen" in said


def test_a_database_that_another_program_holds_is_told(make_unit, monkeypatch):
    monkeypatch.setattr("padan_server.store.sql.store._BUSY_SECONDS", 0.1)
    monkeypatch.setattr("padan_server.base.log.configure_logging", lambda *_, **__: None)
    unit = make_unit()
    unit.stop()
    config = unit.house.folder / "unit.toml"
    config.write_text(toml(unit.house.settings()))
    with closing(sqlite3.connect(unit.house.data_dir / "unit.sqlite")) as backup:
        backup.execute("BEGIN IMMEDIATE")
        done = CliRunner().invoke(app, ["unit", "--config", str(config)])
    assert done.exit_code == 3
    assert "dipegang program lain" in done.stderr
    assert "held by another program" in done.stderr
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.SIGTERM not in blocked, "who started the server can be stopped still"

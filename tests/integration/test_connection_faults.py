"""Why a server cannot be spoken to: each cause by its name, on real sockets."""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
from concurrent import futures
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from impostor import Impostor
from patience import PATIENCE
from relay import HttpProxy
from tls_ways import (
    CLIENT,
    SERVER,
    answering,
    hangs_up,
    own_files,
    private,
    put_certificate,
    says,
    speaks_tls,
    stays_silent,
)

from padan.v1.reason_texts import ServerKind
from padan_client.base.errors import (
    BadInputError,
    PadanError,
    UnavailableError,
    VerificationError,
)
from padan_client.base.language import set_language
from padan_client.home.config import ClientConfig, Timeouts, Tls, load_config
from padan_client.transport import connecting
from padan_client.transport.faults import ConnectionFault
from padan_client.transport.pinning import Pinned
from padan_client.transport.servers import servers_of
from padan_lab.demo.pki import Authority, Certificate
from padan_linkage.crypto.certificates import UNREADABLE

DAY = timedelta(days=1)
VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki"), datetime.now(UTC))


@pytest.fixture(scope="module")
def unit(pki):
    return pki.issue_server("unit")


@pytest.fixture
def mine(tmp_path, pki):
    return own_files(tmp_path / "own", pki)


def told(mine, port, *, address="", pin=None, seconds=PATIENCE, **settings):
    """The error of a connection to a port of loopback, in English; None where there is one."""
    set_language("en")
    config = ClientConfig(
        party="kemnaker",
        unit=address or f"127.0.0.1:{port}",
        tls=Tls(ca=mine.ca, certificate=mine.certificate, key=mine.key, **settings.pop("tls", {})),
        timeouts=Timeouts(call=seconds),
        **settings,
    )
    try:
        agreed = Pinned(frozenset({pin or "any"}), "a test")
        server = servers_of(config, mine.ca.parent, lambda _: agreed)[ServerKind.UNIT]
        server.credentials()
    except PadanError as error:
        return error
    finally:
        set_language("id")
    return None


def issued(folder, pki, usages=(SERVER,), **more) -> Certificate:
    """A server's certificate with a fault; its pin is not what is looked at here."""
    files = own_files(folder, pki, "faulty", server=True)
    put_certificate(files, private(files), usages, **more)
    return Certificate(files.certificate, files.key, pin_of(files))


def pin_of(files):
    from cryptography.x509 import load_pem_x509_certificate

    from padan_linkage.crypto.certificates import spki_pin

    return spki_pin(load_pem_x509_certificate(files.certificate.read_bytes()))


def test_a_good_server_is_spoken_to(mine, unit, pki):
    with Impostor(pki.ca, unit) as there:
        assert told(mine, there.port, pin=unit.pin) is None
        assert there.calls == []


@pytest.mark.parametrize("raised", UNREADABLE)
def test_a_certificate_that_cannot_be_read_is_told(mine, unit, pki, monkeypatch, raised):
    def unreadable(_):
        made = raised.__new__(raised)
        raise made

    monkeypatch.setattr("padan_client.transport.handshake.readable", unreadable)
    with Impostor(pki.ca, unit) as there:
        assert told(mine, there.port, pin=unit.pin).reason == "TLS_FAILED"
        assert there.calls == []


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "NOT_TLS_BUT_HTTP"),
        (says(b"<html>400</html>"), "NOT_TLS_BUT_HTTP"),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "NOT_TLS"),
        (says(b"220 mail ESMTP\r\n"), "NOT_TLS"),
        (says(b"\x00\x00\x00\x04" + bytes(5)), "NOT_TLS_BUT_GRPC"),
        (says(bytes(40)), "NOT_TLS"),
        (says(b"\x15\x03\x03\x00\x02\x02\x28"), "TLS_FAILED"),  # alert: handshake failure
        (says(b"\x15\x03\x03\x00\x02\x02\x46"), "TLS_VERSION"),  # alert: protocol version
        (says(b"\x15\x03\x03\x00\x02\x02\x78"), "NOT_GRPC"),  # alert: no application protocol
        (hangs_up, "TLS_BROKEN_OFF"),
    ],
)
def test_what_answers_instead_is_told(mine, answer, fault):
    with answering(answer) as port:
        error = told(mine, port)
    assert error.reason == fault
    assert isinstance(error, UnavailableError)
    assert f"127.0.0.1:{port}" in str(error)


def test_a_grpc_server_without_tls_is_told(mine):
    server = grpc.server(futures.ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    assert told(mine, port).reason == "NOT_TLS_BUT_GRPC"
    server.stop(0).wait()


def test_a_server_that_says_nothing_is_told(mine):
    with answering(stays_silent) as port:
        assert told(mine, port, seconds=0.3).reason == "TLS_SILENT"


def test_a_port_where_nobody_listens_is_told(mine):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = told(mine, port)
    assert error.reason == "CONNECTION_REFUSED"
    assert error.exit_code == 6


def test_an_address_that_does_not_answer_is_told(mine):
    """A listener whose queue is full drops what comes, as a firewall does."""
    with contextlib.ExitStack() as held:
        full = held.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        error = told(mine, full.getsockname()[1], seconds=0.3)
    assert error.reason == "CONNECTION_SILENT"


def test_a_name_that_nobody_knows_is_told(mine):
    error = told(mine, 0, address="tidak-ada.invalid:7443")
    assert error.reason in {"NAME_UNKNOWN", "NAME_UNRESOLVED"}  # where there is no DNS at all
    assert "tidak-ada.invalid" in str(error)
    assert "ertificate" not in str(error)
    assert told(mine, 0, address=f"{'a' * 70}.invalid:7443").reason == "NAME_UNKNOWN"


@pytest.mark.parametrize(
    ("raised", "fault"),
    [
        (socket.gaierror(socket.EAI_NONAME, ""), "NAME_UNKNOWN"),
        (socket.gaierror(socket.EAI_AGAIN, ""), "NAME_UNRESOLVED"),
        (socket.gaierror(socket.EAI_FAIL, ""), "NAME_UNRESOLVED"),
        (OSError(errno.ENETUNREACH, ""), "NETWORK_UNREACHABLE"),
        (OSError(errno.EHOSTUNREACH, ""), "NETWORK_UNREACHABLE"),
        (OSError(errno.EADDRNOTAVAIL, ""), "NETWORK_UNREACHABLE"),
        (PermissionError(errno.EPERM, ""), "CONNECTION_FORBIDDEN"),
        (TimeoutError(errno.ETIMEDOUT, ""), "CONNECTION_SILENT"),
        (OSError(errno.EMFILE, ""), "CONNECTION_FAILED"),
    ],
)
def test_what_the_system_says_is_told(mine, monkeypatch, raised, fault):
    """What no test can arrange on loopback."""

    def refuses(*_, **__):
        raise raised

    monkeypatch.setattr(connecting.socket, "create_connection", refuses)
    assert told(mine, 1).reason == fault


def test_a_certificate_of_another_authority_is_told(mine, tmp_path):
    other = Authority(tmp_path / "other", datetime.now(UTC))
    shown = other.issue_server("unit")
    with answering(speaks_tls(shown)) as port:
        error = told(mine, port, pin=shown.pin)
        assert isinstance(error, VerificationError)
        assert error.reason == "SERVER_UNTRUSTED"
        assert told(mine, port).reason == "SERVER_PIN"  # who it is comes first


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"begin": -3 * DAY, "end": -DAY}, "SERVER_EXPIRED"),
        ({"begin": DAY, "end": 3 * DAY}, "SERVER_NOT_YET"),
        ({"usages": (CLIENT,)}, "SERVER_USAGE"),
        ({"names": ("lain.example",)}, "SERVER_NAME"),
    ],
)
def test_what_is_wrong_with_the_servers_certificate_is_told(mine, tmp_path, pki, more, fault):
    shown = issued(tmp_path / "server", pki, **more)
    with answering(speaks_tls(shown)) as port:
        error = told(mine, 0, address=f"localhost:{port}", pin=shown.pin)
    assert isinstance(error, VerificationError)
    assert error.reason == fault


def test_the_names_of_a_certificate_are_shown_without_orders(mine, tmp_path, pki):
    shown = issued(tmp_path / "server", pki, names=("lain.example", "\x1b[2J"))
    with answering(speaks_tls(shown)) as port:
        error = told(mine, port, pin=shown.pin)
    assert "(lain.example)" in str(error)
    assert "tls.server_name" in str(error)


def test_a_tls_server_of_another_protocol_or_version_is_told(mine, unit):
    with answering(speaks_tls(unit, alpn=None)) as port:
        assert told(mine, port, pin=unit.pin).reason == "NOT_GRPC"
    with answering(speaks_tls(unit, highest=ssl.TLSVersion.TLSv1_2)) as port:
        assert told(mine, port, pin=unit.pin).reason == "TLS_VERSION"


@pytest.mark.parametrize("kind", ["grpc", "tls"])
def test_an_own_certificate_that_is_not_taken_is_told(tmp_path, pki, unit, kind):
    """gRPC hangs up without a word, others send an alert."""
    other = Authority(tmp_path / "other", datetime.now(UTC))
    mine = own_files(tmp_path / "own", other)
    mine.ca.write_bytes(pki.ca.read_bytes())
    with contextlib.ExitStack() as held:
        if kind == "grpc":
            port = held.enter_context(Impostor(pki.ca, unit)).port
        else:
            port = held.enter_context(answering(speaks_tls(unit, ca=pki.ca)))
        error = told(mine, port, pin=unit.pin)
    assert error.reason == "OWN_CERTIFICATE_REFUSED"
    assert "tls.certificate" in str(error)
    assert "nor is it the CA in tls.ca" in str(error)


def test_a_key_that_another_family_made_is_the_files_fault_and_not_the_units(tmp_path, pki):
    mine = own_files(tmp_path / "own", pki)
    key = ec.generate_private_key(ec.SECP521R1())
    put_certificate(mine, key)
    error = told(mine, 1)
    assert (type(error), error.reason) == (BadInputError, "KEY_MISMATCH")


@pytest.mark.parametrize(
    "respell",
    [
        lambda b: b"\xef\xbb\xbf" + b,
        lambda b: b.decode().encode("utf-16"),
        lambda b: b.replace(b"\n", b"\r\n"),
        lambda b: b.replace(b"\n", b"  \n") + b"\n ",
    ],
)
def test_files_in_another_spelling_reach_the_server(mine, unit, pki, respell):
    for path in (mine.ca, mine.certificate, mine.key):
        path.write_bytes(respell(path.read_bytes()))
    with Impostor(pki.ca, unit) as there:
        assert told(mine, there.port, pin=unit.pin) is None


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (lambda mine: mine.certificate.read_bytes(), "CERTIFICATE_WHERE_KEY"),
        (lambda mine: mine.ca.read_bytes(), "CERTIFICATE_WHERE_KEY"),
        (lambda _: b"", "FILE_EMPTY"),
        (lambda _: b"nik;nama\n1;Budi\n", "FILE_NOT_PEM"),
        (lambda mine: mine.key.read_bytes()[:-40], "PEM_CUT_OFF"),
    ],
)
def test_what_a_key_file_is_comes_before_who_may_read_it(mine, content, fault):
    mine.key.write_bytes(content(mine))
    mine.key.chmod(0o644)
    assert told(mine, 1).reason == fault


def test_a_key_that_all_may_read_is_told_before_what_else_is_wrong_with_it(mine):
    put_certificate(mine, ec.generate_private_key(ec.SECP256R1()))  # another key's
    mine.key.chmod(0o644)
    error = told(mine, 1)
    assert f"chmod 600 {mine.key}" in str(error)
    mine.key.chmod(0o600)
    assert told(mine, 1).reason == "KEY_MISMATCH"


# Proxies.


def through(mine, monkeypatch, url, name="https_proxy", **more):
    monkeypatch.setenv(name, url)
    return told(mine, 0, address="unit.example:7443", **more)


def test_a_proxy_that_is_not_there_is_told_by_its_variable(mine, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY"):
        with monkeypatch.context() as patched:
            error = through(mine, patched, "http://nama:sandi@127.0.0.1:9", name)
        assert error.reason == "PROXY_UNREACHABLE"
        for word in (name, "no_proxy", 'proxy = "none"'):
            assert word in str(error)
        assert "sandi" not in str(error)


@pytest.mark.parametrize(
    ("answer", "fault", "word"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "PROXY_REFUSES", "HTTP 403"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "PROXY_REFUSES", "password"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "PROXY_REFUSES", "HTTP 502"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "PROXY_UNREACHABLE", "no HTTP proxy"),
    ],
)
def test_what_a_proxy_answers_is_told(mine, monkeypatch, answer, fault, word):
    with answering(says(answer)) as port:
        error = through(mine, monkeypatch, f"http://127.0.0.1:{port}")
    assert error.reason == fault
    assert word in str(error)
    assert "https_proxy" in str(error)


@pytest.mark.parametrize(
    "url", ["socks5://127.0.0.1:9", "https://127.0.0.1:9", "http://", "http://127.0.0.1:porta"]
)
def test_a_proxy_that_is_none_is_told(mine, monkeypatch, url):
    error = through(mine, monkeypatch, url)
    assert (type(error), error.reason) == (BadInputError, "PROXY_INVALID")
    assert "https_proxy" in str(error)


def test_a_proxy_that_opens_tls_is_told_beside_the_key(mine, monkeypatch, unit, pki):
    with Impostor(pki.ca, unit) as there, HttpProxy(there.port) as proxy:
        error = through(mine, monkeypatch, f"http://127.0.0.1:{proxy.port}", pin="0" * 64)
    assert error.reason == "SERVER_PIN"
    assert "https_proxy" in str(error)


def test_the_setting_leads_past_every_proxy_or_through_one(mine, monkeypatch, unit, pki):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    named = {"pin": unit.pin, "tls": {"server_name": "localhost"}}
    with Impostor(pki.ca, unit) as there, HttpProxy(there.port) as proxy:
        way = f"http://127.0.0.1:{proxy.port}"
        assert told(mine, 0, address="unit.example:7443", proxy=way, **named) is None
        error = told(mine, 0, address="unit.invalid:7443", proxy="none", **named)
    assert error.reason in {"NAME_UNKNOWN", "NAME_UNRESOLVED"}
    assert "proxy" not in str(error)


# Settings.


@pytest.mark.parametrize(
    "address",
    [
        "https://unit.example:7443",
        "unit.example",
        "unit.example:",
        "unit.example:0",
        "unit.example:70000",
        "unit.example:7443/",
        "::1:7443",
        " unit.example:7443",
    ],
)
def test_an_address_that_is_none_is_told_with_how_it_is_written(tmp_path, address):
    (tmp_path / "client.toml").write_text(f'party = "bkn"\nunit = "{address}"\n')
    with pytest.raises(BadInputError, match=r"host:port.*7443") as caught:
        load_config(tmp_path)
    assert "unit" in str(caught.value)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_settings_are_read_with_a_mark_before_them(tmp_path, mark):
    (tmp_path / "client.toml").write_bytes(mark + b'party = "bkn"\nproxy = "none"\n')
    assert load_config(tmp_path).proxy == "none"
    (tmp_path / "client.toml").write_bytes(mark + b'party = "bkn"\nproxy = "socks5://x:1"\n')
    with pytest.raises(BadInputError, match="proxy: "):
        load_config(tmp_path)


def test_every_cause_has_a_sentence_in_both_languages(mine):
    from padan_client.transport.faults import _SENTENCES, fault_error

    assert set(_SENTENCES) == set(ConnectionFault)
    for fault in ConnectionFault:
        for server in ServerKind:
            assert "{" not in str(fault_error(fault, server, "unit.example:7443"))

"""A process's own TLS files: each fault by its name, each spelling of good ones alike."""

from __future__ import annotations

import errno
import os
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from tls_ways import CLIENT, PEM, SERVER, own_files, private, put_certificate, put_key, with_file

from padan_lab.demo.pki import Authority
from padan_linkage.crypto.tls_faults import TlsFault, TlsFileError
from padan_linkage.crypto.tls_files import TlsUse, read_tls

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def examined(files, use=TlsUse.CLIENT, moment=None):
    return read_tls(files.ca, files.certificate, files.key, use, moment or datetime.now(UTC))


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki"), NOW)


@pytest.fixture
def files(tmp_path, pki):
    return own_files(tmp_path / "own", pki)


def fresh():
    return ec.generate_private_key(ec.SECP256R1())


def another(files, made):
    """Certificate and key of a kind of their own, a pair."""
    put_key(files, made)
    put_certificate(files, made)


def swapped(files, one, other):
    paths = getattr(files, one), getattr(files, other)
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, reversed(contents), strict=True):
        path.write_bytes(content)


def cut(path, at):
    path.write_bytes(path.read_bytes()[:at])


def joined(*paths):
    return b"".join(path.read_bytes() for path in paths)


def der(files):
    content = files.certificate.read_text("ascii")
    files.certificate.write_bytes(ssl.PEM_cert_to_DER_cert(content))


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def folder(path):
    path.unlink()
    path.mkdir()


def public_key(files):
    shown = private(files).public_key()
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    files.key.write_bytes(shown.public_bytes(PEM, kind))


FAULTS = {
    "no certificate": (lambda f: f.certificate.unlink(), "FILE_MISSING", "tls.certificate"),
    "no key": (lambda f: f.key.unlink(), "FILE_MISSING", "tls.key"),
    "no authority": (lambda f: f.ca.unlink(), "FILE_MISSING", "tls.ca"),
    "a folder": (lambda f: folder(f.certificate), "FILE_NOT_PLAIN", "tls.certificate"),
    "a pipe that nobody writes to": (lambda f: pipe(f.key), "FILE_NOT_PLAIN", "tls.key"),
    "empty": (lambda f: f.ca.write_bytes(b""), "FILE_EMPTY", "tls.ca"),
    "blanks": (lambda f: f.key.write_bytes(b" \r\n"), "FILE_EMPTY", "tls.key"),
    "two megabytes": (lambda f: f.ca.write_bytes(bytes(2 << 20)), "FILE_TOO_LARGE", "tls.ca"),
    "other text": (lambda f: f.ca.write_text("[tls]\nca = 1\n"), "FILE_NOT_PEM", "tls.ca"),
    "DER": (der, "FILE_BINARY", "tls.certificate"),
    "cut off": (lambda f: cut(f.certificate, 300), "PEM_CUT_OFF", "tls.certificate"),
    "key cut off": (lambda f: cut(f.key, 100), "PEM_CUT_OFF", "tls.key"),
    "no base64": (
        lambda f: f.key.write_text("-----BEGIN PRIVATE KEY-----\nA*\n-----END PRIVATE KEY-----\n"),
        "PEM_DAMAGED",
        "tls.key",
    ),
    "no certificate in it": (
        lambda f: f.ca.write_text("-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n"),
        "PEM_DAMAGED",
        "tls.ca",
    ),
    "a request": (
        lambda f: f.certificate.write_text(
            "-----BEGIN CERTIFICATE REQUEST-----\nMAAA\n-----END CERTIFICATE REQUEST-----\n"
        ),
        "PEM_OTHER_KIND",
        "tls.certificate",
    ),
    "a public key": (public_key, "PEM_OTHER_KIND", "tls.key"),
    "an SSH key": (
        lambda f: put_key(f, private(f), "OpenSSH"),
        "PEM_OTHER_KIND",
        "tls.key",
    ),
    "certificate and key swapped": (
        lambda f: swapped(f, "certificate", "key"),
        "KEY_WHERE_CERTIFICATE",
        "tls.certificate",
    ),
    "the certificate as the key": (
        lambda f: f.key.write_bytes(f.certificate.read_bytes()),
        "CERTIFICATE_WHERE_KEY",
        "tls.key",
    ),
    "key and authority swapped": (
        lambda f: swapped(f, "key", "ca"),
        "CERTIFICATE_WHERE_KEY",
        "tls.key",
    ),
    "the key as the authority": (
        lambda f: f.ca.write_bytes(f.key.read_bytes()),
        "KEY_WHERE_CERTIFICATE",
        "tls.ca",
    ),
    "certificate and authority swapped": (
        lambda f: swapped(f, "certificate", "ca"),
        "CERTIFICATE_IS_AUTHORITY",
        "tls.certificate",
    ),
    "the certificate as the authority": (
        lambda f: f.ca.write_bytes(f.certificate.read_bytes()),
        "AUTHORITY_IS_CERTIFICATE",
        "tls.ca",
    ),
    "a passphrase": (
        lambda f: put_key(f, private(f), password=b"frasa"),
        "KEY_ENCRYPTED",
        "tls.key",
    ),
    "a passphrase of old": (
        lambda f: put_key(f, private(f), "TraditionalOpenSSL", b"frasa"),
        "KEY_ENCRYPTED",
        "tls.key",
    ),
    "two keys": (
        lambda f: f.key.write_bytes(joined(f.key, f.key)),
        "KEYS_SEVERAL",
        "tls.key",
    ),
    "another certificate's key": (lambda f: put_key(f, fresh()), "KEY_MISMATCH", "tls.key"),
    "the authority first": (
        lambda f: f.certificate.write_bytes(joined(f.ca, f.certificate)),
        "CHAIN_ORDER",
        "tls.certificate",
    ),
    "expired": (
        lambda f: put_certificate(f, private(f), begin=-3 * DAY, end=-DAY),
        "CERTIFICATE_EXPIRED",
        "tls.certificate",
    ),
    "not yet valid": (
        lambda f: put_certificate(f, private(f), begin=DAY, end=3 * DAY),
        "CERTIFICATE_NOT_YET",
        "tls.certificate",
    ),
    "for servers": (
        lambda f: put_certificate(f, private(f), (SERVER,)),
        "CERTIFICATE_USAGE",
        "tls.certificate",
    ),
    "for both": (
        lambda f: put_certificate(f, private(f), (CLIENT, SERVER)),
        "CERTIFICATE_USAGE",
        "tls.certificate",
    ),
    "for anything": (
        lambda f: put_certificate(f, private(f), ()),
        "CERTIFICATE_USAGE",
        "tls.certificate",
    ),
    "EC P-224": (
        lambda f: another(f, ec.generate_private_key(ec.SECP224R1())),
        "KEY_KIND",
        "tls.key",
    ),
    "EC P-521": (
        lambda f: another(f, ec.generate_private_key(ec.SECP521R1())),
        "KEY_KIND",
        "tls.key",
    ),
    "EC of Bitcoin": (
        lambda f: another(f, ec.generate_private_key(ec.SECP256K1())),
        "KEY_KIND",
        "tls.key",
    ),
    "RSA 1024": (
        lambda f: put_key(f, rsa.generate_private_key(65537, 1024)),
        "KEY_KIND",
        "tls.key",
    ),
    "DSA": (lambda f: put_key(f, dsa.generate_private_key(1024)), "KEY_KIND", "tls.key"),
    "Ed25519": (
        lambda f: put_key(f, ed25519.Ed25519PrivateKey.generate()),
        "KEY_KIND",
        "tls.key",
    ),
    "Ed448": (lambda f: put_key(f, ed448.Ed448PrivateKey.generate()), "KEY_KIND", "tls.key"),
}


@pytest.mark.parametrize(("breakage", "fault", "field"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_is_told_by_file_and_setting(files, breakage, fault, field):
    examined(files)  # the control
    breakage(files)
    with pytest.raises(TlsFileError) as caught:
        examined(files)
    assert (caught.value.fault, caught.value.field) == (TlsFault[fault], field)
    path = str(getattr(files, field.removeprefix("tls.")))
    for text in (caught.value.indonesian, caught.value.english):
        assert path in text
        assert field in text
        assert text.endswith(f"[{fault}]")
        assert "{" not in text
    assert "BEGIN PRIVATE" not in str(caught.value)


def test_an_authority_s_time_counts(files):
    for moment, fault in ((NOW + 3 * DAY, "EXPIRED"), (NOW - 3 * DAY, "NOT_YET")):
        put_certificate(files, private(files), begin=-9 * DAY, end=9 * DAY)
        with pytest.raises(TlsFileError) as caught:
            examined(files, moment=moment)
        assert caught.value.fault is TlsFault[f"AUTHORITY_{fault}"]


def test_every_fault_is_met_by_a_test():
    elsewhere = {"AUTHORITY_EXPIRED", "AUTHORITY_NOT_YET", "FILE_UNREADABLE", "FILES_REFUSED"}
    assert {fault for _, fault, _ in FAULTS.values()} | elsewhere == {str(f) for f in TlsFault}


def test_a_file_that_one_may_not_read_is_told(files, monkeypatch):
    """Root may read everything, so the system's answer is put in its mouth."""

    def refuses(*_, **__):
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr("padan_linkage.crypto.pem.os.open", refuses)
    with pytest.raises(TlsFileError, match=r"FILE_UNREADABLE.*Permission denied"):
        examined(files)


def spelled(change):
    """Every file in another spelling of the same."""

    def respell(files):
        for path in (files.ca, files.certificate, files.key):
            path.write_bytes(change(path.read_bytes()))

    return respell


SPELLINGS = {
    "a byte order mark": spelled(lambda b: b"\xef\xbb\xbf" + b),
    "UTF-16": spelled(lambda b: b.decode().encode("utf-16")),
    "UTF-16, the other end first": spelled(lambda b: b"\xfe\xff" + b.decode().encode("utf-16-be")),
    "CRLF": spelled(lambda b: b.replace(b"\n", b"\r\n")),
    "CR": spelled(lambda b: b.replace(b"\n", b"\r")),
    "no last line end": spelled(lambda b: b.rstrip()),
    "blanks behind": spelled(lambda b: b.replace(b"\n", b" \t\n") + b"\n\n  "),
    "blanks before": spelled(lambda b: b"\n\n " + b.replace(b"\n", b"\n    ")),
    "words before": spelled(lambda b: b"Bag Attributes\n  friendlyName: x\n" + b),
    "one long line": spelled(
        lambda b: b"\n".join(
            [b.split(b"\n")[0], b"".join(b.split(b"\n")[1:-2]), *b.split(b"\n")[-2:]]
        )
    ),
    "SEC1": lambda f: put_key(f, private(f), "TraditionalOpenSSL"),
    "parameters before": lambda f: f.key.write_bytes(
        b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        + f.key.read_bytes()
    ),
    "the authority behind": lambda f: f.certificate.write_bytes(joined(f.certificate, f.ca)),
    "all in one": lambda f: f.key.write_bytes(joined(f.certificate, f.key)),
}


@pytest.mark.parametrize("respell", SPELLINGS.values(), ids=SPELLINGS)
def test_another_spelling_says_the_same(files, respell):
    plain = examined(files)
    respell(files)
    found = examined(files)
    assert found.certificate == plain.certificate
    assert (found.key, found.authority) == (plain.key, plain.authority)
    assert found.chain.startswith(plain.chain)


@pytest.mark.parametrize("respell", SPELLINGS.values(), ids=SPELLINGS)
def test_another_spelling_has_the_same_fault(files, respell):
    respell(files)
    if files.certificate.read_bytes() == files.key.read_bytes():
        pytest.skip("one file")
    put_key(files, fresh())
    with pytest.raises(TlsFileError, match="KEY_MISMATCH"):
        examined(files)


@pytest.mark.parametrize("size", [2048, 3072])
def test_rsa_is_taken_in_both_forms(files, size):
    key = rsa.generate_private_key(65537, size)
    another(files, key)
    plain = examined(files)
    put_key(files, key, "TraditionalOpenSSL")
    assert b"BEGIN RSA" in files.key.read_bytes()
    assert examined(files).key == plain.key


def test_a_file_by_a_relative_name_or_a_link(files, monkeypatch, tmp_path):
    plain = examined(files)
    monkeypatch.chdir(tmp_path)
    link = tmp_path / "link.pem"
    link.symlink_to(files.certificate)
    found = examined(with_file(files, certificate=link, key=files.key.relative_to(tmp_path)))
    assert found.key == plain.key


def test_a_server_s_certificate_is_for_servers(tmp_path, pki):
    files = own_files(tmp_path, pki, "unit", server=True)
    examined(files, TlsUse.SERVER)
    put_certificate(files, private(files), ())
    examined(files, TlsUse.SERVER)  # for anything, a server too
    put_certificate(files, private(files), (CLIENT,))
    with pytest.raises(TlsFileError, match="CERTIFICATE_USAGE"):
        examined(files, TlsUse.SERVER)


def test_whether_one_s_own_issuer_is_among_the_authorities(files, tmp_path):
    assert examined(files).issuer_is_trusted
    files.ca.write_bytes(Authority(tmp_path / "other", NOW).ca.read_bytes())  # of the same name
    assert not examined(files).issuer_is_trusted

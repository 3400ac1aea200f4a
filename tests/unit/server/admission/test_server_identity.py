"""Who calls and who answers: certificates for clients alone, keys that are nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.x509 import load_pem_x509_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID
from signing import write_signed
from structlog.testing import capture_logs

from padan_lab.demo.pki import Authority
from padan_linkage.agreement import directory
from padan_server.admission.agreements import AgreementBook
from padan_server.admission.identity import OwnCertificate, Pins
from padan_server.base.errors import Reason, Refusal


@pytest.fixture
def pki(tmp_path):
    return Authority(tmp_path / "tls", datetime.now(UTC))


def shown(certificate):
    """What TLS tells of a caller with that certificate."""
    return {"x509_pem_cert": [certificate.certificate.read_bytes()]}


def test_a_registered_key_in_a_certificate_that_could_serve_is_nobody_s(pki):
    client, server = pki.issue_client("bkn"), pki.issue_server("bkn-server")
    both = pki._issue("bkn-both", "client", ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, (), None)
    pins = Pins({"bkn": [client.pin, server.pin, both.pin]})
    assert pins.party_of(shown(client)) == "bkn"
    for certificate in (server, both):
        with pytest.raises(Refusal) as caught:
            pins.party_of(shown(certificate))
        assert caught.value.reason is Reason.CALLER_UNKNOWN


def test_a_server_does_not_start_with_the_key_of_a_party(pki):
    own = pki.issue_server("unit")
    made = OwnCertificate(load_pem_x509_certificate(own.certificate.read_bytes()))
    made.require_apart({"bkn": [pki.issue_client("bkn").pin]})
    with pytest.raises(ValueError, match="bkn"):
        made.require_apart({"kemnaker": [], "bkn": [own.pin]})


@pytest.mark.parametrize("named", [True, False])
def test_an_agreement_that_names_another_server_is_told(tmp_path, named):
    write_signed(tmp_path)
    with capture_logs() as told:
        book = AgreementBook(tmp_path, lambda agreement: named)
    events = [line["event"] for line in told]
    assert ("agreement_names_another_server" in events) is not named
    assert book.get("kemnaker-bkn-2024") is not None


def test_a_withdrawal_waits_for_no_other_file(tmp_path, monkeypatch):
    """What is served is looked at first: while the rest is read, it is served no more."""
    write_signed(tmp_path)
    book, served, read = AgreementBook(tmp_path, lambda _: True), [], directory.read_bounded
    (tmp_path / "a.toml").write_bytes(b"x")
    (tmp_path / "kemnaker-bkn-2024.toml.bkn.sig").unlink()

    def reading(path):
        if path.name == "a.toml":
            served.extend(book.all())
        return read(path)

    monkeypatch.setattr(directory, "read_bounded", reading)
    assert [s.id for s in book.all()] == ["kemnaker-bkn-2024"]
    book.reload()
    assert served == []
    assert book.all() == []

"""What is read from certificates: whose key, and whether it is for a client alone."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from padan_lab.demo.pki import Authority
from padan_linkage.crypto.certificates import for_clients_alone, spki_pin

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
ANY, MAIL = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, ExtendedKeyUsageOID.EMAIL_PROTECTION
NOW = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)


def certificate(*usages, key=None):
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "siapa saja")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + dt.timedelta(days=1))
    )
    if usages:
        made = made.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=False)
    return made.sign(key, SHA256())


@pytest.mark.parametrize(
    ("usages", "alone"),
    [
        ((CLIENT,), True),
        ((CLIENT, MAIL), True),
        ((CLIENT, SERVER), False),
        ((CLIENT, ANY), False),
        ((ANY,), False),
        ((SERVER,), False),
        ((MAIL,), False),
        ((), False),
    ],
)
def test_a_caller_s_certificate_is_for_clients_and_for_no_server(usages, alone):
    assert for_clients_alone(certificate(*usages)) is alone


def test_a_pin_is_the_key_s_and_outlives_its_certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pin = hashlib.sha256(spki).hexdigest()
    assert spki_pin(certificate(SERVER, key=key)) == spki_pin(certificate(key=key)) == pin
    assert spki_pin(certificate(SERVER)) != pin


def test_the_demonstration_s_certificates_are_distinct_in_name_and_use(tmp_path):
    authority = Authority(tmp_path, NOW)
    made = [authority.issue_client("bkn"), authority.issue_server("bkn-server")]
    client, server = (x509.load_pem_x509_certificate(m.certificate.read_bytes()) for m in made)
    assert client.subject != server.subject
    assert for_clients_alone(client)
    usage = server.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [SERVER]
    for each, pinned in zip((client, server), made, strict=True):
        assert spki_pin(each) == pinned.pin
        assert not each.extensions.get_extension_for_class(x509.BasicConstraints).value.ca

"""Files that people give to a command, or that a home and a server keep: lists, settings, minutes.

Each is laid where its reader looks for it, in a folder of this process, and read from there.
"""

from __future__ import annotations

import atexit
import base64
import csv
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pydantic import ValidationError
from tls_ways import own_files

from padan_client.base.errors import PadanError
from padan_client.base.formats import TableStyle
from padan_client.cli.key_changes import read_change
from padan_client.home.accepted_levels import read_levels
from padan_client.home.agreement_files import certificate_pin, public_keys
from padan_client.home.config import FILE, load_config
from padan_client.home.identity import create_identity, load_identity, save_identity
from padan_client.home.protection.backup import party_of
from padan_client.protocol.direct.part_files import PartFiles
from padan_client.records.files import open_batches, read_table
from padan_client.records.table_files import read_ids, read_result, write_table
from padan_client.rehearse.schema_file import load_schema_file
from padan_client.results import minutes
from padan_client.results.controls import read_controls
from padan_lab.demo.pki import Authority
from padan_linkage.agreement import TomlTextError, load_signed
from padan_linkage.crypto.tls_faults import TlsFileError
from padan_linkage.crypto.tls_files import TlsUse, read_tls
from padan_server.base.config import UnitConfig
from padan_server.base.config import load_config as load_server_config
from parsers.documents import NOW, PUBLIC, agreement, key_changes, signed_levels
from parsers.target import Target


@cache
def folder() -> Path:
    """This process's own, in memory where the system has such a place."""
    memory = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(prefix="padan-", dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _at(name: str, read: Callable[[Path], Any]) -> Callable[[bytes], Any]:
    """The reader of a file called ``name``, as a reader of its bytes."""

    def from_bytes(content: bytes) -> Any:
        path = folder() / name
        path.write_bytes(content)
        path.chmod(0o600)
        return read(path)

    return from_bytes


TABLE = pa.table(
    {
        "nik": ["3174015708800001", "3174011208190007", ""],
        "nama": ['Siti, Nur\n"Aisyah"', "=1+1", "O'Neill; A"],
        "kode": ["aktif", "tidak_ditemukan", "aktif"],
    }
)
_NAMES = ("daftar.csv", "daftar.parquet", "daftar.xlsx")


def _csv(separator: str, *, quoted: bool = False) -> bytes:
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=separator, quoting=quoting)
    writer.writerow(TABLE.column_names)
    writer.writerows(zip(*TABLE.to_pydict().values(), strict=True))
    return out.getvalue().encode()


def _lists() -> list[bytes]:
    plain = _csv(",")
    return [
        plain, b"\xef\xbb\xbfsep=;\r\n" + _csv(";"), _csv("\t", quoted=True), _csv("|"),
        b"DAFTAR PEGAWAI,,\n,,\n" + plain, plain.decode().encode("utf-16"), b"nik\n1\n\n2\n",
    ]  # fmt: skip


def _read_list(path: Path) -> None:
    """Read whole and piece by piece: where both read, the rows are the same."""
    table = read_table(path)
    batches = open_batches(path)
    again = pa.concat_tables([*batches.tables, table.schema.empty_table()])
    assert again.num_rows + len(batches.ragged) + len(batches.empty) == table.num_rows


def _parquet() -> list[bytes]:
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(TABLE, sink)
    return [sink.getvalue().to_pybytes()]


def _workbook() -> list[bytes]:
    path = folder() / _NAMES[2]
    write_table(path, TABLE)
    return [path.read_bytes()]


def _result() -> list[bytes]:
    path = folder() / "hasil.csv"
    write_table(path, TABLE)
    plain = path.read_bytes()
    write_table(path, TABLE, TableStyle(separator=";", bom=True))
    return [plain, path.read_bytes()]


def _read_controls(path: Path) -> None:
    read_controls(agreement()[1].flow("asn-status"), read_table(path))


_SCHEMA = b"""
[[fields]]
name = "nik"
kind = "nik"
column = "NIK"

[[fields]]
name = "nama"
kind = "person_name"
column = ["DEPAN", "BELAKANG"]
values = 1000.0

[[passes]]
id = "nik"
exact = ["nik"]

[match]
min_precision = 0.99
"""
_CLIENT = b"""
party = "bkn"
language = "en"
unit = "localhost:7443"
agreements = "agreements"

[tls]
ca = "tls/ca.pem"

[timeouts]
call = 30.0
"""
_UNIT = b"""
listen = "127.0.0.1:7443"
data_dir = "data"
agreements_dir = "agreements"

[tls]
ca = "ca.pem"
certificate = "unit.pem"
key = "unit.key"

[parties]
bkn = ["abababababababababababababababababababababababababababababababab"]
"""


_SIDES = ("bkn", "kemnaker", "asn-status")


def _read_minutes(path: Path) -> None:
    content = minutes.read(path)
    if (content["provider"], content["requester"], content["flow"]) == _SIDES:
        minutes.page(content, agreement()[1])


@cache
def _minutes() -> bytes:
    content = {
        "format": minutes.FORMAT, "duty": "berita acara", "article": "Pasal 7",
        "agreement": "kemnaker-bkn-2024", "agreement_digest": "ab" * 32, "numbers": ["1/2024"],
        "flow": "asn-status", "purpose": "bantuan", "basis": ["UU 27/2022"], "provider": "bkn",
        "requester": "kemnaker", "mode": "unit", "run": "runs/1", "edition": "", "tables": "",
        "ended": "2026-11-30T00:00:00Z", "rows": 30, "counted": 20, "counts": {"aktif": 20},
        "small": ["pensiun"], "quarantined": 1, "charged": 30, "answers_sha256": "cd" * 32,
        "corrects": {"answers_sha256": "ef" * 32, "editions": ["0123456789abcdef"]},
    }  # fmt: skip
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _public_file() -> bytes:
    key = base64.b64encode(PUBLIC).decode()
    return json.dumps({"party": "bkn", "sign_key": key, "exchange_key": key}).encode()


@cache
def _identity() -> bytes:
    home = folder() / "home"
    home.mkdir(mode=0o700)
    whose = create_identity("bkn", lambda size: bytes(range(size)))
    save_identity(home, whose, passphrase=None, randomness=bytes)
    return (home / "identity.json").read_bytes()


_PART = PartFiles(bytes(32))


@cache
def _parts() -> bytes:
    path = folder() / "bagian"
    _PART.write(path, [b"satu", b"dua"])
    return path.read_bytes()


def _backup() -> list[bytes]:
    head = {"format": "padan backup 1", "party": "bkn", "locked": {"n": 16384, "salt": "AAAA"}}
    return [json.dumps(head).encode() + b"\n" + bytes(64)]


def _read_signed(path: Path) -> None:
    """Whatever is wrong is reported; a defect that was caught is one all the same."""
    assert not [p for p in load_signed(path).problems if p.code == "file-defect"]


@cache
def _certificate() -> bytes:
    """Anybody's, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "unit")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    made = made.public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


#: Between the certificate, the key and the authority of one input.
_NEXT = b"\n=====\n"


@cache
def _own_tls() -> bytes:
    made = folder() / "pki"
    made.mkdir()
    files = own_files(made / "own", Authority(made, datetime.now(UTC)))
    return _NEXT.join(path.read_bytes() for path in (files.certificate, files.key, files.ca))


def _read_tls(content: bytes) -> None:
    paths = [folder() / f"own-{name}.pem" for name in ("certificate", "key", "ca")]
    parts = [*content.split(_NEXT), b"", b"", b""]
    for path, part in zip(paths, parts[:3], strict=True):
        path.write_bytes(part)
    certificate, key, ca = paths
    read_tls(ca, certificate, key, TlsUse.CLIENT, datetime.now(UTC))


FILES = (
    Target(
        "tls-files", _read_tls, lambda: [_own_tls()], (TlsFileError,),
        ("linkage.crypto.tls_files.read_tls", "linkage.crypto.pem.PemFile.read"),
    ),
    Target(
        "list-file", _at(_NAMES[0], _read_list), _lists, (PadanError,),
        (
            "client.records.files.reading.read_table",
            "client.records.files.reading.open_batches",
            "client.records.files.csv_files.check_csv",
            "client.records.files.text.read_head",
        ),
    ),
    Target(
        "parquet-file", _at(_NAMES[1], read_table), _parquet, (PadanError,),
        (
            "client.records.files.parquet_files.read_parquet",
            "client.records.files.parquet_files.open_parquet",
        ),
    ),
    Target(
        "workbook", _at(_NAMES[2], read_table), _workbook, (PadanError,),
        ("client.records.files.workbooks.read_workbook",),
    ),
    Target(
        "result-file", _at("hasil.csv", read_result), _result, (PadanError,),
        ("client.records.table_files.read_result",),
    ),
    Target(
        "ids-file", _at("id.txt", read_ids), lambda: [b"A1\r\n\r\nB2\n"], (PadanError,),
        ("client.records.table_files.read_ids",),
    ),
    Target(
        "controls-file", _at("kontrol.csv", _read_controls), lambda: [b"nik,kode\n1,ASN_AKTIF\n"],
        (PadanError,),
    ),
    Target(
        "schema-file", _at("skema.toml", load_schema_file), lambda: [_SCHEMA], (PadanError,),
        ("client.rehearse.schema_file.load_schema_file",),
    ),
    Target(
        "client-config", _at(FILE, lambda path: load_config(path.parent)), lambda: [_CLIENT],
        (PadanError,), ("client.home.config.load_config",),
    ),
    Target(
        "unit-config", _at("unit.toml", lambda path: load_server_config(path, UnitConfig)),
        lambda: [_UNIT], (TomlTextError, ValidationError), ("server.base.config.load_config",),
    ),
    Target(
        "minutes", _at("berita-acara.json", _read_minutes), lambda: [_minutes()], (PadanError,),
        ("client.results.minutes.read",),
    ),
    Target(
        "public-keys", _at("bkn.json", lambda path: public_keys(path, "bkn")),
        lambda: [_public_file()], (PadanError,),
    ),
    Target(
        "certificate", _at("server.pem", certificate_pin), lambda: [_certificate()], (PadanError,),
    ),
    Target(
        "identity", _at("home/identity.json", lambda path: load_identity(path.parent)),
        lambda: [_identity()], (PadanError,), ("client.home.identity.load_identity",),
    ),
    Target(
        "part-file", _at("bagian", lambda path: _PART.read(path, 1)), lambda: [_parts()],
        (PadanError,), ("client.protocol.direct.part_files.PartFiles.read",),
    ),
    Target(
        "backup", _at("cadangan", party_of), _backup, (PadanError,),
    ),
    Target(
        "levels-file", _at("tingkat.json", read_levels), signed_levels, (PadanError,),
        ("client.home.accepted_levels.read_levels",),
    ),
    Target(
        "change-file", _at("kunci.keys", read_change), key_changes, (PadanError,),
        ("client.cli.key_changes.read_change",),
    ),
    Target(
        "agreement-file", _at("kemnaker-bkn-2024.toml", _read_signed), lambda: [agreement()[0]], (),
        (
            "linkage.agreement.directory.load_signed",
            "linkage.agreement.directory.load_directory",
            "linkage.agreement.directory.read_bounded",
        ),
    ),
)  # fmt: skip

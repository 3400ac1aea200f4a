"""Values of fields, names of resources: text that people and peers write."""

from __future__ import annotations

import pyarrow as pa

from padan_linkage.normalise import derive, normalise
from padan_linkage.normalise.normalised import similar_values, sound_values
from padan_linkage.schema import DERIVATIONS, Kind
from padan_server.admission.ledger import _read, _sum_of
from padan_server.base.errors import Refusal
from padan_server.services import names
from padan_server.services.pages import PageTokens
from parsers.target import Target

_SAID = {
    Kind.NIK: ("3174015708800001", "31.74.01.570880.0001", "317401 570880 000"),
    Kind.KK: ("3174011208190007",),
    Kind.NIP: ("198008172005012003", "131 234 567"),
    Kind.NPWP: ("01.234.567.8-901.000", "3174015708800001"),
    Kind.PERSON_NAME: ("Dr. H. Siti Nur'aini, S.Pd., M.Si.", "ABD. RACHMAN bin Moh. Ali", "Ni Kd"),
    Kind.DATE: ("17-08-1980", "1980-08-17", "17 Agustus 1980", "29521", "17/8/80", "19800817"),
    Kind.PLACE: ("Kab. Batang Hari", "KOTA ADM. JAKARTA PUSAT", "D.I. Yogyakarta"),
    Kind.ADDRESS: ("Jl. Merdeka No. 10 RT 03/RW 004, Kel. Sukun", "GG. MAWAR II/7"),
    Kind.COMPANY_NAME: ("PT. Maju Jaya (Persero), Tbk", "CV SUMBER REJEKI"),
    Kind.PHONE: ("+62 812-3456-7890", "(021) 555 1234 ext 5", "0812.3456.789"),
    Kind.EMAIL: ("siti.nur@contoh.go.id", "A <a@b.id>"),
    Kind.SEX: ("Perempuan", "L", "1"),
    Kind.NATIONALITY: ("WNI", "Indonesia", "MYS"),
    Kind.PASSPORT: ("B 1234567", "X0123456"),
    Kind.CODE: ("A-01/b", "00123"),
    Kind.TEXT: ("Guru Ahli Madya", "naïve – ½"),
}


def _values_of(kind: Kind) -> Target:
    """One kind's column, with every key that is derived of it, however it is read."""

    def read(content: bytes) -> None:
        texts = content.decode("utf-8", "replace").split("\n")
        found = normalise(kind, pa.array([*texts, None], pa.string()))
        assert len(found.values) == len(texts) + 1
        similar_values(found.values), sound_values(found.values)
        for derivation in DERIVATIONS.get(kind, ()):
            assert len(derive(kind, derivation, found.values)) == len(texts) + 1

    seeds = [text.encode() for text in _SAID.get(kind, ("3174015708800001", "A12"))]
    return Target(f"value-{kind.value.replace('_', '-')}", read, lambda: seeds)


def _read_names(content: bytes) -> None:
    """Some reader of names reads it, or all refuse."""
    text = content.decode("latin-1")
    last: Refusal | None = None
    for reader in _READERS:
        try:
            reader("name", text)
        except Refusal as refusal:
            last = refusal
        else:
            return
    assert last is not None
    raise last


_READERS = tuple(getattr(names, name) for name in dir(names) if name.startswith("parse_"))
_FLOW = "agreements/kemnaker-bkn-2024/flows/asn-status"
_ID = "0123456789abcdef0123456789abcdef"
_NAMES = [
    "agreements/kemnaker-bkn-2024", _FLOW, f"{_FLOW}/epochs/3", f"{_FLOW}/datasets/{_ID}",
    f"{_FLOW}/datasets/{_ID}/tables/nik", f"{_FLOW}/runs/{_ID}", f"operations/{_ID}",
    f"{_FLOW}/lines/asn/releases/2", f"{_FLOW}/labelTables/{_ID}", f"{_FLOW}/blindedLists/{_ID}",
    f"{_FLOW}/editions/0123456789abcdef",
]  # fmt: skip
_TOKENS = PageTokens(b"t" * 32)


def _read_token(content: bytes) -> None:
    _TOKENS.read("scope", content.decode("latin-1"))


def _read_line(content: bytes) -> None:
    _read(content)
    _read(content + _sum_of(content))  # as if it had been written so


VALUES = (
    *(_values_of(kind) for kind in Kind),
    Target(
        "resource-name", _read_names, lambda: [n.encode() for n in _NAMES], (Refusal,),
        tuple(f"server.services.names.{reader.__name__}" for reader in _READERS),
    ),
    Target(
        "page-token", _read_token, lambda: [_TOKENS.make("scope", 7).encode()], (Refusal,),
        ("server.services.pages.PageTokens.read",),
    ),
    Target(
        "charged-line", _read_line,
        lambda: [b'["bkn", "CreateRun", "r", "00ff", "runs/1", 1.5]'], (),
        (),
    ),
)  # fmt: skip

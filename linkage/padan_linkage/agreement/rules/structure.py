"""Rules that a program relies on: an agreement that breaks one is not loaded anywhere.

Each rule is a generator over the typed agreement; :data:`STRUCTURE` lists them.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from Crypto.Protocol.DH import import_x25519_public_key

from padan_linkage.agreement.findings import Finding, error
from padan_linkage.agreement.model import (
    MAX_CODES,
    MAX_FLOWS,
    Agreement,
    Flow,
    FlowKind,
    Mode,
    Party,
)
from padan_linkage.crypto import signatures

Rule = Callable[[Agreement], Iterable[Finding]]
_MIN_PARTIES = 2
_KEY_BYTES = 32


def structural_findings(agreement: Agreement) -> list[Finding]:
    """What breaks the rules of this module; empty if the agreement can be run."""
    return [f for rule in STRUCTURE for f in rule(agreement)]


def confirmations(agreement: Agreement) -> Iterator[tuple[str, Flow]]:
    """The confirmation flows, each with its place."""
    return ((f"flow[{f.id}]", f) for f in agreement.flows if f.kind is FlowKind.CONFIRMATION)


def term_order(a: Agreement) -> Iterator[Finding]:
    """The term ends after it starts."""
    if a.in_force_until < a.in_force_from:
        yield error(
            "term-order",
            "in_force_until",
            "Perjanjian berakhir sebelum mulai berlaku; periksa kedua tanggal.",
            "The term ends before it starts; check both dates.",
        )


def parties(a: Agreement) -> Iterator[Finding]:
    """Two parties or more, with ids of their own; duties name parties."""
    ids = [p.id for p in a.parties]
    if len(ids) < _MIN_PARTIES:
        yield error(
            "party-few",
            "party",
            "Perjanjian perlu paling sedikit dua pihak.",
            "An agreement needs at least two parties.",
        )
    for party in repeated(ids):
        yield error(
            "party-duplicate",
            f"party[{party}]",
            "Id pihak ini dipakai dua kali.",
            "This party id is used twice.",
        )
    for i, c in enumerate(a.cadences):
        for party in {*c.by, *c.to} - set(ids):
            yield error(
                "party-unknown",
                f"cadence[{i + 1}]",
                f"{party} bukan pihak perjanjian ini.",
                f"{party} is no party to this agreement.",
            )


def keys(a: Agreement) -> Iterator[Finding]:
    """A key that is filled in is a usable public key, and belongs to one party and one purpose."""
    for p in a.parties:
        for name in ("sign_key", "exchange_key"):
            if fault := key_fault(p, name):
                yield error(
                    "key-malformed",
                    f"party[{p.id}].{name}",
                    f"Kunci tidak dapat dipakai: {fault[0]}. Salin dari `padan keys show`.",
                    f"Unusable key: {fault[1]}. Copy it from `padan keys show`.",
                )
    used = [k for p in a.parties for k in {p.sign_key, p.exchange_key} if k]
    used += [p.sign_key for p in a.parties if p.sign_key and p.sign_key == p.exchange_key]
    for key in repeated(used):
        owners = sorted({p.id for p in a.parties if key in {p.sign_key, p.exchange_key}})
        yield error(
            "key-shared",
            f"party[{owners[-1]}]",
            f"Kunci yang sama dipakai lebih dari sekali ({', '.join(owners)}): satu orang "
            "dapat menandatangani untuk semua.",
            f"The same key is used more than once ({', '.join(owners)}): one person could "
            "sign for all.",
        )


def key_fault(party: Party, name: str) -> tuple[str, str] | None:
    """Why that key of ``party`` is unusable (Indonesian, English); None if fine or empty."""
    text = getattr(party, name)
    if not text:
        return None
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return "bukan base64", "not base64"
    if len(key) != _KEY_BYTES:
        return f"{len(key)} bita, bukan 32", f"{len(key)} bytes, not 32"
    try:
        if name == "sign_key":
            signatures.check_public_key(key)
        else:
            import_x25519_public_key(key)
    except (signatures.SignatureError, ValueError):
        return "bukan titik kurva yang aman", "not a safe point of the curve"
    return None


def pins(a: Agreement) -> Iterator[Finding]:
    """A server's key is one server's: a unit that is a party's would read the lists."""
    owners = {f"party[{p.id}]": set(p.server_pins) for p in a.parties}
    owners["unit"] = set(a.unit_pins)
    for pin in repeated([pin for shown in owners.values() for pin in shown]):
        named = sorted(where for where, shown in owners.items() if pin in shown)
        yield error(
            "pin-shared",
            named[-1],
            f"Kunci server yang sama disebut pada {' dan '.join(named)}: unit pemadanan tidak "
            "boleh server salah satu pihak.",
            f"The same server key is named by {' and '.join(named)}: the linkage unit must not "
            "be a party's server.",
        )


def flows(a: Agreement) -> Iterator[Finding]:
    """There are flows, and not too many; their ids differ."""
    if not a.flows:
        yield error(
            "flow-none",
            "flow",
            "Perjanjian tidak memuat satu alur pun.",
            "The agreement has no flow.",
        )
    if len(a.flows) > MAX_FLOWS:
        yield error(
            "flow-too-many",
            "flow",
            f"Ada {len(a.flows)} alur; satu perjanjian memuat paling banyak {MAX_FLOWS}. Bagi "
            "menjadi beberapa berkas perjanjian.",
            f"There are {len(a.flows)} flows; an agreement has {MAX_FLOWS} at most. Divide them "
            "among several agreement files.",
        )
    for flow in repeated([f.id for f in a.flows]):
        yield error(
            "flow-duplicate",
            f"flow[{flow}]",
            "Id alur ini dipakai dua kali.",
            "This flow id is used twice.",
        )


def sides(a: Agreement) -> Iterator[Finding]:
    """Provider and requester of each flow are two parties of the agreement."""
    ids = {p.id for p in a.parties}
    for f in a.flows:
        named = {f.provider, f.requester, *f.field_authority.values()}
        named |= {r.provider for r in f.references}
        for party in sorted(named - ids):
            yield error(
                "party-unknown",
                f"flow[{f.id}]",
                f"{party} bukan pihak perjanjian ini.",
                f"{party} is no party to this agreement.",
            )
        if f.provider == f.requester:
            yield error(
                "flow-self",
                f"flow[{f.id}]",
                "Penyedia dan peminta adalah pihak yang sama.",
                "Provider and requester are the same party.",
            )


def codes(a: Agreement) -> Iterator[Finding]:
    """The list of codes is closed: no repeats, at most 64, every mapping leads to one of them."""
    for where, f in confirmations(a):
        listed = [c.code for c in f.codes]
        special = [c.code for c in f.written]
        if not listed or f.not_found is None:
            yield error(
                "code-none",
                where,
                "Alur konfirmasi perlu daftar kode dan kode untuk yang tidak ditemukan.",
                "A confirmation flow needs a list of codes and one for the not found.",
            )
        if len(listed) > MAX_CODES:
            yield error(
                "code-too-many",
                where,
                f"Lebih dari {MAX_CODES} kode dalam satu alur.",
                f"More than {MAX_CODES} codes in one flow.",
            )
        for code in repeated(listed + special):
            yield error(
                "code-duplicate",
                f"{where}.code[{code}]",
                "Kode ini ada dua kali.",
                "This code occurs twice.",
            )
        for text in repeated([c.text for c in (*f.codes, *f.written)]):
            yield error(
                "code-wording-duplicate",
                f"{where}.code",
                f"Dua kode berbunyi sama: «{text}».",
                f"Two codes read alike: «{text}».",
            )
        for column, given in f.registry_codes.items():
            for code in sorted(set(given) - set(listed)):
                yield error(
                    "registry-code-unknown",
                    f"{where}.registry.{column}",
                    f"Kolom dipetakan ke {code}, yang tidak ada dalam daftar kode.",
                    f"The column maps to {code}, which is not in the list of codes.",
                )


def prevailing(a: Agreement) -> Iterator[Finding]:
    """Codes that prevail among copies are codes of the flow, each once, and can differ at all."""
    for where, f in confirmations(a):
        named = f.copies.prevails if f.copies else ()
        for code in sorted(set(named) - {c.code for c in f.codes}):
            yield error(
                "prevails-unknown",
                f"{where}.copies",
                f"{code} tidak ada dalam daftar kode.",
                f"{code} is not in the list of codes.",
            )
        for code in repeated(named):
            yield error(
                "prevails-duplicate",
                f"{where}.copies",
                f"{code} disebut dua kali.",
                f"{code} is named twice.",
            )
        if named and f.several:
            yield error(
                "prevails-idle",
                f"{where}.copies",
                "Dengan several = true kode salinan digabung; tidak ada yang mengalahkan.",
                "With several = true the codes of copies are joined; none prevails.",
            )


def runnable(a: Agreement) -> Iterator[Finding]:
    """A confirmation flow says how it is run, how much may be asked, and how long data stay."""
    for where, f in confirmations(a):
        if not f.modes:
            yield error(
                "mode-none",
                f"{where}.modes",
                "Alur tidak mengizinkan satu mode pun.",
                "The flow allows no mode.",
            )
        if Mode.UNIT in f.modes and f.schema is None:
            yield error(
                "schema-missing",
                f"{where}.schema",
                "Mode unit perlu skema pemadanan (ruas dan jalur).",
                "Unit mode needs a linkage schema (fields and passes).",
            )
        if f.quota is None:
            yield error(
                "quota-missing",
                f"{where}.quota",
                "Alur tanpa kuota: siapa pun dapat menanyakan seluruh penduduk.",
                "A flow without quota: the whole population could be asked for.",
            )
        if f.retention_days is None:
            yield error(
                "retention-missing",
                f"{where}.retention_days",
                "Masa simpan tidak ditetapkan, jadi data tidak pernah dimusnahkan.",
                "No retention is set, so data would never be destroyed.",
            )


def confirmed_fields(a: Agreement) -> Iterator[Finding]:
    """Confirmed fields, their authorities and the passes' tags speak of the same fields."""
    for where, f in confirmations(a):
        known = {x.name for x in f.schema.fields} if f.schema else set(f.confirm)
        for name in sorted({*f.confirm, *f.field_authority} - known):
            yield error(
                "field-unknown",
                f"{where}.confirm",
                f"Ruas {name} tidak dimiliki kedua pihak.",
                f"Neither side has a field {name}.",
            )
        for name in repeated(f.confirm):
            yield error(
                "confirm-duplicate",
                f"{where}.confirm",
                f"Ruas {name} disebut dua kali.",
                f"The field {name} is named twice.",
            )
        tagged = {n for p in f.schema.passes for n in p.confirm} if f.schema else set()
        for name in sorted(tagged - set(f.confirm)):
            yield error(
                "confirm-undeclared",
                f"{where}.schema",
                f"Jalur mengonfirmasi ruas {name}, tetapi alur tidak menyebutnya.",
                f"A pass confirms the field {name}, but the flow does not name it.",
            )


def repeated(values: Iterable[str]) -> list[str]:
    """What occurs more than once, sorted."""
    return sorted(v for v, n in Counter(values).items() if n > 1)


STRUCTURE: tuple[Rule, ...] = (
    term_order,
    parties,
    keys,
    pins,
    flows,
    sides,
    codes,
    prevailing,
    runnable,
    confirmed_fields,
)

"""Minutes of a matching or handover: what was asked and answered, when, under which article.

A JSON document in one form and a page to print, made by the requester at the end of a confirmation
and signed by both sides, each in a file of its own beside it. They name counts, dates and digests,
no record. The digest of the answers is salted, for a short list could be guessed from a bare one;
whoever made them keeps the salt. Spec 80.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, NonNegativeInt
from pydantic_core import from_json

from padan.v1.reason_texts import ServerKind
from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.files import require_name, write_private, write_public
from padan_client.base.language import t
from padan_client.base.numbers import indonesian
from padan_client.base.place import FlowPlace
from padan_client.base.version import software
from padan_client.home.folder import Home
from padan_client.home.protection.home_format import made_by_newer
from padan_client.results.shared_counts import SharedCounts
from padan_client.results.table import ConfirmResult
from padan_linkage.agreement import Agreement, Flow, parse_signature, read_bounded, signature_text
from padan_linkage.agreement.model import CadenceKind
from padan_linkage.crypto import signatures
from padan_linkage.crypto.heads import chain_name
from padan_linkage.crypto.software import FormatAge, format_age
from padan_linkage.direct.manifest import format_moment

FORMAT = "padan/v1 minutes"
_STATEMENT = b"padan/v1 minutes\x00"
SALT_BYTES = 32
#: Longer ones are no minutes.
MAX_BYTES = 1 << 20


class _Corrects(BaseModel):
    """What a correction says of the answers before."""

    answers_sha256: str
    editions: list[str]


class _Content(BaseModel):
    """What every minutes say, whoever made them; later ones may say more. Spec 80, "Document"."""

    model_config = ConfigDict(strict=True, extra="allow")
    duty: str
    article: str
    agreement: str
    agreement_digest: str
    numbers: list[str]
    flow: str
    purpose: str
    basis: list[str]
    provider: str
    requester: str
    mode: str
    run: str | None
    edition: str | None = None
    tables: str | None = None
    ended: str
    rows: NonNegativeInt
    counted: NonNegativeInt
    counts: dict[str, NonNegativeInt]
    small: list[str]
    quarantined: NonNegativeInt | None
    charged: NonNegativeInt = 0
    answers_sha256: str
    corrects: _Corrects | None = None


@dataclass(frozen=True)
class Signed:
    """Minutes and who has signed them."""

    content: Mapping[str, Any]
    signed_by: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Corrected:
    """What a confirmation corrects: the file of an earlier result, and its editions.

    How many answers changed stays at home: the difference of two results is a small count.
    """

    answers: bytes
    editions: tuple[str, ...]

    def as_json(self, salt: bytes) -> dict[str, object]:
        """For the minutes; the digest is salted as theirs is."""
        # Spec 80, "Answers that changed", step 6.
        return {
            "answers_sha256": _salted(salt, self.answers),
            "editions": list(self.editions),
        }


def document(
    place: FlowPlace,
    result: ConfirmResult,
    told: SharedCounts,
    mode: str,
    answers: bytes,
    salt: bytes,
    now: datetime,
    corrected: Corrected | None = None,
    servers: Mapping[str, object] | None = None,
) -> bytes:
    """The minutes of one confirmation; ``answers`` are the bytes of its file of codes.

    ``servers``: what :func:`server_pasts` says of those that were asked.

    ``told``: the counts that the other side may read, and all that it may (spec 80, "Counts",
    step 4).
    """
    agreement, flow = place.agreement, place.flow
    # Spec 80, step 1.
    text, article = _duty(agreement, flow)
    content = {
        "format": FORMAT,
        "duty": text,
        "article": article,
        "agreement": agreement.id,
        "agreement_digest": place.digest.hex(),
        "numbers": list(agreement.numbers),
        "flow": flow.id,
        "purpose": flow.purpose,
        "basis": list(flow.basis),
        "provider": flow.provider,
        "requester": flow.requester,
        "mode": mode,
        "run": result.run,
        "edition": result.edition,
        "tables": result.tables,
        "ended": format_moment(now),
        "rows": result.table.num_rows,
        "counted": told.counted,
        "counts": dict(told.counts),
        "small": list(told.small),
        "quarantined": told.quarantined,
        "charged": result.charged,
        "answers_sha256": _salted(salt, answers),
        "software": software(),
        "servers": dict(servers or {}),
        **({"corrects": corrected.as_json(salt)} if corrected else {}),
    }
    return _canonical(content)


def server_pasts(home: Home, place: FlowPlace, mode: str) -> dict[str, object]:
    """The software of the servers of a mode, and the heads by which the other side compares them.

    They are those that this home has just seen (spec 30, "Heads").
    """
    # Spec 80, step 1.
    asked = {"unit": (ServerKind.UNIT,), "direct": (ServerKind.PROVIDER,)}.get(mode, ServerKind)
    names = (chain_name(place.agreement.id), chain_name(place.agreement.id, place.flow.id))
    known = home.known_heads(place.agreement.id, place.flow.id)
    told: dict[str, object] = {}
    for server in asked:
        past = known.of(server)
        heads = {name: past.heads[name].written for name in names if name in past.heads}
        if heads:
            told[server.value] = {"software": past.software, "heads": heads}
    return told


def files(path: Path, party: str) -> tuple[Path, ...]:
    """What minutes at ``path`` consist of: the minutes, the page, the salt, the signature."""
    require_name(path)
    return path, _page_path(path), _salt_path(path), _signature_path(path, party)


def write(home: Home, path: Path, made: bytes, place: FlowPlace, salt: bytes) -> None:
    """Write the minutes, the page to print, the salt, and this agency's signature."""
    write_public(path, made)
    write_public(_page_path(path), page(from_json(made), place.agreement).encode())
    write_private(_salt_path(path), salt.hex().encode() + b"\n")
    sign(home, path)


def sign(home: Home, path: Path) -> Path:
    """Sign minutes as this agency, which must be a side of the flow; returns the signature file."""
    content = read(path)
    place = home.place(str(content["agreement"]), str(content["flow"]))
    _require_same_agreement(content, place)
    # Spec 80, step 2.
    signature = home.identity.holding(place.own_keys).sign(_STATEMENT + path.read_bytes())
    target = _signature_path(path, place.party)
    write_public(target, signature_text(signature).encode())
    return target


def verify(home: Home, path: Path) -> Signed:
    """Check every signature beside the minutes with the agreement's keys.

    Raises VerificationError for a wrong one, or minutes of another agreement.
    """
    content = read(path)
    place = home.place(str(content["agreement"]), str(content["flow"]))
    _require_same_agreement(content, place)
    sides = (place.flow.provider, place.flow.requester)
    signed = tuple(p for p in sides if _signature_path(path, p).exists())
    for party in signed:
        statement = _STATEMENT + path.read_bytes()
        try:
            signature = parse_signature(_signature_path(path, party).read_text())
            key = place.agreement.signer_of(party, statement, signature)
            # Spec 80, step 3.
            signatures.verify(key, statement, signature)
        except (ValueError, signatures.SignatureError):
            raise VerificationError(
                t(
                    f"Tanda tangan {party} pada {path.name} tidak cocok: berita acara berubah, "
                    "atau kuncinya lain.",
                    f"The signature of {party} on {path.name} does not verify: the minutes "
                    "changed, or the key is another.",
                )
            ) from None
    return Signed(content, signed, tuple(p for p in sides if p not in signed))


def read(path: Path) -> dict[str, Any]:
    """The content of minutes. Raises BadInputError if the file is none."""
    try:
        raw = read_bounded(path)
        content = _content(path, raw) if len(raw) <= MAX_BYTES else None
    except (OSError, ValueError):
        content = None
    if content is None:
        raise BadInputError(t(f"{path} bukan berita acara.", f"{path} is no minutes."))
    return content


def _content(path: Path, raw: bytes) -> dict[str, Any] | None:
    """What minutes say; None, or ValueError, for anything else."""
    content = from_json(raw)
    if not isinstance(content, dict):
        return None
    age = format_age(content.get("format"), FORMAT)
    if age is FormatAge.LATER:
        raise made_by_newer(path)
    if age is FormatAge.FORMER:
        return None
    _Content.model_validate(content)
    return content if _canonical(content) == raw else None


def page(content: Mapping[str, Any], agreement: Agreement) -> str:
    """The minutes as a page to print and sign by hand, in Indonesian."""
    sides = {role: agreement.party(str(content[role])) for role in ("provider", "requester")}
    flow = agreement.flow(str(content["flow"]))
    wording = {c.code: c.text for c in (*flow.codes, *flow.written)}
    lines = [
        "BERITA ACARA",
        str(content["duty"]),
        "",
        f"Perjanjian   : {agreement.title}",
        f"Nomor        : {'; '.join(agreement.numbers) or agreement.numbers_note or '-'}",
        f"Dasar        : {content['article']}; {', '.join(content['basis'])}",
        f"Penyedia     : {sides['provider'].name}",
        f"Peminta      : {sides['requester'].name}",
        f"Keperluan    : {content['purpose']}",
        f"Selesai      : {content['ended']} (UTC), nomor {content['run'] or '-'}",
        f"Edisi        : {content.get('edition') or '-'}",
        f"Sidik tabel  : {content.get('tables') or '-'}",
        "",
        *_count_lines(content, wording, flow.minimum_counted),
        f"  {'Seluruhnya':<58}{indonesian(content['rows']):>12}",
        f"  {'Baris dengan catatan karantina':<58}{_told(content['quarantined']):>12}",
        f"  {'Kuota terpakai, dengan samaran':<58}{indonesian(content.get('charged', 0)):>12}",
        "",
        *_corrected_lines(content.get("corrects")),
        *_server_lines(content),
        f"SHA-256 perjanjian        {content['agreement_digest']}",
        f"SHA-256 jawaban (bergaram) {content['answers_sha256']}",
        f"SHA-256 berita acara      {hashlib.sha256(_canonical(dict(content))).hexdigest()}",
        "",
        *(f"{side.called}, {side.represented_by}\n\n\n(...............................)\n"
          for side in sides.values()),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _count_lines(content: Mapping[str, Any], wording: Mapping[str, str], least: int) -> list[str]:
    """The counts, and what they leave out, for the page."""
    if not content["counted"]:
        return [
            f"  Jawaban tidak dirinci: kurang dari {indonesian(least)} baris yang belum dihitung."
        ]

    def said(code: str) -> str:
        return wording.get(code, code.replace("_", " "))

    counts = [f"  {said(c):<58}{indonesian(rows):>12}" for c, rows in content["counts"].items()]
    small = "; ".join(map(said, content["small"]))
    return [
        f"  {'Jawaban':<58}{'Baris':>12}",
        *counts,
        *([f"  Tidak dirinci karena sedikit: {small}."] if small else []),
        f"  {'Dihitung di sini, masing-masing sekali':<58}{indonesian(content['counted']):>12}",
    ]


def _told(rows: int | None) -> str:
    return "-" if rows is None else indonesian(rows)


def _corrected_lines(corrects: Mapping[str, Any] | None) -> list[str]:
    """What a correction corrects, for the page."""
    if corrects is None:
        return []
    return [
        "KOREKSI",
        f"Edisi dahulu : {', '.join(corrects['editions']) or '-'}",
        f"SHA-256 jawaban dahulu (bergaram) {corrects['answers_sha256']}",
    ]


def _server_lines(content: Mapping[str, Any]) -> list[str]:
    """Which software worked, and how far each server had come, for both sides to compare."""
    lines = [f"Padan peminta             {content.get('software') or '-'}"]
    for server, told in (content.get("servers") or {}).items():
        lines.append(f"Padan {server:<20}{told['software']}")
        lines += [f"Kepala {name}: {head}" for name, head in told["heads"].items()]
    return lines


def _salted(salt: bytes, answers: bytes) -> str:
    return hashlib.sha256(salt + answers).hexdigest()


def _duty(agreement: Agreement, flow: Flow) -> tuple[str, str]:
    """What the agreement calls these minutes, and by which article."""
    duties = [c for c in agreement.cadences if c.kind is CadenceKind.MINUTES]
    if duties:
        return duties[0].text, duties[0].article
    return "berita acara hasil pemadanan", agreement.article_of(flow)


def _require_same_agreement(content: Mapping[str, Any], place: FlowPlace) -> None:
    if content.get("agreement_digest") != place.digest.hex():
        raise VerificationError(
            t(
                "Berita acara itu menurut naskah perjanjian lain dari yang ada di sini.",
                "These minutes are under another wording of the agreement than the one here.",
            )
        )


def _canonical(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")


def _page_path(path: Path) -> Path:
    return path.with_suffix(".txt")


def _salt_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.salt")


def _signature_path(path: Path, party: str) -> Path:
    return path.with_name(f"{path.name}.{party}.sig")

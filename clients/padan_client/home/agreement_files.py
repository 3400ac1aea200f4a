"""Agreement files on an agency's disk: reading, filling in public keys, signing, verifying.

What the files must be is :mod:`padan_linkage.agreement`'s business; here its findings become the
errors of the client, in the user's language.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cryptography import x509
from pydantic_core import from_json

from padan_client.base.errors import BadInputError, PadanError, VerificationError
from padan_client.base.files import write_public
from padan_client.base.language import system_reason, t
from padan_client.home.identity import Identity
from padan_linkage.agreement import (
    EXAMPLE_IDS,
    Agreement,
    AgreementError,
    Finding,
    Severity,
    SignedAgreement,
    example,
    fill_keys,
    fill_pins,
    lint,
    load_agreement,
    load_signed,
    read_bounded,
    signature_name,
    signature_statement,
    signature_text,
    with_successors,
)
from padan_linkage.crypto.certificates import UNREADABLE, spki_pin

#: Findings that are told at once.
_MOST_LINES = 100


def read_document(path: Path) -> bytes:
    """The exact bytes of an agreement file. Raises BadInputError if it cannot be read."""
    try:
        return read_bounded(path)
    except OSError as e:
        raise BadInputError(
            t(
                f"Berkas perjanjian {path} tidak terbaca ({system_reason(e)}).",
                f"Cannot read the agreement file {path} ({system_reason(e)}).",
            )
        ) from None


def parsed(document: bytes) -> Agreement:
    """The agreement in ``document``; raises BadInputError with every reason."""
    try:
        return load_agreement(document)
    except AgreementError as e:
        raise BadInputError(finding_lines(e.findings)) from None


def template(source: str) -> bytes:
    """The document to start from: one of the examples by id, or a file by path."""
    if source in EXAMPLE_IDS:
        return example(source)
    if not Path(source).exists():
        known = ", ".join(EXAMPLE_IDS)
        raise BadInputError(
            t(
                f"{source} bukan contoh perjanjian maupun berkas. Contoh yang ada: {known}.",
                f"{source} is neither an example nor a file. Examples: {known}.",
            )
        )
    return read_document(Path(source))


def new_document(source: str, public_files: Mapping[str, Path]) -> bytes:
    """The template with the public keys of ``public_files`` (party id → JSON file) written in."""
    document = template(source)
    agreement = parsed(document)
    parties = {p.id for p in agreement.parties}
    for party in sorted(set(public_files) - parties):
        raise BadInputError(
            t(
                f"{party} bukan pihak perjanjian ini; pihaknya {', '.join(sorted(parties))}.",
                f"{party} is no party to this agreement; it has {', '.join(sorted(parties))}.",
            )
        )
    keys = {party: public_keys(path, party) for party, path in public_files.items()}
    try:
        return fill_keys(document, keys)
    except AgreementError as e:
        raise BadInputError(finding_lines(e.findings)) from None


def with_server_pins(
    document: bytes, unit: Sequence[Path], servers: Sequence[tuple[str, Path]]
) -> bytes:
    """The document with the pins of certificates (PEM files) written in: unit's, and parties'.

    Raises BadInputError where a file is no certificate, or the document has no place for the pin.
    """
    pins: dict[str, list[str]] = {}
    for party, path in servers:
        pins.setdefault(party, []).append(certificate_pin(path))
    try:
        return fill_pins(document, [certificate_pin(path) for path in unit], pins)
    except AgreementError as e:
        raise BadInputError(finding_lines(e.findings)) from None


def certificate_pin(path: Path) -> str:
    """The pin of the (first) certificate in a PEM file. Raises BadInputError if there is none."""
    try:
        return spki_pin(x509.load_pem_x509_certificate(read_bounded(path)))
    except OSError as e:
        reason = t(f"tidak terbaca ({system_reason(e)})", f"cannot be read ({system_reason(e)})")
        raise BadInputError(f"{path}: {reason}.") from None
    except UNREADABLE:
        raise BadInputError(
            t(
                f"{path} bukan sertifikat PEM; minta sertifikat server itu (bukan kuncinya) dari "
                "operatornya.",
                f"{path} is no PEM certificate; ask the server's operator for its certificate "
                "(not its key).",
            )
        ) from None


def unknown_servers(agreement: Agreement) -> list[str]:
    """Servers that the agreement uses and does not name the key of: ``unit``, party ids."""
    unit = ["unit"] if agreement.needs_unit and not agreement.unit_pins else []
    asked = agreement.direct_providers
    return unit + [p.id for p in agreement.parties if p.id in asked and not p.server_pins]


def public_keys(path: Path, party: str) -> tuple[bytes, bytes]:
    """Signing and exchange key of ``party`` from the file that ``padan keys init`` writes.

    Raises BadInputError if it is not such a file, or another party's.
    """
    try:
        content = from_json(read_bounded(path))
        owner = content["party"]
        keys = tuple(base64.b64decode(content[k], validate=True) for k in _KEY_NAMES)
    except OSError as e:
        reason = t(f"tidak terbaca ({system_reason(e)})", f"cannot be read ({system_reason(e)})")
        raise BadInputError(f"{path}: {reason}.") from None
    except (ValueError, KeyError, TypeError):
        raise BadInputError(
            t(
                f"{path} bukan berkas kunci publik; minta keluaran `padan keys show --json`.",
                f"{path} is no public key file; ask for the output of `padan keys show --json`.",
            )
        ) from None
    if owner != party:
        raise BadInputError(
            t(
                f"{path} berisi kunci pihak {owner}, bukan {party}.",
                f"{path} has the keys of {owner}, not of {party}.",
            )
        )
    sign_key, exchange_key = keys
    return sign_key, exchange_key


def sign_file(path: Path, identity: Identity) -> Path:
    """Sign the file's exact bytes as ``identity`` and write the signature beside it.

    Raises BadInputError if lint finds an error, the file is named otherwise than its agreement, or
    the identity is not the party's in the agreement. Returns the signature's path.
    """
    document = read_document(path)
    errors = [f for f in lint(document) if f.severity is Severity.ERROR]
    if errors:
        raise BadInputError(
            t("Belum layak ditandatangani:\n", "Not fit for signing yet:\n") + finding_lines(errors)
        )
    agreement = parsed(document)
    _require_name(path, agreement)
    _require_party(agreement, identity)
    target = path.with_name(signature_name(agreement.id, identity.party))
    signature = identity.sign(signature_statement(document))
    write_public(target, signature_text(signature).encode("ascii"))
    return target


def verified(path: Path) -> SignedAgreement:
    """The agreement in ``path``, signed by every party over its exact bytes.

    Raises BadInputError if the document itself is wrong, VerificationError if a signature is.
    """
    parsed(read_document(path))
    signed = load_signed(path)
    if signed.agreement is None:
        raise VerificationError(finding_lines(signed.problems))
    return signed


def located(name: Path, folder: Path) -> Path:
    """The file or folder of that name, or the agreement in ``folder`` that has it for its id.

    Raises BadInputError for a plain name that is neither; what else is missing is told by whoever
    reads it.
    """
    if name.exists() or name.suffix or len(name.parts) != 1:
        return name
    if (of_id := folder / f"{name}.toml").is_file():
        return of_id
    raise BadInputError(
        t(
            f"Tidak ada berkas {name}, dan tidak ada perjanjian dengan id itu di {folder}.",
            f"There is no file {name}, and no agreement of that id in {folder}.",
        )
    )


def collect(paths: Sequence[Path]) -> list[SignedAgreement]:
    """The agreement files among ``paths`` and in the folders among them, with their successors.

    Raises BadInputError if a path does not exist.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(path.glob("*.toml"))
        elif path.is_file():
            files.append(path)
        else:
            raise BadInputError(t(f"{path} tidak ada.", f"There is no {path}."))
    return with_successors([load_signed(f) for f in files])


def finding_lines(findings: Iterable[Finding]) -> str:
    """One line a finding, in the user's language; the first hundred where there are more."""
    lines = [f"{f.where}: {t(f.id_text, f.en_text)} [{f.code}]" for f in findings]
    more = len(lines) - _MOST_LINES
    cut = [t(f"… dan {more} lagi.", f"… and {more} more.")] if more > 0 else []
    return "\n".join([*lines[:_MOST_LINES], *cut])


_KEY_NAMES = ("sign_key", "exchange_key")


def _require_name(path: Path, agreement: Agreement) -> None:
    if path.name != f"{agreement.id}.toml":
        raise BadInputError(
            t(
                f"Namai berkasnya {agreement.id}.toml, sama dengan id perjanjian.",
                f"Call the file {agreement.id}.toml, like the agreement's id.",
            )
        )


def _require_party(agreement: Agreement, identity: Identity) -> None:
    error: PadanError | None = None
    named = next((p for p in agreement.parties if p.id == identity.party), None)
    if named is None:
        error = BadInputError(
            t(
                f"{identity.party} bukan pihak perjanjian {agreement.id}.",
                f"{identity.party} is no party to agreement {agreement.id}.",
            )
        )
    elif named.sign_key_bytes != identity.public.sign_key:
        error = BadInputError(
            t(
                f"Kunci {identity.party} pada perjanjian bukan kunci di folder ini. Perbarui "
                "berkasnya sebelum siapa pun menandatangani.",
                f"The agreement's key of {identity.party} is not the one in this folder. Mend the "
                "file before anybody signs.",
            )
        )
    if error:
        raise error

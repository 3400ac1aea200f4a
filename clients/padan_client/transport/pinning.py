"""Who a server is: the key that the signed agreement names, and no name in a certificate.

Spec 30, "Who the unit is".
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from padan.v1.reason_texts import ServerKind
from padan_client.base.errors import VerificationError
from padan_client.base.language import t
from padan_client.base.reasons import about
from padan_client.home.config import ClientConfig
from padan_client.home.folder import Home
from padan_client.transport.connecting import Called
from padan_client.transport.faults import way_without
from padan_linkage.agreement import Agreement, SignedAgreement, load_directory
from padan_linkage.crypto.certificates import spki_pin

#: Why a server is not spoken to that shows another key than the agreed one.
SERVER_PIN = "SERVER_PIN"
_SETTINGS = {ServerKind.UNIT: "tls.unit_pins", ServerKind.PROVIDER: "tls.provider_pins"}
_FILLED_BY = {ServerKind.UNIT: "--unit", ServerKind.PROVIDER: "--server"}


@dataclass(frozen=True)
class Pinned:
    """The keys that a server may show, as :func:`spki_pin` writes them, and who names them."""

    pins: frozenset[str]
    named_by: str


#: What each kind of server may show; asked when a connection is made. May raise PadanError.
PinsOf = Callable[[ServerKind], Pinned]


def agreed_pins(home: Home, agreement_id: str, flow_id: str = "") -> PinsOf:
    """The pins of a signed agreement; without a ``flow_id`` only those of its unit.

    Where the agreement names none, those of ``client.toml``. They raise what
    :meth:`Home.signed_agreement` raises.
    """

    def pins(server: ServerKind) -> Pinned:
        agreement = home.signed_agreement(agreement_id).agreement
        assert agreement is not None
        named = _named(agreement, flow_id, server)
        return _pinned(home.config, server, named, f"{agreement_id}.toml")

    return pins


def every_agreements_pins(config: ClientConfig, folder: Path) -> PinsOf:
    """The pins of any unit that a signed agreement in the folder names: for calls about all."""

    def pins(server: ServerKind) -> Pinned:
        signed = _signed(folder / config.agreements)
        named = {pin for s in signed if s.agreement for pin in _named(s.agreement, "", server)}
        return _pinned(config, server, named, str(config.agreements))

    return pins


def require_agreed(called: Called, seen: x509.Certificate, agreed: Pinned) -> None:
    """Raise VerificationError, naming what was seen and what is agreed, unless they agree."""
    pin, address = spki_pin(seen), called.address
    # Spec 30, "Who the unit is", step 2.
    if pin in agreed.pins:
        return
    named = ", ".join(sorted(agreed.pins))
    through = "" if called.proxy is None else " " + way_without(called.proxy)
    raise VerificationError(
        about(
            called.server,
            f"Yang menjawab di {address} bukan {{server}}: kuncinya {pin}, sedangkan "
            f"{agreed.named_by} menyebut {named}. Tidak ada yang dikirim ke sana. Periksa "
            "alamatnya dan jaringan; bila kuncinya memang diganti, tetapkan yang baru bersama "
            "(spesifikasi 30, «Who the unit is»).",
            f"What answers at {address} is not {{server}}: its key is {pin}, and {agreed.named_by} "
            f"names {named}. Nothing was sent there. Check the address and the network; if the key "
            "was changed on purpose, agree on the new one together (spec 30, «Who the unit is»).",
        )
        + through
        + f" [{SERVER_PIN}]",
        SERVER_PIN,
    )


def _named(agreement: Agreement, flow_id: str, server: ServerKind) -> Collection[str]:
    if server is ServerKind.UNIT:
        return agreement.unit_pins
    provider = next((f.provider for f in agreement.flows if f.id == flow_id), None)
    return agreement.party(provider).server_pins if provider else ()


def _pinned(
    config: ClientConfig, server: ServerKind, named: Collection[str], source: str
) -> Pinned:
    if named:
        return Pinned(frozenset(named), source)
    own = config.tls.unit_pins if server is ServerKind.UNIT else config.tls.provider_pins
    if own:
        return Pinned(frozenset(own), f"{_SETTINGS[server]} (client.toml)")
    option = _FILLED_BY[server]
    # Spec 30, "Who the unit is", step 1.
    raise VerificationError(
        about(
            server,
            f"{source} tidak menyebut kunci {{server}}, jadi siapa pun dengan sertifikat yang sah "
            "dapat menggantikannya; tidak ada yang dikirim. Isi dan tandatangani perjanjiannya "
            f"(`padan agreement new {option}`), atau untuk uji coba {_SETTINGS[server]} pada "
            "client.toml.",
            f"{source} does not name the key of {{server}}, so anybody with a valid certificate "
            "could stand in for it; nothing was sent. Fill it in and sign the agreement (`padan "
            f"agreement new {option}`), or for a trial set {_SETTINGS[server]} in client.toml.",
        )
    )


def _signed(folder: Path) -> list[SignedAgreement]:
    try:
        return load_directory(folder)
    except OSError as error:
        raise VerificationError(
            t(
                f"Folder perjanjian {folder} tidak dapat dibaca ({error.strerror}).",
                f"The agreements folder {folder} cannot be read ({error.strerror}).",
            )
        ) from None

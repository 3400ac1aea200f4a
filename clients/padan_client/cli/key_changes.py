"""``padan keys renew``, ``padan agreement replace-keys`` and ``co-sign-keys``: new keys of a party.

The old key signs the new one where it is at hand (:func:`renewal`); where it is lost, every other
party and the new key do (:func:`replacement`). Spec 40, "Key changes".
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from padan_client.base.errors import BadInputError
from padan_client.base.files import write_public
from padan_client.base.language import system_reason, t
from padan_client.cli.asking import agree
from padan_client.cli.common import out, print_json, reports_errors
from padan_client.cli.home import ask_passphrase, open_home
from padan_client.cli.options import HOME, HomeOption, JsonFlag, YesFlag
from padan_client.home.agreement_files import public_keys
from padan_client.home.folder import Home
from padan_client.home.identity import (
    Identity,
    PublicIdentity,
    is_encrypted,
    renewed,
    replace_identity,
    write_public_half,
)
from padan_linkage.agreement import (
    NEW,
    OLD,
    Agreement,
    AgreementError,
    KeyChange,
    PublicKeys,
    SignedAgreement,
    SignedKeyChange,
    unit_flows,
)


def register(agreement: typer.Typer) -> None:
    """Add the commands of agreements; ``padan keys`` has its own."""
    agreement.command("replace-keys")(replace_keys)
    agreement.command("co-sign-keys")(co_sign_keys)


def renew(home: Path, *, yes: bool, json_: bool) -> None:
    """Change this agency's keys within its agreements."""
    passphrase = ask_passphrase() if is_encrypted(home) else None
    opened = Home.open(home, passphrase=passphrase)
    held = _held(opened)
    agree(
        t(
            f"Kunci {opened.identity.party} akan diganti dalam {len(held)} perjanjian; yang lama "
            "tetap disimpan untuk membuka data lama.",
            f"The keys of {opened.identity.party} will change in {len(held)} agreements; the old "
            "ones stay, to open old data.",
        ),
        given=yes,
        option="--yes",
    )
    new = opened.identity
    if _is_unfinished(opened, held):
        write_public_half(home, new)
    else:
        new = renewed(opened.identity, os.urandom)
        replace_identity(home, new, passphrase=passphrase, randomness=os.urandom)
    opened = Home.open(home, passphrase=passphrase)
    folder, now = home / opened.config.agreements, datetime.now(UTC)
    made = [
        write_change(folder, signed.id, renewal(opened, signed, new, now))
        for signed in held
        if _loaded(signed).party(new.party).keys != _text(new.public)
    ]
    _tell([str(path) for path in made], new, json_=json_)


@reports_errors
def replace_keys(
    agreement: Annotated[str, typer.Argument(help="Id perjanjian. / Agreement id.")],
    keys: Annotated[
        Path, typer.Option("--keys", help="BERKAS .public.json yang baru. / The new .public.json.")
    ],
    party: Annotated[str, typer.Option("--party", help="Pihak lain itu. / The other party.")],
    *,
    target: Annotated[
        Path, typer.Option("--out", help="Folder untuk berkasnya. / Folder of the file.")
    ] = Path(),
    yes: YesFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Cabut kunci pihak lain yang hilang atau bocor. / Revoke another party's lost keys."""
    opened = open_home(home)
    signed = opened.signed_agreement(agreement)
    new = PublicIdentity(party, *public_keys(keys, party))
    prints = ", ".join(new.fingerprints().values())
    agree(
        t(
            f"Kunci {party} yang sekarang dicabut dan diganti ({prints}). Pastikan sidik jari itu "
            "lewat telepon, bukan dari surat yang membawa berkasnya.",
            f"The present keys of {party} are revoked and replaced ({prints}). Check these "
            "fingerprints by telephone, not by the letter that brought the file.",
        ),
        given=yes,
        option="--yes",
    )
    first = _first_epochs_at_unit(opened, signed, party)
    change = replacement(opened, signed, new, first, datetime.now(UTC))
    _show(write_change(target, signed.id, change), change, signed, json_=json_)


@reports_errors
def co_sign_keys(
    file: Annotated[Path, typer.Argument(help="Berkas .keys. / The .keys file.")],
    agreement: Annotated[str, typer.Argument(help="Id perjanjian. / Agreement id.")],
    *,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Tanda tangani pergantian kunci. / Sign a change of keys."""
    opened = open_home(home)
    signed = opened.signed_agreement(agreement)
    change = co_signed(read_change(file), opened.identity, _loaded(signed))
    write_public(file, change.text())
    _show(file, change, signed, json_=json_)


def _held(home: Home) -> list[SignedAgreement]:
    """The signed agreements that this agency is a party to."""
    own = home.identity.party
    return [
        s for s in home.agreements() if s.agreement and own in {p.id for p in s.agreement.parties}
    ]


def _is_unfinished(home: Home, held: list[SignedAgreement]) -> bool:
    """Whether the present keys stand in no agreement: a renewal broke off before its files."""
    own = _text(home.identity.public)
    return bool(home.identity.every()[1:]) and all(
        _loaded(s).party(home.identity.party).keys != own for s in held
    )


def _first_epochs_at_unit(home: Home, signed: SignedAgreement, party: str) -> dict[str, int]:
    """By flow of unit mode, the epoch after the newest that the unit knows of."""
    from padan_client.protocol.contributions import fetch_contributions
    from padan_client.transport.channel import Link

    first = {}
    for flow in unit_flows(_loaded(signed), party):
        place = home.place(signed.id, flow)
        with Link.open(home, signed.id, flow) as link:
            known = link.run(fetch_contributions(place, home.patience))
        first[flow] = known.newest() + 1
    return first


def _tell(files: list[str], new: Identity, *, json_: bool) -> None:
    if json_:
        prints = new.public.fingerprints()
        print_json({"party": new.party, "files": files, "fingerprints": prints})
        return
    for file in files:
        out.print(t(f"Tertulis: {file}", f"Written: {file}"), highlight=False)
    out.print(
        t(
            "Serahkan berkas .keys itu kepada pihak lain dan operator server, ke folder "
            "perjanjian mereka. Kunci baru berlaku mulai epok berikutnya: padan keys rotate.",
            "Hand these .keys files to the other parties and the servers' operators, for their "
            "agreements folders. The new keys hold from the next epoch: padan keys rotate.",
        )
    )


def _show(path: Path, change: SignedKeyChange, signed: SignedAgreement, *, json_: bool) -> None:
    missing = change.missing(_loaded(signed))
    if json_:
        print_json({"file": str(path), "missing": missing})
        return
    out.print(t(f"Tertulis: {path}", f"Written: {path}"), highlight=False)
    who = ", ".join(missing)
    out.print(
        t(f"Belum ditandatangani: {who}.", f"Still to sign: {who}.")
        if missing
        else t(
            "Lengkap: letakkan di folder perjanjian semua pihak dan server.",
            "Complete: put it into the agreements folders of all parties and servers.",
        )
    )


def first_epochs_at_home(home: Home, agreement: Agreement) -> dict[str, int]:
    """By flow of unit mode, the epoch after the newest that this side has a key of."""
    first = {}
    for flow in unit_flows(agreement, home.identity.party):
        known = home.epochs.records(home.place(agreement.id, flow))
        first[flow] = max((record.epoch for record in known), default=0) + 1
    return first


def renewal(home: Home, signed: SignedAgreement, new: Identity, now: datetime) -> SignedKeyChange:
    """The change to ``new``, signed by the present keys and by it: it holds at once."""
    agreement = _loaded(signed)
    own = home.identity.holding(agreement.party(new.party).keys)
    first = first_epochs_at_home(home, agreement)
    change = SignedKeyChange(
        change=_change(signed, new.party, _text(new.public), first, now, lost=False)
    )
    statement = change.change.statement()
    return change.signed(OLD, own.sign(statement)).signed(NEW, new.sign(statement))


def replacement(
    home: Home,
    signed: SignedAgreement,
    new: PublicIdentity,
    first_epochs: Mapping[str, int],
    now: datetime,
) -> SignedKeyChange:
    """The change of another party's lost keys, signed by this agency; the others sign after it."""
    change = SignedKeyChange(
        change=_change(signed, new.party, _text(new), first_epochs, now, lost=True)
    )
    return co_signed(change, home.identity, _loaded(signed))


def co_signed(signed: SignedKeyChange, own: Identity, agreement: Agreement) -> SignedKeyChange:
    """With this agency's signature, as the party with the new keys or as another one.

    Raises BadInputError where nothing of it is for this agency to sign.
    """
    change = signed.change
    if own.party == change.party and _text(own.public) == change.new:
        return signed.signed(NEW, own.sign(change.statement()))
    if change.lost and own.party != change.party and own.party in change.signers(agreement):
        keys = own.holding(agreement.party(own.party).keys)
        return signed.signed(own.party, keys.sign(change.statement()))
    raise BadInputError(
        t(
            f"Tidak ada yang perlu ditandatangani {own.party} pada pergantian kunci ini.",
            f"There is nothing for {own.party} to sign in this change of keys.",
        )
    )


def read_change(path: Path) -> SignedKeyChange:
    """A change in a file. Raises BadInputError if it holds none."""
    try:
        return SignedKeyChange.read(path.read_bytes())
    except OSError as e:
        reason = t(f"tidak terbaca ({system_reason(e)})", f"cannot be read ({system_reason(e)})")
        raise BadInputError(f"{path}: {reason}.") from None
    except AgreementError as e:
        raise BadInputError("; ".join(t(f.id_text, f.en_text) for f in e.findings)) from None


def write_change(folder: Path, agreement_id: str, signed: SignedKeyChange) -> Path:
    """Write it under the name that belongs beside the agreement; returns the path."""
    path = folder / f"{agreement_id}.toml{signed.name}"
    write_public(path, signed.text())
    return path


def _change(
    signed: SignedAgreement,
    party: str,
    new: PublicKeys,
    first_epochs: Mapping[str, int],
    now: datetime,
    *,
    lost: bool,
) -> KeyChange:
    agreement = _loaded(signed)
    return KeyChange(
        agreement=signed.digest.hex(),
        party=party,
        number=len(agreement.former_keys(party)) + 1,
        made=now,
        lost=lost,
        first_epochs=dict(first_epochs),
        old=agreement.party(party).keys,
        new=new,
    )


def _loaded(signed: SignedAgreement) -> Agreement:
    assert signed.agreement is not None
    return signed.agreement


def _text(public: PublicIdentity) -> PublicKeys:
    sign, exchange = (base64.b64encode(k).decode() for k in (public.sign_key, public.exchange_key))
    return PublicKeys(sign_key=sign, exchange_key=exchange)

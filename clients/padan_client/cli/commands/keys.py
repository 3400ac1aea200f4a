"""``padan keys``: the agency's own keys and the key epochs of its flows."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import BadInputError, PadanError
from padan_client.base.language import t
from padan_client.cli.asking import agree
from padan_client.cli.common import out, print_json, reports_errors, say
from padan_client.cli.home import ask_new_passphrase, ask_passphrase, open_home
from padan_client.cli.options import (
    HOME,
    AgreementOption,
    FlowOption,
    HomeOption,
    JsonFlag,
    YesFlag,
)
from padan_client.cli.views.sheet import Sheet

if TYPE_CHECKING:
    from padan_client.base.place import FlowPlace
    from padan_client.home.folder import Home

app = typer.Typer(no_args_is_help=True)
_Mode = Annotated[
    str | None,
    typer.Option(
        "--mode",
        help="unit | direct (kunci penyedia); bawaan: unit bila boleh. / "
        "unit | direct (the provider's key); default: unit if allowed.",
    ),
]


@app.callback()
def group() -> None:
    """Kunci instansi dan epok kunci tiap alur. / The agency's keys and each flow's key epochs."""


@app.command()
@reports_errors
def init(
    party: Annotated[
        str, typer.Option("--party", help="Id pihak pada perjanjian. / Party id in agreements.")
    ],
    *,
    no_passphrase: Annotated[
        bool,
        typer.Option(
            "--no-passphrase",
            help="Kunci tidak terenkripsi, untuk percobaan saja. / "
            "Keys in the clear, for trials only.",
        ),
    ] = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Buat kunci instansi. / Make the agency's keys."""
    from padan_client.home.config import write_template
    from padan_client.home.identity import create_identity, save_identity

    if no_passphrase:
        say(_plain_keys())
    passphrase = None if no_passphrase else ask_passphrase(confirm=True)
    identity = create_identity(party, os.urandom)
    public = save_identity(home, identity, passphrase=passphrase, randomness=os.urandom)
    write_template(home, party)
    if json_:
        print_json({**identity.public.as_json(), "public_file": str(public)})
        return
    say(
        t(
            f"Kunci {party} dibuat di {home}. Serahkan {public} kepada pihak lain untuk dimasukkan "
            "ke perjanjian, dan bacakan sidik jarinya lewat telepon (padan keys show).",
            f"The keys of {party} are in {home}. Hand {public} to the other parties for the "
            "agreement, and read its fingerprints to them by telephone (padan keys show).",
        )
    )


def _plain_keys() -> str:
    return t(
        "Peringatan: tanpa frasa sandi, siapa pun yang mendapat disk, cadangan atau hak root "
        "membaca kunci ini beserta semua yang dilindunginya. Pakai hanya untuk percobaan, atau "
        "bila disknya sendiri terenkripsi.",
        "Warning: without a passphrase, whoever gets the disk, a backup or root's rights reads "
        "these keys and everything they protect. Use this for trials only, or where the disk "
        "itself is encrypted.",
    )


@app.command()
@reports_errors
def show(*, home: HomeOption = HOME, json_: JsonFlag = False) -> None:
    """Tampilkan kunci publik, sidik jari dan epok. / Show public keys, fingerprints and epochs."""
    opened = open_home(home)
    public = opened.identity.public
    epochs = [entry for place in own_places(opened) for entry in _epochs(opened, place)]
    if json_:
        print_json({**public.as_json(), "fingerprints": public.fingerprints(), "epochs": epochs})
        return
    table = Sheet(public.party)
    table.add_column(t("kunci", "key"))
    table.add_column("base64", no_wrap=True)
    table.add_column(t("sidik jari", "fingerprint"), no_wrap=True)
    values = public.as_json()
    for name, fingerprint in public.fingerprints().items():
        table.add_row(name, values[name], fingerprint)
    out.print(table)
    if epochs:
        out.print(_epoch_table(epochs))


@app.command()
@reports_errors
def passphrase(*, home: HomeOption = HOME, json_: JsonFlag = False) -> None:
    """Ganti frasa sandi kunci; kuncinya tetap. / Change the passphrase; the keys stay."""
    from padan_client.home.identity import change_passphrase

    opened = open_home(home)
    change_passphrase(home, opened.identity, ask_new_passphrase(), os.urandom)
    if json_:
        print_json({"party": opened.identity.party, "locked": True})
        return
    say(
        t(
            "Kunci dikunci dengan frasa sandi yang baru. Cadangan lama tetap terbuka dengan yang "
            "lama: buat cadangan baru (padan home backup) dan hapus yang lama.",
            "The keys are locked by the new passphrase. Old backups still open with the old one: "
            "make a new one (padan home backup) and delete the old.",
        )
    )


@app.command()
@reports_errors
def rotate(
    agreement: AgreementOption,
    flow: FlowOption,
    *,
    mode: _Mode = None,
    yes: YesFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Buka atau ikuti epok kunci berikutnya. / Open or join the next key epoch."""
    from padan_client.protocol.rotating import rotate as rotate_epoch
    from padan_client.transport.channel import Link

    opened = open_home(home)
    if _is_direct(opened, agreement, flow, mode):
        _rotate_directly(opened, agreement, flow, yes=yes, json_=json_)
        return
    consent = partial(_consent_to_next, yes=yes)
    with Link.open(opened, agreement, flow) as link:
        rotation = link.run(rotate_epoch(opened, agreement, flow, datetime.now(UTC), consent))
    if json_:
        print_json(
            {
                "agreement": agreement,
                "flow": flow,
                "epoch": rotation.epoch,
                "complete": not rotation.waiting_for,
                "waiting_for": rotation.waiting_for,
            }
        )
    elif rotation.waiting_for:
        say(
            t(
                f"Epok {rotation.epoch} diikuti. Menunggu {rotation.waiting_for} menjalankan "
                "perintah yang sama.",
                f"Epoch {rotation.epoch} joined. Waiting for {rotation.waiting_for} to run the "
                "same command.",
            )
        )
    else:
        say(
            t(
                f"Epok {rotation.epoch} lengkap. Penyedia perlu menerbitkan registrinya pada epok "
                "ini.",
                f"Epoch {rotation.epoch} is complete. The provider has to publish its registry in "
                "it.",
            )
        )


@app.command()
@reports_errors
def destroy(
    agreement: AgreementOption,
    flow: FlowOption,
    epoch: Annotated[int, typer.Option("--epoch", min=1, help="Nomor epok. / Epoch number.")],
    *,
    mode: _Mode = None,
    yes: YesFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Musnahkan kunci satu epok di sini untuk selamanya. / Destroy an epoch's key here for good."""
    opened = open_home(home)
    place, now = opened.place(agreement, flow), datetime.now(UTC)
    direct = _is_direct(opened, agreement, flow, mode)
    _consent_to_end(place, epoch, yes=yes)
    ended = end_epoch(opened, place, epoch, now, direct=direct)
    if json_:
        print_json({"agreement": agreement, "flow": flow, "epoch": epoch, **ended})
        return
    say(
        t(
            f"Kunci epok {epoch} dimusnahkan. Data yang disandikan dengannya tidak dapat dipakai "
            "lagi; cadangan folder ini pun perlu dihapus.",
            f"The key of epoch {epoch} is destroyed. Data encoded with it can no longer be used; "
            "backups of this folder must go too.",
        )
    )


def end_epoch(
    opened: Home, place: FlowPlace, epoch: int, now: datetime, *, direct: bool
) -> dict[str, object]:
    """Destroy an epoch's key and all that was kept of it; returns what was, as JSON has it."""
    from padan_client.protocol.direct.publishing import remove_tables
    from padan_linkage.agreement import Mode

    agreement, flow = place.agreement.id, place.flow.id
    destroyed: datetime | None
    if direct:
        destroyed = opened.seeds().destroy(place, epoch, now).destroyed
        remove_tables(opened, place, epoch)
        registries = opened.kept_registries(Mode.DIRECT).forget_epoch(place, epoch)
        jobs = opened.jobs.forget_epoch(agreement, flow, epoch, kinds=("publish-direct",))
    else:
        destroyed = opened.epochs.destroy(place, epoch, now).destroyed
        jobs = opened.jobs.forget_epoch(agreement, flow, epoch)
        registries = opened.cover_book().forget_epoch(agreement, flow, epoch)
        opened.kept_registries(Mode.UNIT).forget_epoch(place, epoch)
        opened.list_cover().forget_epoch(place, epoch)
    return {"destroyed": destroyed, "jobs_erased": jobs, "registries_forgotten": registries}


@app.command()
@reports_errors
def renew(*, yes: YesFlag = False, home: HomeOption = HOME, json_: JsonFlag = False) -> None:
    """Ganti kunci instansi dalam perjanjiannya. / Change the keys within the agreements."""
    from padan_client.cli import key_changes

    key_changes.renew(home, yes=yes, json_=json_)


def _consent_to_end(place: FlowPlace, epoch: int, *, yes: bool) -> None:
    agree(
        t(
            f"Kunci epok {epoch} alur {place.flow.id} akan dimusnahkan untuk selamanya, dan data "
            "yang disandikan dengannya tidak dapat dipakai lagi.",
            f"The key of epoch {epoch} of flow {place.flow.id} will be destroyed for good, and "
            "data encoded with it can no longer be used.",
        ),
        given=yes,
        option="--yes",
    )


def _consent_to_next(epoch: int, *, yes: bool) -> None:
    agree(
        t(
            f"Epok {epoch} akan dibuka dan tidak dapat ditutup lagi; registri perlu diterbitkan "
            "ulang seluruhnya padanya.",
            f"Epoch {epoch} will be opened and cannot be closed again; the whole registry has to "
            "be published anew in it.",
        ),
        given=yes,
        option="--yes",
    )


def _is_direct(opened: Home, agreement: str, flow: str, mode: str | None) -> bool:
    """Whether a command is about the provider's direct key. Raises BadInputError."""
    from padan_client.protocol.direct.schemas import direct_schemas
    from padan_client.protocol.session import require_role
    from padan_client.requester import chosen_mode

    place = opened.place(agreement, flow)
    if chosen_mode(place, mode) != "direct":
        return False
    direct_schemas(place)
    require_role(place, provider=True)
    return True


def _rotate_directly(opened: Home, agreement: str, flow: str, *, yes: bool, json_: bool) -> None:
    place = opened.place(agreement, flow)
    newest = next(iter(opened.seeds().records(place)), None)
    if newest is not None and newest.destroyed is None:
        _consent_to_next(newest.epoch + 1, yes=yes)
    record = opened.seeds().rotate(place, datetime.now(UTC))
    if json_:
        public = opened.seeds().public_keys(place, record.epoch)
        print_json(
            {
                "agreement": agreement,
                "flow": flow,
                "mode": "direct",
                "epoch": record.epoch,
                "public_keys": {i: key.hex() for i, key in public.items()},
            }
        )
        return
    say(
        t(
            f"Epok langsung {record.epoch} dibuka. Terbitkan registri lengkap padanya (padan "
            "publish --mode direct); tabel lama berlaku sampai kedaluwarsa.",
            f"Direct epoch {record.epoch} is open. Publish the whole registry in it (padan "
            "publish --mode direct); the old table is good until it expires.",
        )
    )


def own_places(opened: Home) -> list[FlowPlace]:
    """The flows of good local agreements in which this agency takes part, with these very keys."""
    found = []
    with contextlib.suppress(BadInputError):  # no agreements folder yet
        for signed in opened.agreements():
            for flow in signed.agreement.flows if signed.agreement else ():
                with contextlib.suppress(PadanError):
                    found.append(opened.place(signed.id, flow.id))
    return found


def _epochs(opened: Home, place: FlowPlace) -> list[dict[str, object]]:
    name: dict[str, object] = {"agreement": place.agreement.id, "flow": place.flow.id}
    shared: list[dict[str, object]] = [
        {
            **name,
            "mode": "unit",
            "epoch": record.epoch,
            "created": record.created.isoformat(),
            "used": record.peer_public_key is not None,
            "destroyed": record.destroyed.isoformat() if record.destroyed else None,
        }
        for record in opened.epochs.records(place)
    ]
    own: list[dict[str, object]] = [
        {
            **name,
            "mode": "direct",
            "epoch": record.epoch,
            "created": record.created.isoformat(),
            "used": True,
            "destroyed": record.destroyed.isoformat() if record.destroyed else None,
        }
        for record in opened.seeds().records(place)
    ]
    return shared + own


def _epoch_table(epochs: list[dict[str, object]]) -> Sheet:
    table = Sheet(t("Epok kunci", "Key epochs"))
    titles = (
        t("perjanjian", "agreement"),
        t("alur", "flow"),
        "mode",
        t("epok", "epoch"),
        t("dibuat", "created"),
        t("dimusnahkan", "destroyed"),
    )
    for title in titles:
        table.add_column(title)
    for entry in epochs:
        names = ("agreement", "flow", "mode", "epoch", "created", "destroyed")
        table.add_row(*(str(entry[name] or "") for name in names))
    return table

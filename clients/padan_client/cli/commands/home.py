"""``padan home``: the agency's home in one sealed file, and that file as a home again."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.cli.asking import claim
from padan_client.cli.common import print_json, reports_errors, say
from padan_client.cli.home import ask_passphrase
from padan_client.cli.options import HOME, ForceFlag, HomeOption, JsonFlag

if TYPE_CHECKING:
    from padan_client.home.config import ClientConfig
    from padan_client.home.folder import Home
    from padan_client.home.identity import Identity
    from padan_client.home.protection.backup import BackupNote

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Cadangan folder instansi. / Backups of the agency's home."""


@app.command()
@reports_errors
def backup(
    file: Annotated[Path, typer.Argument(help="Berkas cadangan. / The backup's file.")],
    *,
    force: ForceFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Simpan folder instansi dalam satu berkas tersegel. / Put the home into one sealed file."""
    from padan_client.base.files import write_private
    from padan_client.home.config import load_config
    from padan_client.home.identity import is_encrypted, load_identity, own_words
    from padan_client.home.protection.backup import BackupNote, backed_up, kept_files
    from padan_client.home.protection.home_lock import HomeLock
    from padan_client.home.protection.passphrase import require_strong

    if file.resolve().is_relative_to(home.resolve()):
        raise BadInputError(
            t(
                f"{file} ada di dalam folder yang dicadangkan. Pilih tempat lain, di disk lain.",
                f"{file} lies in the folder that is backed up. Choose another place, on another "
                "disk.",
            )
        )
    claim(file, force=force)
    locked = is_encrypted(home)
    passphrase = ask_passphrase(confirm=not locked)
    identity = load_identity(home, passphrase=passphrase if locked else None)
    if not locked:
        require_strong(passphrase, own_words(home, identity.party))
    held = HomeLock(home, alone=True)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    note = BackupNote(**identity.public.as_json(), created=created, files=len(kept_files(home)))
    write_private(file, backed_up(home, note, passphrase, os.urandom))
    held.release()
    outside = _outside(home, load_config(home))
    if json_:
        print_json({**vars(note), "file": str(file), "outside": [str(path) for path in outside]})
        return
    say(
        t(
            f"{number(note.files)} berkas {home} dicadangkan ke {file}, disegel dengan frasa "
            "sandi. Publikasi yang belum selesai tidak ikut; ulangi perintahnya.",
            f"{number(note.files)} files of {home} are in {file}, sealed by the passphrase. A "
            "publication that is not finished is left out; repeat its command.",
        )
    )
    if outside:
        paths = ", ".join(map(str, outside))
        say(
            t(
                f"Di luar folder itu, jadi tidak ikut: {paths}.",
                f"Outside the folder, so left out: {paths}.",
            )
        )


@app.command()
@reports_errors
def restore(
    file: Annotated[Path, typer.Argument(help="Berkas cadangan. / The backup's file.")],
    *,
    later: Annotated[
        Path | None,
        typer.Option(
            "--later",
            help="Folder yang lebih baru, bila masih ada: yang dimusnahkan di situ tidak kembali. "
            "/ A later home, if it is still there: what was destroyed in it does not come back.",
        ),
    ] = None,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Pulihkan folder instansi dari cadangan. / Restore the home from a backup."""
    from padan_client.base.ownership import require_own_folder
    from padan_client.home.folder import Home
    from padan_client.home.identity import is_encrypted
    from padan_client.home.protection import backup as backups

    if later is not None and not later.is_dir():
        raise BadInputError(t(f"Tidak ada folder {later}.", f"There is no folder {later}."))
    require_own_folder(home)
    party = backups.party_of(file)
    passphrase = ask_passphrase()
    note = backups.restore(file, home, passphrase)
    opened = Home.open(home, passphrase=passphrase if is_encrypted(home) else None)
    _require_same(note, party, opened.identity)
    gone = _bury(opened, later) if later else []
    if later:
        _remember(opened, later)
    alive = len(_living(opened))
    if json_:
        told = {**vars(note), "home": str(home), "epochs": alive, "destroyed_again": gone}
        print_json(told)
        return
    say(
        t(
            f"{number(note.files)} berkas {party} dipulihkan ke {home}, seperti adanya pada "
            f"{note.created}. Jangan pakai folder lamanya lagi.",
            f"{number(note.files)} files of {party} are in {home}, as they were at "
            f"{note.created}. Do not use the old folder any more.",
        )
    )
    if gone:
        say(
            t(
                f"{len(gone)} epok yang sudah dimusnahkan tidak dikembalikan.",
                f"{len(gone)} epochs that were destroyed did not come back.",
            )
        )
    elif alive:
        say(
            t(
                f"{alive} kunci epok ikut kembali. Yang sudah dimusnahkan sejak saat itu perlu "
                "dimusnahkan lagi: padan keys show, lalu padan keys destroy.",
                f"{alive} epoch keys came back. Those that were destroyed since have to be "
                "destroyed again: padan keys show, then padan keys destroy.",
            )
        )


def _require_same(note: BackupNote, party: str, identity: Identity) -> None:
    """The identity that came back is the one that the backup says it is of."""
    named = {"party": party, "sign_key": note.sign_key, "exchange_key": note.exchange_key}
    if identity.public.as_json() != named or note.party != party:
        raise VerificationError(
            t(
                "Kunci di dalam cadangan bukan milik pihak yang disebutnya. Jangan dipakai.",
                "The keys in the backup are not those of the party that it names. Do not use it.",
            )
        )


def _bury(opened: Home, later: Path) -> list[dict[str, object]]:
    """What was destroyed in a later home is destroyed here; returns the epochs."""
    from padan_client.cli.commands.keys import end_epoch, own_places
    from padan_client.home.epochs import EpochStore
    from padan_client.home.seeds import SeedStore

    gone: list[dict[str, object]] = []
    now = datetime.now(UTC)
    unit = EpochStore(later / "epochs", opened.identity, os.urandom)
    direct = SeedStore(later / opened.config.seeds_dir, os.urandom)
    for place in own_places(opened):
        name = {"agreement": place.agreement.id, "flow": place.flow.id}
        for epoch in opened.epochs.take_over(place, unit):
            end_epoch(opened, place, epoch, now, direct=False)
            gone.append({**name, "mode": "unit", "epoch": epoch})
        for epoch in opened.seeds().take_over(place, direct):
            end_epoch(opened, place, epoch, now, direct=True)
            gone.append({**name, "mode": "direct", "epoch": epoch})
    return gone


def _remember(opened: Home, later: Path) -> None:
    """What a later home has seen of the servers' pasts is known here too."""
    from padan_client.home.protection.known_heads import heads_of_each

    for signed in opened.agreements():
        providers = signed.agreement.direct_providers if signed.agreement else ()
        here = heads_of_each(opened.folder, signed.id, providers)
        for (server, party), seen in heads_of_each(later, signed.id, providers).items():
            past = seen.of(server)
            if past.heads:
                here[server, party].keep(server, past)


def _living(opened: Home) -> list[int]:
    """The epochs whose keys are here."""
    from padan_client.cli.commands.keys import own_places

    stores = [(opened.epochs, opened.seeds(), place) for place in own_places(opened)]
    records = [r for unit, direct, p in stores for s in (unit, direct) for r in s.records(p)]
    return [record.epoch for record in records if record.destroyed is None]


def _outside(home: Path, config: ClientConfig) -> list[Path]:
    """What the settings name and the folder does not have."""
    tls = config.tls
    named = (tls.ca, tls.certificate, tls.key, config.agreements, config.seeds_dir)
    inside = home.resolve()
    paths = [home / path for path in (*named, config.tables_dir)]
    return [p for p in paths if p.exists() and not p.resolve().is_relative_to(inside)]

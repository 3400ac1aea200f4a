"""Whose a file or folder is, and who else may touch it; checked before a secret is read or used.

A secret has one owner (this user, or root), one name, and no right for anybody else. What a command
believes without a signature may be read by all and written by its owner alone. A home is this
user's, and nobody else can put another folder in its place. Spec ``proto/spec/20-keys.md``, "Whose
a home is".
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from padan_client.base.errors import BadInputError
from padan_client.base.language import t

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def require_private(path: Path, *, linked: bool = False) -> None:
    """Raise BadInputError if ``path`` is missing or not this user's alone.

    ``linked``: it may be a symbolic link, to a file that is.
    """
    require_private_status(path, _status(path, linked=linked))


def require_private_status(path: Path, held: os.stat_result) -> None:
    """The same for what is known of a file, such as of one that is open already."""
    require_plain_status(path, held)
    _require_owner(path, held)
    if held.st_mode & _OTHERS:
        raise _open_to_others(path, stat.S_IMODE(held.st_mode))
    if held.st_nlink > 1:
        raise _second_name(path)


def lies(path: Path) -> bool:
    """Whether anything has that name: a link that leads nowhere is not a file that is missing."""
    return os.path.lexists(path)


def require_plain(path: Path) -> None:
    """Raise BadInputError if ``path`` is missing, no plain file, or this user may not read it."""
    held = _status(path, linked=False)
    require_plain_status(path, held)
    if not os.access(path, os.R_OK):
        _require_owner(path, held)


def require_plain_status(path: Path, held: os.stat_result) -> None:
    """Raise BadInputError unless what is known of a file is that of a plain one."""
    if not stat.S_ISREG(held.st_mode):
        raise _no_plain_file(path, held.st_mode)


def require_unaltered(path: Path) -> None:
    """Raise BadInputError if another than its owner, who is this user or root, may write to it."""
    held = _status(path, linked=True)
    _require_owner(path, held)
    if held.st_mode & _OTHERS_WRITE:
        raise _written_by_others(path)


def require_own_folder(folder: Path) -> None:
    """Raise BadInputError unless ``folder`` is this user's and nobody else can replace it.

    It may be a link; what counts is the folder itself and all that it lies in. One that is missing
    passes if it can be made so.
    """
    real = folder.resolve()
    if real.exists():
        if not real.is_dir():
            raise BadInputError(t(f"{folder} bukan folder.", f"{folder} is no folder."))
        _require_mine(real)
    for parent in real.parents:
        if parent.exists():
            held = parent.stat()
            _require_owner(parent, held)
            if held.st_mode & _OTHERS_WRITE and not held.st_mode & stat.S_ISVTX:
                raise _written_by_others(parent)


def _require_mine(folder: Path) -> None:
    held = folder.stat()
    if held.st_uid != os.geteuid():
        raise BadInputError(
            t(
                f"Folder {folder} milik pengguna {held.st_uid}, sedangkan perintah ini dijalankan "
                f"pengguna {os.geteuid()}. Jalankan sebagai pemiliknya (sudo -u '#{held.st_uid}' "
                f"padan …), atau ganti pemiliknya: chown -R {os.geteuid()} {folder}",
                f"The folder {folder} belongs to user {held.st_uid}, and this command runs as user "
                f"{os.geteuid()}. Run it as its owner (sudo -u '#{held.st_uid}' padan …), or "
                f"change the owner: chown -R {os.geteuid()} {folder}",
            )
        )
    if held.st_mode & _OTHERS_WRITE:
        raise _written_by_others(folder)


def _status(path: Path, *, linked: bool) -> os.stat_result:
    try:
        return path.stat() if linked else path.lstat()
    except FileNotFoundError:
        raise BadInputError(t(f"Berkas {path} tidak ada.", f"There is no file {path}.")) from None


def _require_owner(path: Path, held: os.stat_result) -> None:
    if held.st_uid not in {0, os.geteuid()}:
        raise BadInputError(
            t(
                f"{path} milik pengguna {held.st_uid}, yang dapat menggantinya. Bila isinya memang "
                f"milik instansi ini: chown {os.geteuid()} {path}",
                f"{path} belongs to user {held.st_uid}, who can change it. If its content is this "
                f"agency's: chown {os.geteuid()} {path}",
            )
        )


def _no_plain_file(path: Path, mode: int) -> BadInputError:
    if stat.S_ISLNK(mode):
        return BadInputError(
            t(
                f"{path} bukan berkas biasa, melainkan tautan simbolik. Taruh berkasnya sendiri "
                f'di situ: cp --remove-destination "$(readlink -f {path})" {path}',
                f"{path} is no plain file but a symbolic link. Put the file itself there: "
                f'cp --remove-destination "$(readlink -f {path})" {path}',
            )
        )
    return BadInputError(
        t(
            f"{path} bukan berkas biasa (folder, pipa atau perangkat). Pindahkan dari situ, dan "
            "kembalikan berkasnya dari cadangan.",
            f"{path} is no plain file (a folder, a pipe or a device). Move it away, and put the "
            "file back from a backup.",
        )
    )


def _open_to_others(path: Path, mode: int) -> BadInputError:
    return BadInputError(
        t(
            f"Berkas rahasia {path} terbuka bagi pihak lain (mode {mode:04o}). Jalankan "
            f"chmod 600 {path}, dan ganti kuncinya bila mungkin sudah terbaca. Bila sistem berkas "
            "tidak mengenal izin (CIFS, FAT), pindahkan ke disk yang mengenalnya.",
            f"The secret file {path} is open to others (mode {mode:04o}). Run "
            f"chmod 600 {path}, and replace the key if it may have been read. If the file system "
            "has no modes (CIFS, FAT), move it to a disk that has.",
        )
    )


def _written_by_others(path: Path) -> BadInputError:
    return BadInputError(
        t(
            f"{path} dapat ditulisi pengguna lain, yang dengan begitu dapat menukar isinya. "
            f"Jalankan chmod go-w {path}. Bila sistem berkas tidak mengenal izin (CIFS, FAT), "
            "pindahkan ke disk yang mengenalnya.",
            f"{path} can be written to by other users, who could put something else there. Run "
            f"chmod go-w {path}. If the file system has no modes (CIFS, FAT), move it to a disk "
            "that has.",
        )
    )


def _second_name(path: Path) -> BadInputError:
    return BadInputError(
        t(
            f"Berkas rahasia {path} punya nama kedua (tautan keras), yang tetap ada bila berkas "
            f"ini diganti. Jalankan cp -p {path} {path}.new && mv {path}.new {path}, lalu cari dan "
            "hapus nama yang lain.",
            f"The secret file {path} has a second name (a hard link), which stays when this one is "
            f"replaced. Run cp -p {path} {path}.new && mv {path}.new {path}, then find and delete "
            "the other name.",
        )
    )

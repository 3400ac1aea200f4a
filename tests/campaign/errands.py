"""What officers do, command by command, and how they see after a crash whether it was done.

An errand's outcome is what an officer could notice of it and what no crash may change. ``known`` is
what the errands before it have told.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agency import Home
from scene import AGREEMENT, ASKED, FLOW, PEOPLE, PROVIDER, REQUESTER, Scene
from typer.testing import CliRunner

from padan_client import RequesterClient
from padan_client.base.errors import PadanError
from padan_client.cli.app import app
from padan_client.cli.common import Exit

_OF_FLOW = ("-a", AGREEMENT, "-f", FLOW)
_OF_LINE = ("-a", AGREEMENT, "-f", "referensi", "--line", "jabatan-fungsional")
_REGISTRY = ("--id", "id", "--status", "status", "--yes", "--force", "--json")
#: Of records asked in real time.
FEW = slice(24, 27)


class LeftUndoneError(Exception):
    """The command ended with another exit code than it should."""

    def __init__(self, name: str, code: int, told: str) -> None:
        super().__init__(f"{name}: exit code {code}: {told}")
        self.code = code


@dataclass(frozen=True)
class Errand:
    """One command of one party. ``servers``: whom it needs."""

    name: str
    party: str
    servers: frozenset[str]
    go: Callable[[Scene, dict], dict]
    #: The outcome, where an officer sees after a crash that it was done; else None.
    seen: Callable[[Scene, dict], dict | None] = lambda scene, known: None

    def do(self, scene: Scene, known: dict) -> dict:
        """Carry it out, or go on with it. Raises LeftUndoneError."""
        return self.go(scene, known)


def padan(scene: Scene, party: str, *arguments: object, code: int = 0) -> dict:
    """Run a command; its JSON. Raises LeftUndoneError, and what the command did not catch."""
    told = CliRunner().invoke(
        app,
        [str(a) for a in arguments],
        env={"PADAN_HOME": str(scene.home(party)), "COLUMNS": "500"},
    )
    if told.exception and not isinstance(told.exception, SystemExit):
        raise told.exception
    if told.exit_code != code:
        raise LeftUndoneError(" ".join(map(str, arguments[:2])), told.exit_code, told.stderr)
    return json.loads(told.stdout) if code == 0 and told.stdout.strip() else {}


def rows_of(scene: Scene, server: str, query: str) -> list[tuple]:
    """What a server's database says; nothing where there is none yet."""
    path = scene.data(server) / f"{server}.sqlite"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


# Keys


def _rotate(party: str, mode: str, scene: Scene, known: dict) -> dict:
    told = padan(scene, party, "keys", "rotate", *_OF_FLOW, "--mode", mode, "--yes", "--json")
    return {"epoch": told["epoch"]}


def _rotated(party: str, epoch: int, scene: Scene, known: dict) -> dict | None:
    query = f"SELECT 1 FROM contributions WHERE party = '{party}' AND epoch = {epoch}"
    kept = [*scene.home(party).glob(f"epochs/**/{epoch}.*")]
    return {"epoch": epoch} if rows_of(scene, "unit", query) and kept else None


def _seeded(epoch: int, scene: Scene, known: dict) -> dict | None:
    kept = [*scene.publisher.seeds_dir.glob(f"**/{epoch}.*")]
    return {"epoch": epoch} if len(kept) == 2 else None


def _renew(scene: Scene, known: dict) -> dict:
    padan(scene, PROVIDER, "keys", "renew", "--yes", "--json")
    return _renewed(scene, known) or {}


def _renewed(scene: Scene, known: dict) -> dict | None:
    """The change is among the agreements, and what is handed out are the new keys."""
    home = Home.open(scene.home(PROVIDER))
    files = [*scene.house.agreements_dir.glob(f"{AGREEMENT}.*.keys")]
    told = json.loads((scene.home(PROVIDER) / f"{PROVIDER}.public.json").read_text())
    return {"files": len(files)} if files and told == home.identity.public.as_json() else None


# Registries


def _publish(scene: Scene, known: dict) -> dict:
    given = (scene.inputs / "registry.csv", *_OF_FLOW, *_REGISTRY, "--mode", "unit")
    return _published(padan(scene, PROVIDER, "publish", *given))


def _update(scene: Scene, known: dict) -> dict:
    update = ("--delta-of", _registries(scene)[0], "--deletes", scene.inputs / "leaving.txt")
    given = (scene.inputs / "update.csv", *_OF_FLOW, *_REGISTRY, "--mode", "unit", *update)
    return _published(padan(scene, PROVIDER, "publish", *given))


def _published(told: dict) -> dict:
    return {"rows": told["rows"], "deleted": told["deleted"]}


_COMMITTED = (
    "SELECT id FROM datasets WHERE owner = 'bkn' AND state IN ('COMMITTED', 'committed') "
    "ORDER BY sequence"
)


def _registries(scene: Scene) -> list[str]:
    return [row[0] for row in rows_of(scene, "unit", _COMMITTED)]


def _is_published(number: int, outcome: dict, scene: Scene, known: dict) -> dict | None:
    pending = [*scene.home(PROVIDER).glob("jobs/publish-*.job")]
    return outcome if len(_registries(scene)) == number and not pending else None


def _table(scene: Scene, known: dict) -> dict:
    given = (scene.inputs / "registry.csv", *_OF_FLOW, *_REGISTRY, "--mode", "direct")
    return _published(padan(scene, PROVIDER, "publish", *given))


def _is_table(scene: Scene, known: dict) -> dict | None:
    pending = [*scene.home(PROVIDER).glob("jobs/*.job")]
    there = [*scene.publisher.tables_dir.glob("[!.]*/manifest.sig")]
    return {"rows": 40, "deleted": 0} if there and not pending else None


# Lists


def _confirm(mode: str, number: int, scene: Scene, known: dict) -> dict:
    out = scene.out(f"codes{number}.csv")
    given = (scene.inputs / "list.csv", *_OF_FLOW, "--out", out, "--mode", mode)
    told = padan(scene, REQUESTER, "confirm", *given, "--force", "--json")
    found = read_codes(out)
    counted = {code: count for code, count in told["counts"].items() if count}
    assert counted == {code: list(found.values()).count(code) for code in set(found.values())}
    return {"codes": found}


def _confirmed(number: int, scene: Scene, known: dict) -> dict | None:
    """The file is there and no job is pending: an officer takes it for the result."""
    out = scene.out(f"codes{number}.csv")
    pending = [*scene.home(REQUESTER).glob("jobs/*.job")]
    return {"codes": read_codes(out)} if out.exists() and not pending else None


def read_codes(path: Path) -> dict[str, str]:
    """The codes of a result, by NIK."""
    with path.open(newline="", encoding="utf-8") as file:
        return {
            PEOPLE[ASKED][number]["nik"]: row["kode"]
            for number, row in enumerate(csv.DictReader(file))
        }


def _few(scene: Scene, known: dict) -> dict:
    try:
        home = Home.open(scene.home(REQUESTER))
        with RequesterClient(home, AGREEMENT, FLOW, threads=1) as client:
            found = client.confirm_few(PEOPLE[FEW], mode="unit")
    except (PadanError, OSError) as e:
        raise LeftUndoneError("few", Exit.UNAVAILABLE, repr(e)) from e
    return {"few": found.table["kode"].to_pylist()}


def _refused(scene: Scene, known: dict) -> dict:
    given = (scene.inputs / "list.csv", *_OF_FLOW, "--out", scene.out("none.csv"))
    padan(scene, REQUESTER, "confirm", *given, "--mode", "unit", "--force", code=4)
    return {"written": scene.out("none.csv").exists()}


# Releases and standing


def _release(scene: Scene, known: dict) -> dict:
    told = padan(
        scene, REQUESTER, "release", "publish", scene.inputs / "positions.csv", *_OF_LINE, "--json"
    )
    return {"version": told["version"]}


def _is_released(scene: Scene, known: dict) -> dict | None:
    kept = scene.home(REQUESTER).glob("releases/**/1/manifest.sealed")
    there = rows_of(scene, "unit", "SELECT version FROM releases")
    return {"version": 1} if there and any(kept) else None


def _fetch(scene: Scene, known: dict) -> dict:
    out = scene.out("positions.csv")
    told = padan(scene, PROVIDER, "release", "get", *_OF_LINE, "--out", out, "--force", "--json")
    return {"version": told["version"], "content": out.read_text("utf-8")}


def _stand(command: str, scene: Scene, known: dict) -> dict:
    padan(scene, PROVIDER, "agreement", command, AGREEMENT, "--json")
    return {"suspended": bool(rows_of(scene, "unit", "SELECT 1 FROM suspensions"))}


_UNIT, _DIRECT, _NOBODY = frozenset({"unit"}), frozenset({"provider"}), frozenset()


def _at_unit(name: str, party: str, go: Callable, seen: Callable | None = None) -> Errand:
    more = {} if seen is None else {"seen": seen}
    return Errand(name, party, _UNIT, go, **more)


def _joining(number: int) -> list[Errand]:
    return [
        _at_unit(
            f"rotate {number} {p}", p, partial(_rotate, p, "unit"), partial(_rotated, p, number)
        )
        for p in (PROVIDER, REQUESTER)
    ]


def _asking(number: int) -> Errand:
    go, seen = partial(_confirm, "unit", number), partial(_confirmed, number)
    return _at_unit(f"confirm {number}", REQUESTER, go, seen)


_WHOLE, _CHANGED = {"rows": 40, "deleted": 0}, {"rows": 2, "deleted": 1}

#: A whole journey, in an order in which it can be made.
JOURNEY = (
    *_joining(1),
    _at_unit("publish 1", PROVIDER, _publish, partial(_is_published, 1, _WHOLE)),
    _asking(1),
    _at_unit("update", PROVIDER, _update, partial(_is_published, 2, _CHANGED)),
    _asking(2),
    _at_unit("few", REQUESTER, _few),
    Errand("seed", PROVIDER, _NOBODY, partial(_rotate, PROVIDER, "direct"), partial(_seeded, 1)),
    Errand("table", PROVIDER, _DIRECT, _table, _is_table),
    Errand("directly", REQUESTER, _DIRECT, partial(_confirm, "direct", 3), partial(_confirmed, 3)),
    _at_unit("release", REQUESTER, _release, _is_released),
    _at_unit("fetch", PROVIDER, _fetch),
    _at_unit("suspend", PROVIDER, partial(_stand, "suspend")),
    _at_unit("refused", REQUESTER, _refused),
    _at_unit("resume", PROVIDER, partial(_stand, "resume")),
    Errand("renew", PROVIDER, _NOBODY, _renew, _renewed),
    _asking(4),
)

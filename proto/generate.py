"""Makes and checks what is made of ``proto/``: the stubs, the wordings, the lint, the baseline.

Run through ``dev.py``, which brings the right tools: ``python3 dev.py stubs`` writes the stubs and
``python3 dev.py check`` does ``stubs --check``, ``reasons --check``, ``lint`` and ``breaking``.
``python3 proto/generate.py reasons`` needs Python alone. Google's protos are of the installed
``googleapis-common-protos``; none is stored in this repository.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import shutil
import string
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROTO = Path(__file__).resolve().parent
STUBS = PROTO / "gen"
#: The API as last released: what ``breaking`` compares with. Ours only, Google's files left out.
BASELINE = PROTO / "baseline.json"
#: The wording of every refusal, and the module that server and client read it from.
REASONS = PROTO / "reasons.toml"
REASON_TEXTS = STUBS / "padan/v1/reason_texts.py"
#: Metadata keys that every refusal may carry (spec page 50, rule 4).
_PLACE = {"agreement", "flow", "article"}

#: The package ships this file under another name than the one that everybody imports.
_RENAMED = {"google/longrunning/operations.proto": "google/longrunning/operations_proto.proto"}


@contextmanager
def workspace(sources: Path = PROTO) -> Iterator[Path]:
    """A temporary folder with our protos, ``buf.yaml`` and Google's protos that ours import."""
    with tempfile.TemporaryDirectory(prefix="padan-proto-") as name:
        root = Path(name)
        shutil.copytree(sources / "padan", root / "padan")
        shutil.copy(sources / "buf.yaml", root)
        for proto in sorted((root / "padan").rglob("*.proto")):
            _copy_imports(proto, root)
        yield root


def _copy_imports(proto: Path, root: Path) -> None:
    """Copy into ``root`` what ``proto`` imports of Google's, and what that imports in turn.

    ``google/protobuf`` is left out: every compiler brings it.
    """
    installed = importlib.metadata.distribution("googleapis-common-protos")
    for name in re.findall(r'^import "(google/[^"]+)";', proto.read_text("utf-8"), re.MULTILINE):
        target = root / name
        if name.startswith("google/protobuf/") or target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(str(installed.locate_file(_RENAMED.get(name, name)))), target)
        _copy_imports(target, root)


def generate(root: Path, target: Path) -> None:
    """Compile the protos of the workspace ``root`` into ``target``. Needs grpcio-tools."""
    sources = sorted(p.relative_to(root).as_posix() for p in (root / "padan").rglob("*.proto"))
    services = [s for s in sources if "\nservice " in (root / s).read_text("utf-8")]
    messages = [f"--python_out={target}", f"--mypy_out=quiet:{target}"]
    calls = [f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}"]
    _protoc(root, [*messages, *sources])
    _protoc(root, [*calls, *services])


def _protoc(root: Path, args: list[str]) -> None:
    # The mypy plugins stand beside the interpreter, which need not be on PATH.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", *args],
        check=True,
        cwd=root,
        env={**os.environ, "PATH": path},
    )


def stubs(*, check: bool) -> int:
    """Write the stubs, or with ``check`` compare them byte for byte with the committed ones."""
    with workspace() as root:
        made = root / "made"
        made.mkdir()
        generate(root, made)
        fresh, committed = _contents(made), _contents(STUBS)
        stale = sorted(
            n for n in fresh.keys() | committed.keys() if fresh.get(n) != committed.get(n)
        )
        if not check:
            for name in stale:
                _write(STUBS / name, fresh.get(name))
    for name in stale:
        print(f"proto/gen/{name}: {'differs from the protos' if check else 'written'}")
    if check and stale:
        print("The stubs are not those of proto/padan/v1: run `python3 dev.py stubs`.")
        return 1
    return 0


def _contents(folder: Path) -> dict[str, bytes]:
    found = (p for p in folder.rglob("*_pb2*") if p.suffix in {".py", ".pyi"})
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def _write(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def reasons(*, check: bool) -> int:
    """Write the module of wordings, or (``check``) compare it with the committed one."""
    made = module_of(tomllib.loads(REASONS.read_text("utf-8")))
    if REASON_TEXTS.exists() and REASON_TEXTS.read_text("utf-8") == made:
        return 0
    if check:
        print(f"{REASON_TEXTS.name} is not that of {REASONS.name}:", end=" ")
        print("run `python3 proto/generate.py reasons`.")
        return 1
    REASON_TEXTS.write_text(made, "utf-8")
    return 0


def module_of(table: dict[str, Any]) -> str:
    """The source of the module. Raises ValueError where a text has a field that nothing fills."""
    servers, wordings = table["servers"], table["reasons"]
    for reason, wording in wordings.items():
        known = _PLACE.union(wording.get("metadata", ()), *servers.values())
        for text in (wording["id"], wording["en"]):
            unknown = _fields(text) - known
            if unknown:
                raise ValueError(f"{reason}: nothing fills {sorted(unknown)}")
    return _MODULE.substitute(
        kinds="".join(f'    {kind.upper()} = "{kind}"\n' for kind in servers),
        reasons="".join(f'    {reason} = "{reason}"\n' for reason in wordings),
        forms="".join(_forms(*item) for item in servers.items()),
        wordings="".join(_wording(*item) for item in wordings.items()),
    )


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _forms(kind: str, forms: dict[str, list[str]]) -> str:
    spoken = ({name: pair[i] for name, pair in forms.items()} for i in range(2))
    return f"    ServerKind.{kind.upper()}: (\n{_lines(spoken)}    ),\n"


def _wording(reason: str, wording: dict[str, Any]) -> str:
    keys = tuple(sorted(_PLACE.union(wording.get("metadata", ()))))
    texts = "".join(f"            {wording[language]!r},\n" for language in ("id", "en"))
    parts = _lines((wording["status"], keys, wording.get("retry_seconds")))
    return f"    Reason.{reason}: Wording(\n{parts}        (\n{texts}        ),\n    ),\n"


def _lines(parts: Iterable[object]) -> str:
    return "".join(f"        {part!r},\n" for part in parts)


_MODULE = string.Template('''\
"""Generated by proto/generate.py from proto/reasons.toml. DO NOT EDIT."""

from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class ServerKind(StrEnum):
    """The kinds of server that refuse."""

$kinds

class Reason(StrEnum):
    """The names of ``padan.v1.ErrorReason`` without their prefix."""

$reasons

class Wording(NamedTuple):
    """What comes with a reason; ``texts`` are its sentence in Indonesian and in English."""

    status: str
    metadata: tuple[str, ...]
    retry_seconds: int | None
    texts: tuple[str, str]


#: How the texts call each kind of server, in Indonesian and in English.
_FORMS: Final[Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]]] = {
$forms}

WORDINGS: Final[Mapping[str, Wording]] = {
$wordings}


def worded(
    texts: tuple[str, str], server: ServerKind, fields: Mapping[str, str]
) -> tuple[str, str]:
    """Both ``texts``, with ``fields`` and the forms of ``server`` in the place of names in braces.

    A field that is not there is a dash; one in brackets goes with them.
    """
    first, second = (
        text.format_map(defaultdict(lambda: "–", {**fields, **forms})).replace(" (–)", "")
        for text, forms in zip(texts, _FORMS[server], strict=True)
    )
    return first, second
''')


def lint(sources: Path = PROTO) -> int:
    """Run ``buf lint`` over our protos."""
    with workspace(sources) as root:
        return _buf(root, "lint", "--path", "padan").returncode


def breaking(sources: Path = PROTO) -> int:
    """Run ``buf breaking`` over our protos against the committed baseline."""
    with workspace(sources) as root:
        against = root / "against.json"
        imported = [f for f in _image(root)["file"] if not _ours(f)]
        kept = json.loads(BASELINE.read_text("utf-8"))["file"]
        against.write_text(json.dumps({"file": imported + kept}), "utf-8")
        return _buf(root, "breaking", "--path", "padan", "--against", str(against)).returncode


def baseline() -> int:
    """Take the protos as they are for the released API. Only at a release."""
    with workspace() as root:
        ours = [f for f in _image(root)["file"] if _ours(f)]
    BASELINE.write_text(json.dumps({"file": ours}, indent=1, sort_keys=True) + "\n", "utf-8")
    return 0


def _ours(file: dict[str, str]) -> bool:
    return file["name"].startswith("padan/")


def _image(root: Path) -> dict[str, list[dict[str, str]]]:
    """The workspace's ``padan`` files and all that they import, as a JSON descriptor set."""
    target = root / "image.json"
    args = ("--path", "padan", "--exclude-source-info", "-o", str(target))
    _buf(root, "build", *args).check_returncode()
    image: dict[str, list[dict[str, str]]] = json.loads(target.read_text("utf-8"))
    return image


def _buf(root: Path, *args: str) -> subprocess.CompletedProcess[bytes]:
    beside = str(Path(sys.executable).parent)
    buf = shutil.which("buf", path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if buf is None:
        raise SystemExit("buf is missing: run this through `python3 dev.py check`")
    return subprocess.run([buf, *args], cwd=root, check=False)


def main() -> int:
    """Parse the command line and run one of the steps above; the exit code is its result."""
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    for name in ("stubs", "reasons"):
        steps.add_parser(name).add_argument("--check", action="store_true")
    for name in ("lint", "breaking", "baseline"):
        steps.add_parser(name)
    args = parser.parse_args()
    if args.step in {"stubs", "reasons"}:
        return {"stubs": stubs, "reasons": reasons}[args.step](check=args.check)
    return {"lint": lint, "breaking": breaking, "baseline": baseline}[args.step]()


if __name__ == "__main__":
    sys.exit(main())

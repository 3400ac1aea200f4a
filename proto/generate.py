"""Makes and checks what is made of ``proto/padan/v1``: the stubs, the lint, the baseline.

Run through ``dev.py``, which brings the right tools: ``python3 dev.py stubs`` writes the stubs and
``python3 dev.py check`` does ``stubs --check``, ``lint`` and ``breaking``. Google's protos are of
the installed ``googleapis-common-protos``; none is stored in this repository.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROTO = Path(__file__).resolve().parent
STUBS = PROTO / "gen"
#: The API as last released: what ``breaking`` compares with. Ours only, Google's files left out.
BASELINE = PROTO / "baseline.json"

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
    steps.add_parser("stubs").add_argument("--check", action="store_true")
    for name in ("lint", "breaking", "baseline"):
        steps.add_parser(name)
    args = parser.parse_args()
    if args.step == "stubs":
        return stubs(check=args.check)
    return {"lint": lint, "breaking": breaking, "baseline": baseline}[args.step]()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""From a fresh clone to a running demo or test run, with Python 3.11 or newer and pip alone.

    python3 dev.py demo [options]    install, then `padan demo [options]`
    python3 dev.py test [options]    install with the tools, then the quick tests (pytest options)
    python3 dev.py bench [options]   install with the peers, then `padan bench [options]`
    python3 dev.py check             lint, format, types, layers, protos, reasons, stubs
    python3 dev.py stubs             make the gRPC stubs from the protos
    python3 dev.py lock [options]    resolve the lock files anew (options of `uv pip compile`)
    python3 dev.py install [--dev]   only install

Everything goes into `.venv` beside this file, pinned by hash in `requirements*.lock`. Once there,
it is used again until a lock file, `pyproject.toml` or the Python version changes. What is said on
the way goes to standard error, so that `demo --json` leaves one object on standard output.
"""

# Parses on every Python 3, to be able to say that a Python is too old.
import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
#: Resolves the lock files; installed only for `lock`.
UV = "uv==0.13.8"

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STUBS_VENV = ROOT / ".venv-stubs"
RUN_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
BENCH_LOCK = ROOT / "requirements-bench.lock"
STUBS_LOCK = ROOT / "proto" / "requirements.lock"

PROJECT = "pyproject.toml"
#: Each lock file and what it resolves. Ordered: those that follow agree with the first.
LOCKS = {
    RUN_LOCK: ("--extra", "server", "--group", "build", PROJECT),
    DEV_LOCK: ("-c", "requirements.lock", "--extra", "dev", "--group", "build", PROJECT),
    BENCH_LOCK: ("-c", "requirements-dev.lock", "--extra", "bench", "--group", "build", PROJECT),
    STUBS_LOCK: ("--group", "stubs"),
}

#: Three workers on two cores, for much of the suite waits for disks and processes. Files in their
#: order, not the longest lists of tests first: the dearest files have few tests, and would be last.
QUICK = ("-m", "not slow", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")


def main(argv):
    """Run one command; the exit code is its result."""
    command, options = (argv[0], argv[1:]) if argv else ("", [])
    if command in COMMANDS:
        check_python()
        return COMMANDS[command](options)
    print(__doc__)
    return 0 if command in ("help", "-h", "--help") else 2


def demo(options):
    """Install and run the demo."""
    install()
    return run(VENV / "bin" / "padan", "demo", *options)


def bench(options):
    """Install with the peers and measure."""
    install(path=BENCH_LOCK)
    return run(VENV / "bin" / "padan", "bench", *options)


def test(options):
    """Install with the tools and run the quick tests, or what the pytest options say."""
    install(path=DEV_LOCK)
    return run(VENV / "bin" / "python", "-m", "pytest", *QUICK, *options, cwd=str(ROOT))


def check(options):
    """Run every check, also after one has failed, and say which did."""
    install(path=DEV_LOCK)
    install_stub_tools()
    python = str(VENV / "bin" / "python")
    make = "proto/generate.py"
    steps = {
        "lint": [python, "-m", "ruff", "check", "."],
        "format": [python, "-m", "ruff", "format", "--check", "."],
        "types": [python, "-m", "mypy"],
        "layers": [str(VENV / "bin" / "lint-imports"), "--no-cache"],
        "protos": [python, make, "lint"],
        "breaking changes": [python, make, "breaking"],
        "reasons": [python, make, "reasons", "--check"],
        "stubs": [str(STUBS_VENV / "bin" / "python"), make, "stubs", "--check"],
    }
    chosen = {name: step for name, step in steps.items() if not options or name in options}
    if not chosen:
        stop("no such check; there are: " + ", ".join(steps))
    failed = [name for name, step in chosen.items() if not passes(name, step)]
    say("all checks pass" if not failed else "FAILED: " + ", ".join(failed))
    return 1 if failed else 0


def passes(name, step):
    """Run one check; show what it printed where it fails."""
    began = time.monotonic()
    done = subprocess.run(
        step, cwd=str(ROOT), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    verdict = "FAILED" if done.returncode else "ok"
    say(f"{name}: {verdict} ({time.monotonic() - began:.0f} s)")
    if done.returncode:
        sys.stderr.buffer.write(done.stdout)
        sys.stderr.flush()
    return not done.returncode


def stubs(options):
    """Make the stubs."""
    install_stub_tools()
    return run(STUBS_VENV / "bin" / "python", ROOT / "proto" / "generate.py", "stubs", *options)


def lock(options):
    """Resolve the lock files anew; pins stay where they fit unless `--upgrade` is given."""
    install(path=DEV_LOCK)
    pip(VENV, "install", UV)
    fixed = ("--universal", "--python-version", "3.11", "--only-binary", ":all:")
    silent = ("--quiet", "--no-header", "--no-annotate", "--no-emit-index-url")
    for path, wanted in LOCKS.items():
        say("resolving " + str(path.relative_to(ROOT)))
        subprocess.run(
            [str(VENV / "bin" / "uv"), "pip", "compile", *fixed, *silent, "--no-emit-find-links",
             "--generate-hashes", *wanted, *options, "-o", str(path)],
            cwd=str(ROOT), check=True,
        )  # fmt: skip
    return 0


def install(options=(), path=RUN_LOCK):
    """Bring `.venv` to what the lock file says, this project in it, editable."""
    path = DEV_LOCK if "--dev" in options else path
    project = (ROOT / "pyproject.toml").read_bytes()
    known = (RUN_LOCK, DEV_LOCK, BENCH_LOCK)
    stamps = {lock: stamp(project, lock.read_bytes()) for lock in known}
    accepted = set(stamps.values()) if path is RUN_LOCK else {stamps[path]}
    with exclusively():
        present = read_stamp(VENV)
        if present in accepted:
            return 0
        if present not in stamps.values():
            create(VENV)
        fill(VENV, path)
        own = ("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
        pip(VENV, "install", *own)
        write_stamp(VENV, stamps[path])
    return 0


def install_stub_tools():
    """Bring `.venv-stubs`, which makes the stubs, to what its lock file says."""
    wanted = stamp(STUBS_LOCK.read_bytes())
    with exclusively():
        if read_stamp(STUBS_VENV) != wanted:
            create(STUBS_VENV)
            fill(STUBS_VENV, STUBS_LOCK)
            write_stamp(STUBS_VENV, wanted)


def create(venv):
    """Make an empty virtual environment, also where Python came without `ensurepip`."""
    say(f"making {venv.name} with Python {sys.version_info[0]}.{sys.version_info[1]}")
    bundled = importlib.util.find_spec("ensurepip") is not None
    if not bundled and importlib.util.find_spec("pip") is None:
        stop(
            "this Python has neither ensurepip nor pip. Install one of them "
            "(Debian, Ubuntu: apt install python3-venv) and run this again."
        )
    if importlib.util.find_spec("venv") is None:
        stop("this Python has no venv module. Debian, Ubuntu: apt install python3-venv")
    import venv as maker

    try:
        maker.EnvBuilder(clear=True, symlinks=True, with_pip=bundled).create(str(venv))
    except (OSError, subprocess.CalledProcessError) as e:
        stop(f"cannot make {venv}: {e}")


def fill(venv, path):
    """Install exactly what a lock file pins."""
    count = path.read_text("utf-8").count("==")
    say(f"installing {count} packages of {path.relative_to(ROOT)}, once")
    pip(venv, "install", "--require-hashes", "--only-binary", ":all:", "-r", str(path))


def pip(venv, *args):
    """Run pip on a virtual environment: its own, or else the one of the running Python."""
    inside = venv / "bin" / "python"
    outside = [sys.executable, "-m", "pip", "--python", str(inside)]
    has_own = any(venv.glob("lib/python*/site-packages/pip"))
    start = [str(inside), "-m", "pip"] if has_own else outside
    env = dict(os.environ, PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    command = [*start, "-qq", *args]
    done = subprocess.run(command, env=env, check=False, stdout=sys.stderr)
    if done.returncode:
        stop(
            "pip failed; its message is above. If it found no matching distribution, this Python "
            "or platform is not among those that the lock files cover: CPython 3.11 to 3.13 on "
            "Linux x86-64 or arm64. Otherwise check the network and run this again."
        )


def stamp(*contents):
    """What an installation was made from: Python, this place and the contents."""
    digest = hashlib.sha256()
    for part in (repr((sys.version_info[:2], str(ROOT))).encode("utf-8"), *contents):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def read_stamp(venv):
    """The stamp of a finished installation whose Python still runs, or None."""
    try:
        subprocess.run([str(venv / "bin" / "python"), "-c", ""], check=True)
        return (venv / "stamp").read_text("utf-8")
    except (OSError, subprocess.CalledProcessError):
        return None


def write_stamp(venv, value):
    """Mark an installation as finished."""
    (venv / "stamp").write_text(value, "utf-8")


@contextlib.contextmanager
def exclusively():
    """Let one installation run at a time."""
    import fcntl

    with Path(__file__).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def run(*command, cwd=None):
    """Run a command in the foreground and return its exit code."""
    try:
        return subprocess.run([str(part) for part in command], cwd=cwd, check=False).returncode
    except KeyboardInterrupt:
        return 130


def check_python():
    """Leave with advice where this Python is too old."""
    if sys.version_info >= OLDEST:
        return
    names = [f"python3.{minor}" for minor in (13, 12, 11)]
    newer = next((name for name in names if shutil.which(name)), None)
    say("Padan needs Python {}.{} or newer, and this is {}.{}.".format(*OLDEST, *sys.version_info))
    if newer:
        stop(f"There is a newer one here: {newer} " + " ".join(sys.argv))
    stop("Install a newer one (Debian, Ubuntu: apt install python3.12 python3.12-venv).")


def say(message):
    """Tell the user on standard error."""
    print("dev.py: " + message, file=sys.stderr, flush=True)


def stop(message):
    """Tell the user and leave."""
    say(message)
    raise SystemExit(1)


COMMANDS = {
    "demo": demo,
    "bench": bench,
    "test": test,
    "check": check,
    "stubs": stubs,
    "lock": lock,
    "install": install,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

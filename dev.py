#!/usr/bin/env python3
"""From a fresh clone to a running demo or test run, with Python 3.11 or newer and pip alone.

    python3 dev.py demo [options]    install, then `padan demo [options]`
    python3 dev.py test [options]    install with the tools, then the quick tests (pytest options)
    python3 dev.py bench [options]   install with the peers, then `padan bench [options]`
    python3 dev.py fuzz [--minutes N]  every parser, led by what its inputs reach (--seed, --only);
                                     with --calls strange calls to both servers (--server)
    python3 dev.py campaign [options]  install with the tools, then crashes and faults of every kind
    python3 dev.py check             lint, format, types, layers, protos, reasons, stubs
    python3 dev.py stubs             make the gRPC stubs from the protos
    python3 dev.py build [--check]   wheel, sdist and SBOM of the latest commit into dist/
    python3 dev.py audit             known vulnerabilities of what the lock files pin
    python3 dev.py lock [options]    resolve the lock files anew (options of `uv pip compile`)
    python3 dev.py install [--dev]   only install

Everything goes into `.venv` beside this file, pinned by hash in `requirements*.lock`. Once there,
it is used again until a lock file, `pyproject.toml` or the Python version changes. What is said on
the way goes to standard error, so that `demo --json` leaves one object on standard output.
"""

# Parses on every Python 3, to be able to say that a Python is too old.
import contextlib
import functools
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OLDEST = (3, 11)

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STUBS_VENV = ROOT / ".venv-stubs"
RUN_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
BENCH_LOCK = ROOT / "requirements-bench.lock"
STUBS_LOCK = ROOT / "proto" / "requirements.lock"
#: Looks for vulnerabilities and writes the bill of materials; resolves the lock files.
AUDIT_VENV, AUDIT_LOCK = ROOT / ".venv-audit", ROOT / "requirements-audit.lock"
UV_VENV, UV_LOCK = ROOT / ".venv-uv", ROOT / "requirements-uv.lock"
#: What is looked through for vulnerabilities: what runs at users', and what makes it.
AUDITED = (RUN_LOCK, DEV_LOCK, AUDIT_LOCK, UV_LOCK)
AUDIT_SECONDS = 300
DIST = ROOT / "dist"

PROJECT = "pyproject.toml"
#: Each lock file and what it resolves. Ordered: those that follow agree with the first.
LOCKS = {
    RUN_LOCK: ("--extra", "server", "--group", "build", PROJECT),
    DEV_LOCK: ("-c", "requirements.lock", "--extra", "dev", "--group", "build", PROJECT),
    BENCH_LOCK: ("-c", "requirements-dev.lock", "--extra", "bench", "--group", "build", PROJECT),
    STUBS_LOCK: ("--group", "stubs"),
    AUDIT_LOCK: ("--group", "audit"),
    UV_LOCK: ("--group", "lock"),
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


def fuzz(options):
    """Install with the tools and try every parser, or servers, with what nobody wrote."""
    install(path=DEV_LOCK)
    program = "tests/fuzz/calls.py" if "--calls" in options else "tests/fuzz/guided.py"
    rest = [option for option in options if option != "--calls"]
    return run(VENV / "bin" / "python", program, *rest, cwd=str(ROOT))


def campaign(options):
    """Install with the tools and play crashes and faults: `--minutes 10 --only kills,power`."""
    install(path=DEV_LOCK)
    return run(VENV / "bin" / "python", ROOT / "tests" / "campaign", *options)


def check(options):
    """Run every check, also after one has failed, and say which did."""
    install(path=DEV_LOCK)
    install_tools(STUBS_VENV, STUBS_LOCK)
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
    install_tools(STUBS_VENV, STUBS_LOCK)
    return run(STUBS_VENV / "bin" / "python", ROOT / "proto" / "generate.py", "stubs", *options)


def lock(options):
    """Resolve the lock files anew; pins stay where they fit unless `--upgrade` is given."""
    install_tools(UV_VENV, UV_LOCK)
    fixed = ("--universal", "--python-version", "3.11", "--only-binary", ":all:")
    silent = ("--quiet", "--no-header", "--no-annotate", "--no-emit-index-url")
    for path, wanted in LOCKS.items():
        say("resolving " + str(path.relative_to(ROOT)))
        subprocess.run(
            [str(UV_VENV / "bin" / "uv"), "pip", "compile", *fixed, *silent, "--no-emit-find-links",
             "--generate-hashes", *wanted, *options, "-o", str(path)],
            cwd=str(ROOT), check=True,
        )  # fmt: skip
    return 0


def build(options):
    """Build the latest commit; with `--check` twice, under other circumstances, and compare."""
    install()
    install_tools(AUDIT_VENV, AUDIT_LOCK)
    with tempfile.TemporaryDirectory() as folder:
        first = built(Path(folder) / "first")
        if "--check" in options:
            other = built(Path(folder) / "elsewhere" / "second", umask=0o077, zone="Asia/Jakarta")
            differing = differences(first, other)
            if differing:
                stop("built twice and not the same: " + ", ".join(differing))
            say("built twice, byte for byte the same")
        DIST.mkdir(exist_ok=True)
        for path in sorted(first.iterdir()):
            shutil.copyfile(str(path), str(DIST / path.name))
            say(f"dist/{path.name}  sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")
    return write_sbom()


def built(folder, umask=0o022, zone="UTC", python=VENV / "bin" / "python"):
    """Wheel and sdist of a clean clone of the latest commit, in a folder that is returned."""
    clone, out = folder / "clone", folder / "out"
    git("clone", "--quiet", str(ROOT), str(clone))
    epoch = git("-C", str(clone), "log", "-1", "--format=%ct")
    env = dict(os.environ, SOURCE_DATE_EPOCH=epoch, TZ=zone, PYTHONDONTWRITEBYTECODE="1")
    env.pop("PYTHONPATH", None)
    subprocess.run(
        [str(python), "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(out)],
        cwd=str(clone), env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=functools.partial(os.umask, umask),
    )  # fmt: skip
    return out


def git(*args):
    """What git says to a command; leaves where it fails or is not there."""
    path = shutil.which("git") or stop("git is not installed, and a build starts from a commit")
    done = subprocess.run([path, *args], check=False, stdout=subprocess.PIPE)
    if done.returncode:
        stop("git failed; its message is above. A build needs a clone with a commit.")
    return done.stdout.decode("utf-8").strip()


def differences(one, other):
    """Names of the files that are not in both folders with the same bytes."""
    names = {path.name for folder in (one, other) for path in folder.iterdir()}

    def content(path):
        return path.read_bytes() if path.exists() else None

    return sorted(name for name in names if content(one / name) != content(other / name))


def write_sbom():
    """Write the bill of materials (CycloneDX) of the lock file, checked against its schema."""
    wheel = max(DIST.glob("padan-*.whl"), key=lambda path: path.stat().st_mtime)
    path = DIST / ("-".join(wheel.name.split("-")[:2]) + ".cdx.json")
    done = run(
        AUDIT_VENV / "bin" / "cyclonedx-py", "requirements", "--pyproject", ROOT / PROJECT,
        "--output-reproducible", "--validate", "-o", path, RUN_LOCK,
    )  # fmt: skip
    if not done:
        say(f"dist/{path.name}  valid against the schema of CycloneDX")
    return done


def audit(options):
    """Look for known vulnerabilities; where their data cannot be had, say so and pass."""
    install_tools(AUDIT_VENV, AUDIT_LOCK)
    command = [str(AUDIT_VENV / "bin" / "pip-audit"), "--disable-pip", "--require-hashes"]
    verdicts = []
    for path in AUDITED:
        try:
            done = subprocess.run(
                [*command, "--format", "json", "--progress-spinner", "off", "--timeout", "10",
                 *options, "-r", str(path)],
                check=False, timeout=AUDIT_SECONDS, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            verdicts.append(verdict(path.name, done.stdout, done.stderr))
        except subprocess.TimeoutExpired:
            verdicts.append(verdict(path.name, b"", b"timed out"))
    return max(verdicts)


def verdict(name, report, trouble=b""):
    """What pip-audit found in a lock file: 1 where something is known, else 0."""
    try:
        packages = json.loads(report.decode("utf-8"))["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = trouble.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
        say(f"{name}: NOT LOOKED THROUGH, data on vulnerabilities cannot be had here: {last}")
        return 0
    looked = [package for package in packages if "skip_reason" not in package]
    found = [package for package in looked if package.get("vulns")]
    for package in found:
        for known in package["vulns"]:
            names = " ".join([known["id"], *known.get("aliases", ())])
            mended = ", ".join(known.get("fix_versions", ())) or "no version yet"
            say(f"{name}: {package['name']} {package['version']}: {names}; mended in {mended}")
    skipped = len(packages) - len(looked)
    if not looked:
        say(f"{name}: NOT LOOKED THROUGH, nothing is known here of its {skipped} packages")
    else:
        less = f", {skipped} unknown here" if skipped else ""
        say(f"{name}: {len(found)} of {len(looked)} packages have a known vulnerability{less}")
    return 1 if found else 0


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


def install_tools(venv, path):
    """Bring a virtual environment of tools, apart from ours, to what its lock file says."""
    wanted = stamp(path.read_bytes())
    with exclusively():
        if read_stamp(venv) != wanted:
            create(venv)
            fill(venv, path)
            write_stamp(venv, wanted)


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
    # Containers often forbid Python to keep what it compiled: then every process that a command
    # starts, and every worker and server of the tests, compiles all of Padan again.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    try:
        parts = [str(part) for part in command]
        return subprocess.run(parts, cwd=cwd, env=env, check=False).returncode
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
    "fuzz": fuzz,
    "campaign": campaign,
    "check": check,
    "stubs": stubs,
    "build": build,
    "audit": audit,
    "lock": lock,
    "install": install,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

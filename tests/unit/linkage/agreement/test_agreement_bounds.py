"""A file that is made to hurt its reader is refused and named, and stops nothing else."""

from __future__ import annotations

import os
import random
import sys

import pytest

from padan_linkage.agreement import (
    AgreementError,
    TomlTextError,
    lint,
    load_agreement,
    load_directory,
    read_toml,
)

HURTFUL = {
    "digits": ("a = " + "1" * 6000, "file-number"),
    "underscored": ("a = 1" + "_1" * 6000, "file-number"),
    "hexadecimal": ("a = 0x" + "f" * 6000, "file-number"),
    "brackets": ("a = " + "[" * 5000, "file-depth"),
    "closed brackets": ("a = " + "[" * 300 + "]" * 300, "file-depth"),
    "tables": ("a = " + "{a = " * 5000, "file-depth"),
    "dotted key": (".".join("a" * 8000) + " = 1", "file-depth"),
    "dotted heading": ("[" + " . ".join(['"a"'] * 8000) + "]", "file-depth"),
    "quoted parts": (".".join(["'a b'"] * 8000) + " = 1", "file-depth"),
    "date": ("a = 2024-02-31", "file-syntax"),
    "control": ("a\x1b[31m = 1", "file-syntax"),
    "not UTF-8": (b"a = '\xff'", "file-encoding"),
    "large": ("# " + "x" * 2**20, "file-too-large"),
}


def as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize("name", HURTFUL)
def test_what_runs_away_is_refused(name):
    text, code = HURTFUL[name]
    with pytest.raises(TomlTextError) as told:
        read_toml(as_bytes(text))
    assert told.value.code == code
    assert str(told.value).isprintable() or "\x1b" not in str(told.value)


def steps(text: str) -> int:
    """How many lines of Python reading a document takes."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        read_toml(text.encode())
    except TomlTextError:
        pass
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "made",
    [
        lambda n: ".".join("a" * n) + " = 1",
        lambda n: "[" + ".".join("a" * n) + "]\n",
        lambda n: "[[a.b.c.d]]\nx = 1\n" * (n // 10),
        lambda n: "".join(f"a.b.c.d.k{i} = 1\n" for i in range(n // 10)),
        lambda n: "a = {" + ", ".join(f"k{i} = 1" for i in range(n // 10)) + "}",
    ],
)
def test_twice_as_much_takes_no_more_than_twice_as_long(made):
    assert steps(made(4000)) <= 2.2 * steps(made(2000)) + 100


@pytest.mark.parametrize("name", [n for n in HURTFUL if n != "large"])
def test_a_hurtful_file_stops_no_other(name, signers, flagship, tmp_path):
    signers.write(tmp_path, flagship)
    (tmp_path / "a.toml").write_bytes(as_bytes(HURTFUL[name][0]))
    for number, suffix in enumerate(("bkn.sig", "bkn.1.keys")):
        (tmp_path / f"b{number}.toml").write_bytes(flagship)
        (tmp_path / f"b{number}.toml.{suffix}").write_bytes(as_bytes(HURTFUL[name][0]))
    loaded = {s.id: s for s in load_directory(tmp_path)}
    assert loaded.pop("kemnaker-bkn-2024").agreement is not None
    assert all(s.problems and s.agreement is None for s in loaded.values())
    assert not any("file-defect" in {p.code for p in s.problems} for s in loaded.values())


def test_a_pipe_or_an_endless_file_is_named_and_never_read(signers, flagship, tmp_path):
    signers.write(tmp_path, flagship)
    os.mkfifo(tmp_path / "pipa.toml")
    (tmp_path / "tanpa-akhir.toml").symlink_to("/dev/zero")
    loaded = {s.id: s for s in load_directory(tmp_path)}
    assert loaded.pop("kemnaker-bkn-2024").agreement is not None
    assert [{p.code for p in s.problems} for s in loaded.values()] == [{"file-unreadable"}] * 2


def test_even_a_defect_of_ours_stops_no_other(signers, flagship, tmp_path, monkeypatch):
    signers.write(tmp_path, flagship)
    (tmp_path / "a.toml").write_bytes(b"secret = 1")

    def fails(document, _):
        raise KeyError(document)

    monkeypatch.setattr("padan_linkage.agreement.directory.verify_signatures", fails)
    bad, _ = load_directory(tmp_path)
    (problem,) = bad.problems
    assert (problem.code, "KeyError" in problem.en_text) == ("file-defect", True)
    assert "secret" not in problem.en_text


NASTY = (
    '""', "[]", "{}", "[[1]]", "[{}]", "{a = 1}", "true", "-1", "0", "1.5", "nan", "-inf", "1e400",
    "2024-02-29", "2024-02-29T00:00:00Z", "00:00:00", '"\\u0000"', '"\\u202e"', '"=1+1"',
    '"\\u001b[31m"', '{"\\u001b[31m" = 1}', '[{"\\u202e" = 1}]', '"' + "x" * 70_000 + '"',
    "9" * 60, "[" * 40 + "]" * 40,
)  # fmt: skip


def mutated(lines: list[str], rng: random.Random) -> bytes:
    """The agreement with some lines bent, doubled, moved or gone."""
    lines = list(lines)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at, how = rng.randrange(len(lines)), rng.randrange(5)
        if how == 0:
            del lines[at]
        elif how == 1:
            lines.insert(at, rng.choice(lines))
        elif how == 2 and lines[at]:
            cut = rng.randrange(len(lines[at]))
            lines[at] = lines[at][:cut] + rng.choice("\"'\\[]{}=.#\0\x1b\n\u202e") + lines[at][cut:]
        elif " = " in lines[at]:
            lines[at] = lines[at].partition(" = ")[0] + " = " + rng.choice(NASTY)
    return "\n".join(lines).encode()


@pytest.mark.parametrize("seed", range(4))
def test_a_bent_agreement_is_told_without_a_defect_or_an_order_to_a_terminal(flagship, seed):
    rng, lines = random.Random(seed), flagship.decode().split("\n")
    for _ in range(40):
        document = mutated(lines, rng)
        try:
            found = lint(document)
            load_agreement(document)
        except AgreementError as e:
            found = list(e.findings)
        for finding in found:
            for text in (finding.where, finding.id_text, finding.en_text):
                assert text.isprintable()
                assert len(text) < 1100


def test_a_file_of_thousands_of_faults_is_told_in_short():
    faulty = b"".join(b"k%d = 1\n" % i for i in range(20_000))
    with pytest.raises(AgreementError) as refused:
        load_agreement(faulty)
    assert len(refused.value.findings) >= 20_000
    assert len(str(refused.value).splitlines()) == 100
    assert len(refused.value.english().splitlines()) == 100

"""An officer reads one word for one thing: the glossary's, wherever a sentence speaks of it."""

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Where numbers become text.
NUMBERS = Path("clients/padan_client/base/numbers.py")
#: Words whose Indonesian once differed from command to command, as the glossary has them.
OFFICERS = {"precision": "presisi", "recall": "perolehan", "epoch": "epok"}


def literal(node):
    """A text without what is filled in, in small letters; "" for anything else."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    said = [part.value for part in parts if isinstance(part, ast.Constant)]
    return "".join(each for each in said if isinstance(each, str)).lower()


def sentences(source):
    """What a module says to officers: ``t(indonesian, english)`` and help, "Apa. / What."."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and len(node.args) == 2:
            indonesian, english = map(literal, node.args)
            if indonesian and english:
                yield indonesian, english
        elif isinstance(node, ast.Constant) and " / " in (text := literal(node)):
            indonesian, _, english = text.partition(" / ")
            yield indonesian, english


def otherwise(indonesian, english):
    """English words of the table that a sentence translates otherwise, or not at all."""
    of_ours = re.sub(r"--[\w-]+|\b\w+/\w+\b|\bfolder epochs\b", "", indonesian)
    return [
        word
        for word, ours in OFFICERS.items()
        if word in of_ours.replace(f"({word})", "")
        or (re.search(rf"(?<!-){word}s?\b", english) and ours not in indonesian)
    ]


def test_sentences_have_the_words_of_the_glossary():
    code = [p for top in ("server", "clients") for p in sorted((ROOT / top).rglob("*.py"))]
    said = [(p.name, *pair) for p in code for pair in sentences(p.read_text("utf-8"))]
    reasons = tomllib.loads((ROOT / "proto/reasons.toml").read_text("utf-8"))["reasons"]
    said += [(name, each["id"].lower(), each["en"].lower()) for name, each in reasons.items()]
    assert [each for each in said if otherwise(*each[1:])] == []
    assert sum("epok" in indonesian for _, indonesian, _ in said) > 20


def test_the_glossary_has_them():
    text = (ROOT / "proto/spec/README.md").read_text("utf-8")
    assert [word for word in OFFICERS.values() if f"*{word}*" not in text] == []


def test_another_word_is_found():
    (told,) = sentences('t(f"Ketepatan {share}", "Precision")')
    assert otherwise(*told) == ["precision"]
    assert otherwise("epoch kunci 1", "key epoch 1") == ["epoch"]
    assert otherwise("perolehan (recall)", "recall") == []


def raw_numbers(source):
    """Numbers that a sentence for officers formats itself."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "t":
            for value in (v for a in node.args for v in ast.walk(a)):
                if isinstance(value, ast.FormattedValue) and value.format_spec is not None:
                    spec = literal(value.format_spec)
                    if "," in spec or spec.endswith(("f", "g", "%")):
                        yield ast.unparse(value.value)


def test_numbers_and_tables_for_officers_have_one_home():
    code = sorted((ROOT / "clients").rglob("*.py"))
    found = {p.relative_to(ROOT): list(raw_numbers(p.read_text("utf-8"))) for p in code}
    assert {name for name, raw in found.items() if raw} == {NUMBERS}
    tables = [p.name for p in code if "from rich.table import" in p.read_text("utf-8")]
    assert tables == ["sheet.py"]


def test_a_number_that_a_sentence_formats_is_found():
    assert list(raw_numbers('t(f"{share:.2f} baris", f"{rows:,} rows, {name:<8}")')) == [
        "share",
        "rows",
    ]

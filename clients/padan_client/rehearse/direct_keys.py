"""Advice on direct mode: rehearse keys on two files, and write them down for an agreement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from padan_client.base.language import t
from padan_client.base.numbers import decimal, number
from padan_client.records import read_table
from padan_client.rehearse.advice import advising, quoted, say, without_column
from padan_linkage.advice import Wishes
from padan_linkage.advice.direct.suggest import AloneOption, KeySuggestion, suggest_keys
from padan_linkage.direct.schema import DirectKey


def advise_keys(a: Path, b: Path, wishes: Wishes, id_column: str | None = None) -> KeySuggestion:
    """The advisor's keys for a list and a registry; ``id_column`` is not looked at.

    Raises BadInputError.
    """
    table_a = without_column(read_table(a), id_column)
    table_b = without_column(read_table(b), id_column)
    with advising(table_a, table_b):
        return suggest_keys(table_a, table_b, wishes)


def keys_toml(s: KeySuggestion) -> str:
    """``[flow.direct]`` as an agreement has it, every key with its reason as a comment."""
    return "\n".join([*_head(s), *_keys(s), *_options(s), ""])


def told_bound(s: KeySuggestion) -> str:
    """The profile bound in a sentence: bits about a person by records that are spent on it."""
    told = "; ".join(f"{number(records)}: {decimal(bits, 1)}" for records, bits in s.bound)
    day = number(s.schema.records_per_day)
    return t(
        f"Batas profil: bit tentang satu orang yang tidak ada di daftar, paling banyak, menurut "
        f"rekaman yang dihabiskan untuknya ({told}). Kuota sehari: {day} rekaman, "
        f"{number(s.elements)} nilai tiap rekaman.",
        f"Profile bound: bits about a person who is not on the list, at most, by records that are "
        f"spent on it ({told}). A day's quota: {day} records of {number(s.elements)} values.",
    )


def told_option(o: AloneOption) -> str:
    """What opening alone would buy and cost."""
    gain, cost = decimal(100 * o.gain, 2), decimal(100 * o.strangers, 3)
    worth = t(" (pilihan)", " (an option)") if o.worth else ""
    return t(
        f"{o.key.id} membuka sendiri{worth}: {gain} % orang lagi; {cost} % orang yang tidak "
        f"terdaftar dijawab; kuota sehari membaca kode {number(o.reach)} orang dengan nilai acak, "
        "lebih banyak bagi yang mengenal penduduknya.",
        f"{o.key.id} opening alone{worth}: {gain} % more people; {cost} % of strangers answered; a "
        f"day's quota reads the codes of {number(o.reach)} people by values put together at "
        "random, more for whoever knows the population.",
    )


def _head(s: KeySuggestion) -> Iterator[str]:
    yield f"# {say(s.rehearsed())}"
    yield f"# {told_bound(s)}"
    for said in s.passed_over:
        yield t(f"# Tidak dipakai: {say(said)}", f"# Not used: {say(said)}")
    yield t("# Ruas flow.schema yang dipakai:", "# Fields of flow.schema that are used:")
    for f in s.fields:
        yield f"#   {{ name = {quoted(f.name)}, kind = {quoted(f.kind)} }},"
    yield ""


def _keys(s: KeySuggestion) -> Iterator[str]:
    yield "[flow.direct]"
    yield t(
        "# Sebanyak daftar yang ada: kuota adalah pertahanannya.",
        "# As many as the list has: quotas are the defence.",
    )
    yield f"records_per_day = {s.schema.records_per_day}"
    yield f"records_per_list = {s.schema.records_per_list}"
    yield "keys = ["
    for choice in s.keys:
        yield f"  # {say(choice.said)}"
        yield f"  {_key(choice.chosen)},"
    yield "]"


def _options(s: KeySuggestion) -> Iterator[str]:
    for option in s.options:
        yield f"# {told_option(option)}"
        if option.worth:
            yield f"#   {_key(option.key)},"


def _key(key: DirectKey) -> str:
    parts = [f"id = {quoted(key.id)}", f"exact = [{', '.join(map(quoted, key.exact))}]"]
    if key.values is not None:
        parts.append(f"values = {key.values}")
    if key.weak:
        parts.append("weak = true")
    if key.alone:
        parts.append("alone = true")
    if key.without:
        parts.append(f"without = [{', '.join(map(quoted, key.without))}]")
    return f"{{ {', '.join(parts)} }}"

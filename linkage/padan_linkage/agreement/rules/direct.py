"""Rules for direct mode: keys that can be asked for, and that name the right person.

A wrong answer here comes from a stranger: somebody who is not in the registry, but agrees with one
who is. How many of them do is the registry's size over the number of distinct values of the key
(:mod:`padan_linkage.agreement.group_sizes`). Spec 60, "Keys"; spec 40, "Lint".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import ceil, inf

from padan_linkage.agreement.findings import Finding, error, warning
from padan_linkage.agreement.group_sizes import STRONG_KINDS, distinct_combinations
from padan_linkage.agreement.model import Agreement, Flow, Mode
from padan_linkage.agreement.rules.structure import Rule, confirmations
from padan_linkage.direct.half_decades import NAMES, PLACES, RAREST, commonest
from padan_linkage.direct.schema import (
    MANY_VALUED,
    MAX_VALUES,
    MOST_CODES,
    MOST_LABELS,
    DirectKey,
    DirectSchema,
    DirectScore,
    alternatives,
    most_values,
    values_made,
)
from padan_linkage.schema import DERIVATIONS, Schema

#: Evaluations of one key before its epoch must end (spec 60, "Commitment").
_EVALUATIONS_PER_KEY = 1 << 24
#: A key is refused if strangers agree so many times as often as the tolerated error.
REFUSED_FACTOR = 10


def runnable(a: Agreement) -> Iterator[Finding]:
    """A flow of direct mode has keys, over fields that both sides have."""
    for where, f in confirmations(a):
        if Mode.DIRECT in f.modes and (f.direct is None or f.schema is None):
            yield error(
                "direct-missing",
                f"{where}.direct",
                "Mode direct perlu kunci ([flow.direct]) dan ruas ([flow.schema]).",
                "Direct mode needs keys ([flow.direct]) and fields ([flow.schema]).",
            )
        if f.direct and len(f.codes) > MOST_CODES:
            yield error(
                "direct-codes-many",
                f"{where}.codes",
                f"Mode direct memuat paling banyak {MOST_CODES} kode.",
                f"Direct mode has {MOST_CODES} codes at most.",
            )
        if f.direct and f.schema:
            for key in f.direct.keys:
                yield from _usable(f.schema, key, f"{where}.direct.keys[{key.id}]")


def _usable(fields: Schema, key: DirectKey, where: str) -> Iterator[Finding]:
    kinds = {x.name: x.kind for x in fields.fields}
    unknown = sorted({name for name in (*key.named, *key.without) if name not in kinds})
    for name in unknown:
        yield error(
            "direct-field-unknown",
            where,
            f"Kunci menyebut ruas {name} yang tidak dimiliki kedua pihak.",
            f"The key names a field {name} that neither side has.",
        )
    if unknown:
        return
    broken = False
    for name, derivation in (one for part in key.exact for one in alternatives(part)):
        kind = kinds[name]
        known = DERIVATIONS.get(kind, frozenset()) | MANY_VALUED.get(kind, {}).keys()
        if derivation and derivation not in known:
            broken = True
            yield error(
                "direct-derivation-unknown",
                where,
                f"Jenis {kind} tidak punya kunci turunan {derivation}.",
                f"{kind} has no derived key {derivation}.",
            )
    if broken:
        return
    if most_values(fields, key) > MAX_VALUES:
        yield error(
            "direct-values-many",
            where,
            f"Satu data dapat memberi lebih dari {MAX_VALUES} nilai di bawah kunci ini: tulis "
            "values = berapa yang dihitung.",
            f"One record can have more than {MAX_VALUES} values under this key: write values = how "
            "many count.",
        )


def questions(a: Agreement) -> Iterator[Finding]:
    """What may be asked is something, and fits together."""
    for where, f in confirmations(a):
        if f.direct is None:
            continue
        if Mode.DIRECT not in f.modes:
            yield warning(
                "direct-unused",
                f"{where}.direct",
                "Kunci direct ada, tetapi modes tidak menyebut direct.",
                "There are direct keys, but modes does not name direct.",
            )
        if f.confirm:
            yield warning(
                "direct-confirm",
                f"{where}.direct",
                "Mode direct tidak mengonfirmasi ruas: SESUAI, BERBEDA, KOSONG hanya dari unit.",
                "Direct mode confirms no fields: SESUAI, BERBEDA, KOSONG come from a unit alone.",
            )
        yield from _quota(f.direct, f"{where}.direct")
        if f.schema is not None and not list(runnable_flow(f, where)):
            yield from _lasting(f.direct, f.schema, f"{where}.direct")


def _quota(d: DirectSchema, where: str) -> Iterator[Finding]:
    if not d.records_per_day or not d.records_per_list:
        yield error(
            "direct-quota-zero",
            where,
            "Kuota nol: tidak ada yang dapat ditanyakan.",
            "A quota of nothing: nothing could ever be asked.",
        )
    elif d.minimum_batch > d.records_per_list:
        yield error(
            "direct-batch-over-list",
            f"{where}.minimum_batch",
            "Isi paling sedikit melebihi isi paling banyak.",
            "The least batch is over the longest list.",
        )
    elif d.records_per_list > d.records_per_day:
        yield warning(
            "direct-list-over-day",
            f"{where}.records_per_list",
            "Satu daftar boleh lebih besar dari kuota sehari.",
            "One list may be larger than a day's quota.",
        )


def _lasting(d: DirectSchema, fields: Schema, where: str) -> Iterator[Finding]:
    """An epoch's keys last for a list, and for a day: every record asks every one of them."""
    most = _EVALUATIONS_PER_KEY // max(d.widths(fields))
    if d.records_per_list > most:
        yield error(
            "direct-list-over-key",
            f"{where}.records_per_list",
            f"Satu epok menjawab paling banyak {most} rekaman (2^24 evaluasi per kunci, dan kunci "
            "dengan nilai terbanyak habis dahulu): daftar sepanjang itu tidak dapat ditanyakan.",
            f"One epoch answers {most} records at most (2^24 evaluations a key, of which that with "
            "most values is used up first): a list so long could not be asked.",
        )
    elif d.records_per_day > most:
        yield warning(
            "direct-day-over-key",
            f"{where}.records_per_day",
            f"Kuota sehari melebihi batas satu epok, {most} rekaman: tabel harus dibuat ulang "
            "tiap hari.",
            f"A day's quota is over the limit of one epoch, {most} records: a new table every day.",
        )


def telling(a: Agreement) -> Iterator[Finding]:
    """Keys name the person meant, not somebody else."""
    for where, f in confirmations(a):
        if f.direct is None or f.schema is None or list(runnable_flow(f, where)):
            continue
        place = f"{where}.direct.keys"
        if all(k.weak for k in f.direct.keys):
            yield warning(
                "direct-no-identifier",
                place,
                "Tidak ada kunci dengan nomor identitas.",
                "No key has an identifier.",
            )
        yield from _single(f.direct, place)
        if f.direct.score:
            yield from _scored(f.direct, f.direct.score, f"{where}.direct.score")
        seen: set[tuple[str, ...]] = set()
        for key in f.direct.keys:
            at = f"{place}[{key.id}]"
            if key.exact in seen:
                yield error(
                    "direct-key-repeated",
                    at,
                    "Kunci ini mengulang kunci sebelumnya.",
                    "This key repeats an earlier one.",
                )
            seen.add(key.exact)
            yield from _idle(f.schema, key, at)
            yield from _identifying(f.schema, key, at)
            yield from _crowded(f, f.schema, key, at)
        for keys in opening(f.direct.keys):
            at = f"{place}[{'+'.join(key.id for key in keys)}]"
            yield from _weak(f, f.schema, keys, at)


def _single(d: DirectSchema, where: str) -> Iterator[Finding]:
    """A share of two is of no use without another."""
    shared = [key for key in d.keys if key.shared]
    if len(shared) == 1:
        yield warning(
            "direct-weak-single",
            f"{where}[{shared[0].id}]",
            "Satu-satunya kunci lemah yang tidak menjawab sendirian tidak membuka apa pun: perlu "
            "dua. Tambahkan yang kedua, atau tulis alone = true.",
            "The only weak key that does not answer alone opens nothing: two are needed. Add a "
            "second one, or write alone = true.",
        )


def _scored(d: DirectSchema, score: DirectScore, where: str) -> Iterator[Finding]:
    """Weights are of the keys that there are, and of all their parts."""
    parts = {part for key in d.keys for part in key.exact}
    unweighed = sorted(parts - score.parts.keys())
    unknown = sorted((score.parts.keys() - parts) | (score.missed.keys() - {k.id for k in d.keys}))
    if unweighed:
        yield warning(
            "direct-score-parts",
            f"{where}.parts",
            f"Bagian kunci tanpa bobot dihitung nol: {', '.join(unweighed)}.",
            f"Parts of keys without a weight count nothing: {', '.join(unweighed)}.",
        )
    if unknown:
        yield warning(
            "direct-score-unknown",
            where,
            f"Bobot yang tidak dipakai kunci mana pun: {', '.join(unknown)}.",
            f"Weights that no key has a use for: {', '.join(unknown)}.",
        )


def runnable_flow(f: Flow, where: str) -> Iterator[Finding]:
    """What :func:`runnable` says of one flow's keys."""
    if f.direct and f.schema:
        for key in f.direct.keys:
            yield from _usable(f.schema, key, where)


def _idle(fields: Schema, key: DirectKey, where: str) -> Iterator[Finding]:
    made = values_made(fields, key)
    if key.values is not None and key.values > made:
        yield warning(
            "direct-values-idle",
            where,
            f"values = {key.values}, tetapi satu data memberi paling banyak {made} nilai: "
            "selebihnya ditanyakan dengan sia-sia.",
            f"values = {key.values}, but one record has {made} values at most: the rest is asked "
            "for nothing.",
        )


def _identifying(fields: Schema, key: DirectKey, where: str) -> Iterator[Finding]:
    plain = [p for p in key.exact if alternatives(p) == ((p, ""),)]
    whole = [p for p in plain if fields.kind(p) in STRONG_KINDS]
    parts = {*key.named}
    if not key.weak and not whole:
        yield error(
            "direct-key-not-identifier",
            where,
            "Tanpa nomor identitas utuh, kunci ini lemah: tulis weak = true.",
            "Without a whole identifier this key is weak: write weak = true.",
        )
    if not whole and len(parts) < 2:
        yield error(
            "direct-key-thin",
            where,
            "Satu ruas saja (misalnya nama) menunjuk banyak orang; tambahkan ruas lain.",
            "One field alone (such as the name) means many people; add another.",
        )
    checks = [x.name for x in fields.fields if x.kind not in STRONG_KINDS]
    if whole and len(parts) == 1 and checks and not key.without:
        yield warning(
            "direct-identifier-alone",
            where,
            "Nomor identitas saja sudah menjawab: nomor yang tertukar sekeluarga menjawab untuk "
            f"orang lain. Tambahkan nama, atau tulis without = {checks[:2]}.",
            "An identifier alone answers: one swapped within a family answers for somebody else. "
            f"Add the name, or write without = {checks[:2]}.",
        )


def opening(keys: Sequence[DirectKey]) -> Iterator[tuple[DirectKey, ...]]:
    """What opens a label: a key that may by itself, or two weak ones together."""
    yield from ((key,) for key in keys if not key.shared)
    yield from combinations([key for key in keys if key.shared], 2)


def _weak(f: Flow, fields: Schema, keys: tuple[DirectKey, ...], where: str) -> Iterator[Finding]:
    strangers = strangers_met(f.expected_records or 0, fields, keys)
    if f.direct and f.direct.score:
        at_most = _weighed(f.direct, f.direct.score, f.expected_records or 0, fields, keys)
        strangers = min(strangers, at_most)
    tolerated = 1 - f.match.min_precision
    if strangers <= tolerated:
        return
    refused = strangers > REFUSED_FACTOR * tolerated
    told = f"{strangers:.1%}" if strangers < 1 else f"{strangers:.0f}×"
    yield (error if refused else warning)(
        "direct-key-weak",
        where,
        f"Orang yang tidak terdaftar cocok dengan seseorang di daftar pada {told} pertanyaan; "
        f"yang ditoleransi {tolerated:.1%}. Tambahkan ruas.",
        f"Somebody who is not in the registry agrees with one who is in {told} of questions; "
        f"tolerated is {tolerated:.1%}. Add a field.",
    )


def _crowded(f: Flow, fields: Schema, key: DirectKey, where: str) -> Iterator[Finding]:
    sharing = max(
        (f.expected_records or 0) / distinct_combinations(fields, way) for way in key.ways
    )
    if sharing > MOST_LABELS / 2:
        yield warning(
            "direct-key-crowded",
            where,
            f"Satu nilai kunci ini kira-kira dimiliki {sharing:.0f} orang; label hanya ada untuk "
            f"{MOST_LABELS} orang. Tambahkan ruas.",
            f"About {sharing:.0f} people share a value of this key; labels are there for "
            f"{MOST_LABELS} of them. Add a field.",
        )


def strangers_met(records: int, fields: Schema, keys: tuple[DirectKey, ...]) -> float:
    """How many of a registry's people a stranger meets under all keys, in any ways; rough.

    ``records``: of the registry.
    """
    return sum(
        records / distinct_combinations(fields, [part for way in ways for part in way])
        for ways in product(*(key.ways for key in keys))
    )


def _weighed(
    d: DirectSchema, score: DirectScore, records: int, fields: Schema, keys: tuple[DirectKey, ...]
) -> float:
    """How many a stranger meets whose words are rare enough to answer by these keys alone; rough.

    Of a row that has every field, so that all other keys are asked and miss.
    """
    parts = {part for key in keys for part in key.exact}
    of_field: dict[str, int] = {}
    for part in parts:
        name = alternatives(part)[0][0]
        weight = score.parts.get(part, 0)
        of_field[name] = max(of_field.get(name, weight), weight)
    missed = [k.id for k in d.keys if k not in keys and not k.without]
    agreed = sum(of_field.values()) + sum(score.missed.get(k, 0) for k in missed)
    kinds = {part: fields.kind(alternatives(part)[0][0]) for part in parts}
    named = {part for part, kind in kinds.items() if kind in NAMES}
    places = RAREST * score.places if PLACES & set(kinds.values()) else 0
    lacking = score.threshold - agreed - places
    if lacking <= 0 or not named:
        return inf if lacking <= 0 else 0.0
    level = ceil(lacking / score.names) if score.names > 0 else RAREST + 1
    if level > RAREST:
        return 0.0
    rest = [part.split("|")[0] for part in parts - named]
    return records * commonest(level) / distinct_combinations(fields, rest or [next(iter(named))])


DIRECT_STRUCTURE: tuple[Rule, ...] = (runnable,)
DIRECT: tuple[Rule, ...] = (questions, telling)

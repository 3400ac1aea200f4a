"""What an engineer would object to: passes that a published attack opens, or that cannot work.

The attacks: graph matching (GMA), similarity rows (SIG), group fingerprints (GRP), frequency
analysis, and the requester's oracle; spec 15 has what each reaches, spec 40 has where the floors
come from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from padan_linkage.agreement.findings import Finding, error, warning
from padan_linkage.agreement.group_sizes import (
    STRONG_KINDS,
    Measured,
    distinct_combinations,
    group_size,
    has_strong_identifier,
    low_entropy,
    strength,
)
from padan_linkage.agreement.model import Agreement, Flow
from padan_linkage.agreement.rules.structure import Rule, confirmations
from padan_linkage.schema import Kind, Pass, Schema

#: Below T = 100, t = 10 at m = 512 rows can be linked by likeness as delivered (spec 15).
MIN_DIFFUSION = 10
MIN_WEIGHT = 100
MIN_SPREAD = MIN_WEIGHT * MIN_DIFFUSION / 512
MIN_STRENGTH = 0.078
#: Above 2·T·t/m ≈ 8 even one changed letter looks like another person.
MAX_SPREAD = 8.0
REFUSED_GROUP = 100
LARGE_GROUP = 50
#: Groups that hold where equal names show in them (spec 15, "Group sizes"), in profile ``ketat``,
#: then ``seimbang``: with names in segments of their own; the same where the exact fields tell two
#: parts of a name, or both of its ends by sound; and with numbers merged into them.
NAMESAKES, TWO_PARTS, BOTH_ENDS, MERGED_NAMESAKES = (5, 10), (3, 10), (2, 3), (40, 100)
#: Groups that hold in ``seimbang`` where the exact fields tell one part of a name whose parts stand
#: apart; in ``ketat`` none does.
APART = 7
#: Groups beyond which numbers need the spread T·t/m of 200·16/512.
_NUMBERED, _NUMBER_SPREAD = 5, 6.25
#: A salt of fewer values is as good as none, however short the list.
UNSALTED_VALUES = 200
MAX_BUCKET_ROWS = 3_000
MIN_BUCKET_ROWS = 4
MIN_DECOY_SHARE = 0.25


@dataclass(frozen=True)
class _Context:
    """A pass with what its rules need; ``records`` is the larger side's size, 0 if unknown."""

    where: str
    schema: Schema
    p: Pass
    records: int
    measured: Measured

    @property
    def group(self) -> float:
        return group_size(self.schema, self.p, self.records, self.measured)


def schema_findings(
    schema: Schema,
    expected_records: int,
    where: str = "schema",
    measured: Measured | None = None,
    keyed: Collection[str] = (),
) -> list[Finding]:
    """Every objection to a schema on its own, such as a rehearsal's; for that many records.

    ``measured``: effective numbers of values of fields, where somebody counted them; ``keyed``:
    fields that keys of direct mode compare.
    """
    found = list(_schema_rules(schema, where, keyed))
    for p in schema.passes:
        context = _Context(f"{where}.passes[{p.id}]", schema, p, expected_records, measured or {})
        found += [f for rule in PASS_RULES for f in rule(context)]
    return found


def signed_findings(
    schema: Schema,
    expected_records: int,
    where: str = "schema",
    measured: Measured | None = None,
    keyed: Collection[str] = (),
) -> list[Finding]:
    """What an agreement's schema is held to: the above, and that no requester reads its filters."""
    found = schema_findings(schema, expected_records, where, measured, keyed)
    for p in schema.passes:
        found += _unread(schema, p, f"{where}.passes[{p.id}]")
    return found


def pass_findings(a: Agreement) -> Iterator[Finding]:
    """The rules of this module over every flow that has a schema."""
    for where, f in confirmations(a):
        if f.schema is None:
            continue
        if f.expected_records is None:
            yield error(
                "expected-records-missing",
                f"{where}.expected_records",
                "Tanpa perkiraan jumlah data, besar kelompok garam tidak dapat dinilai.",
                "Without the expected size, salt groups cannot be judged.",
            )
        listed = f.quota.records_per_list if f.quota else 0
        keyed = {name for key in f.direct.keys for name in key.named} if f.direct else set()
        yield from signed_findings(
            f.schema, max(f.expected_records or 0, listed), f"{where}.schema", keyed=keyed
        )
        yield from _unconfirmed(f, f.schema, where)


def _schema_rules(schema: Schema, where: str, keyed: Collection[str]) -> Iterator[Finding]:
    used = {*keyed} | {k.partition(":")[0] for p in schema.passes for k in p.exact}
    used |= {n for p in schema.passes for s in p.similar for n in s.named}
    used |= {n for p in schema.passes for n in p.confirm}
    for name in (f.name for f in schema.fields if f.name not in used):
        yield error(
            "field-unused",
            f"{where}.fields[{name}]",
            "Ruas ini tidak dipakai jalur atau kunci mana pun; jangan kumpulkan data tanpa guna.",
            "No pass or key uses this field; do not collect data for nothing.",
        )
    if schema.decoy_share < MIN_DECOY_SHARE and any(p.similar for p in schema.passes):
        yield warning(
            "decoys-few",
            f"{where}.decoy_share",
            f"Kurang dari {MIN_DECOY_SHARE:.0%} umpan: serangan sidik jari kelompok (GRP) "
            "lebih mudah.",
            f"Fewer than {MIN_DECOY_SHARE:.0%} decoys: group fingerprints (GRP attack) get easier.",
        )


def _unconfirmed(f: Flow, schema: Schema, where: str) -> Iterator[Finding]:
    tagged = {n for p in schema.passes for n in p.confirm}
    for name in (n for n in f.confirm if n not in tagged):
        yield error(
            "confirm-untagged",
            f"{where}.confirm",
            f"Ruas {name} akan dikonfirmasi, tetapi tidak ada jalur yang membawanya.",
            f"The field {name} is to be confirmed, but no pass carries it.",
        )


def _unread(schema: Schema, p: Pass, where: str) -> Iterator[Finding]:
    """What is right in one segment buys no slack for another, and no number stands in one.

    A flow's requester asks with whatever it likes; a schema file is for two files of one's own.
    """
    if len(p.similar) > 1:
        shown = ", ".join(s.shown for s in p.similar)
        yield error(
            "pass-oracle",
            f"{where}.similar",
            f"Segmen {shown} dapat diubah sendiri-sendiri: peminta yang tahu isi yang satu mengisi "
            "yang lain dengan bit sembarang dan membaca isinya dari jawaban (peramal peminta). "
            "Gabungkan dalam satu segmen, atau pakai beberapa jalur exact.",
            f"The segments {shown} can be varied one by one: a requester who knows one fills the "
            "other with any bits and reads it from the answers (the requester's oracle). Merge "
            "them into one segment, or use several exact passes.",
        )
    for s in p.similar:
        numbers = [n for n in s.fields if schema.kind(n) in STRONG_KINDS]
        if numbers:
            yield error(
                "pass-oracle",
                f"{where}.similar[{s.label}]",
                f"Nomor {', '.join(numbers)} dalam segmen: bit buatan peminta mencakup semua nomor "
                "yang berbeda di satu dua angka sekaligus, sehingga terbaca angka demi angka "
                "(peramal peminta). Pakai nomor atau bagiannya pada exact.",
                f"The number {', '.join(numbers)} in a segment: bits that a requester makes stand "
                "for all numbers that differ in a digit or two, and it is read digit by digit (the "
                "requester's oracle). Use the number, or a part of it, in exact.",
            )


def hardened(c: _Context) -> Iterator[Finding]:
    """Diffusion, strength and weight of every segment reach the floor."""
    for s in c.p.similar:
        where = f"{c.where}.similar[{s.label}]"
        if s.diffusion < MIN_DIFFUSION:
            yield error(
                "pass-diffusion",
                where,
                f"diffusion = {s.diffusion}, di bawah {MIN_DIFFUSION}: pencocokan graf (GMA) "
                "dan baris kemiripan (SIG) mengenali orangnya.",
                f"diffusion = {s.diffusion}, below {MIN_DIFFUSION}: graph matching (GMA) and "
                "similarity rows (SIG) re-identify people.",
            )
        power = strength(c.schema, s.fields, s.bits, s.shared_weight, s.diffusion)
        spread = s.weight * s.diffusion / s.bits
        if power < MIN_STRENGTH or spread < MIN_SPREAD:
            yield error(
                "pass-strength",
                where,
                f"Kekuatan t·k/m = {power:.3f} dan T·t/m = {spread:.2f}, paling sedikit "
                f"{MIN_STRENGTH} dan {MIN_SPREAD:.2f}: pola bit masih terbaca oleh SIG dan GRP.",
                f"Strength t·k/m = {power:.3f} and T·t/m = {spread:.2f}, at least {MIN_STRENGTH} "
                f"and {MIN_SPREAD:.2f}: bit patterns still show to SIG and GRP.",
            )
        if s.weight < MIN_WEIGHT:
            yield error(
                "pass-weight",
                where,
                f"weight = {s.weight}, di bawah {MIN_WEIGHT}: nama pendek tampak menonjol "
                "bagi sidik jari kelompok (GRP).",
                f"weight = {s.weight}, below {MIN_WEIGHT}: short names stand out to group "
                "fingerprints (GRP).",
            )


def tolerant(c: _Context) -> Iterator[Finding]:
    """A segment can still recognise a value with a typing error."""
    for s in c.p.similar:
        spread = s.weight * s.diffusion / s.bits
        if spread > MAX_SPREAD:
            yield warning(
                "pass-spread",
                f"{c.where}.similar[{s.label}]",
                f"T·t/m = {spread:.1f}: satu huruf berbeda sudah tampak seperti orang lain.",
                f"T·t/m = {spread:.1f}: one different letter already looks like another person.",
            )


def entropic(c: _Context) -> Iterator[Finding]:
    """No segment of its own for a field with few values, nor for what the salt already says."""
    implied = {k for k in c.p.exact if ":" not in k}
    for s in c.p.similar:
        where = f"{c.where}.similar[{s.label}]"
        if all(low_entropy(c.schema, n) for n in s.fields):
            yield error(
                "pass-low-entropy",
                where,
                "Segmen tersendiri untuk ruas bernilai sedikit (tempat, jenis kelamin …): "
                "kesamaannya saja sudah mengenali orang (SIG), berapa pun difusinya. "
                "Hapus atau gabungkan.",
                "A segment of its own for a field with few values (place, sex …): its "
                "equality alone identifies people (SIG), whatever the diffusion. Drop or "
                "merge it.",
            )
        if s.beside and all(n in implied | said_by_sound(c.p) for n in s.fields):
            yield error(
                "pass-low-entropy",
                where,
                "Ruas di samping segmen ini berdiri sendiri, sebab isi segmennya sudah harus sama: "
                "kesamaannya mengenali orang (SIG). Pindahkan ke segmen lain.",
                "What stands beside this segment stands alone, for the segment's own fields must "
                "agree anyway: equality identifies people (SIG). Put it beside another segment.",
            )
        elif all(n in implied for n in s.fields):
            yield warning(
                "pass-implied",
                where,
                "Segmen ini mengulang ruas yang sudah harus sama; hapus.",
                "This segment repeats a field that must agree anyway; drop it.",
            )


def salted(c: _Context) -> Iterator[Finding]:
    """The exact values are many enough to salt a filter at all."""
    values = distinct_combinations(c.schema, c.p.exact, c.measured)
    if c.p.similar and values < UNSALTED_VALUES:
        yield error(
            "pass-unsalted",
            f"{c.where}.exact",
            f"Hanya sekitar {values:.0f} nilai exact: segmennya praktis tanpa garam, dan frekuensi "
            "serta kesamaan segmen (SIG, penjajaran frekuensi) membuka hampir semua orang. "
            "Tambahkan ruas pada exact.",
            f"Only about {values:.0f} exact values: the segments are practically unsalted, and "
            "frequency and equality of segments (SIG, frequency alignment) open nearly everybody. "
            "Add a field to exact.",
        )


def small_groups(c: _Context) -> Iterator[Finding]:
    """Few records share the exact fields; in hundreds, they can be told apart by each other."""
    id_attack, en_attack = (
        ("sidik jari kelompok (GRP)", "group fingerprints (GRP)")
        if c.p.similar
        else ("analisis frekuensi", "frequency analysis")
    )
    size = round(c.group)
    fix_id, fix_en = ("tambahkan ruas tetap pada exact", "add a stable field to exact")
    if c.group >= REFUSED_GROUP:
        yield error(
            "pass-group",
            f"{c.where}.exact",
            f"Sekitar {size} orang berbagi nilai exact yang sama di antara {c.records} data: "
            f"{id_attack} membukanya; {fix_id}.",
            f"About {size} people of {c.records} share the same exact values: {en_attack} "
            f"opens them; {fix_en}.",
        )
    elif c.group >= LARGE_GROUP:
        yield warning(
            "pass-group-large",
            f"{c.where}.exact",
            f"Sekitar {size} orang berbagi nilai exact yang sama; {id_attack} mendekat; {fix_id}.",
            f"About {size} people share the same exact values; {en_attack} comes close; {fix_en}.",
        )


def shown_to_hold(schema: Schema, p: Pass) -> float:
    """Mean group size from which on the attacks of spec 15 find too many people in ``p``.

    People of one first name often share all of it, and so do given names and surnames in segments
    of their own: that filters are equal no diffusion hides.
    """
    names = {f.name for f in schema.fields if f.kind in {Kind.PERSON_NAME, Kind.COMPANY_NAME}}
    told = [derived for name, derived in _derived(p) if name in names]
    alone = [s for s in p.similar if names.issuperset(s.fields)]
    if told and alone:
        return _with_names_told(told, apart=len(alone) > 1)[schema.presence]
    if len(alone) > 1:
        return NAMESAKES[schema.presence]
    merged = told and any(names.intersection(s.fields) for s in p.similar)
    return MERGED_NAMESAKES[schema.presence] if merged else REFUSED_GROUP


def said_by_sound(p: Pass) -> set[str]:
    """Parts of names, each in a segment of a group, of which the exact fields tell the sound."""
    told = {name for name, derived in _derived(p) if derived.endswith("_end")}
    told |= {name for name, derived in _derived(p) if derived.startswith("phonetic")}
    return told & {n for s in p.similar if s.group for n in s.fields}


def _derived(p: Pass) -> list[tuple[str, str]]:
    """Field and derivation of the exact keys that are derived."""
    keys = [key.partition(":") for key in p.exact]
    return [(name, derived) for name, _, derived in keys if derived]


def _with_names_told(told: list[str], *, apart: bool) -> tuple[float, float]:
    """Limits in both profiles, by which parts of names the exact fields tell."""
    if len(told) > 1:
        both_ends = all(derived.endswith("_end") for derived in told)
        strict, balanced = BOTH_ENDS if both_ends else TWO_PARTS
    else:
        strict, balanced = NAMESAKES
        if apart:
            # With the beginnings of both names told, nothing held.
            balanced = 0 if told[0].startswith("ends") else APART
    return 0 if apart else strict, balanced


def namesakes(c: _Context) -> Iterator[Finding]:
    """Groups of one first name are small, or their names are merged with something else."""
    limit = shown_to_hold(c.schema, c.p)
    if limit <= c.group < REFUSED_GROUP:
        size = round(c.group)
        yield error(
            "pass-namesakes",
            f"{c.where}.exact",
            f"Sekitar {size} orang berbagi nilai exact yang memuat sebagian nama, dan segmen "
            f"menunjukkan sisanya: teruji hanya di bawah {limit:.0f}. Nama yang sama persis "
            "membuka kelompoknya (GRP). Tambahkan ruas pada exact atau gabungkan nama dengan "
            "nomor dalam satu segmen.",
            f"About {size} people share exact values that tell part of the name, and a segment "
            f"shows the rest: shown to hold only below {limit:.0f}. Equal whole names open the "
            "group (GRP). Add a field to exact, or merge the name with a number in one segment.",
        )


def numbered(c: _Context) -> Iterator[Finding]:
    """Numbers of people of one birthday and district differ in few digits."""
    if c.group < _NUMBERED:
        return
    for s in c.p.similar:
        spread = s.weight * s.diffusion / s.bits
        if all(c.schema.kind(n) in STRONG_KINDS for n in s.fields) and spread < _NUMBER_SPREAD:
            yield error(
                "pass-number",
                f"{c.where}.similar[{s.label}]",
                f"T·t/m = {spread:.1f} untuk nomor di antara sekitar {round(c.group)} orang yang "
                f"berbagi nilai exact: nomor yang mirip membuka kelompoknya (GRP). Paling sedikit "
                f"{_NUMBER_SPREAD}, atau gabungkan dengan nama.",
                f"T·t/m = {spread:.1f} for numbers among about {round(c.group)} people who share "
                f"the exact values: similar numbers open the group (GRP). At least "
                f"{_NUMBER_SPREAD}, or merge it with the name.",
            )


def bucketed(c: _Context) -> Iterator[Finding]:
    """A bucket mixes several values, and is not so full that matching slows and errs."""
    if not c.p.similar or not c.records:
        return
    rows = c.records / 2**c.p.bucket_bits
    where = f"{c.where}.bucket_bits"
    if rows > MAX_BUCKET_ROWS:
        yield warning(
            "bucket-full",
            where,
            f"Sekitar {rows:.0f} baris per ember: lambat dan kurang tepat; naikkan.",
            f"About {rows:.0f} rows a bucket: slow and less precise; raise it.",
        )
    elif rows < MIN_BUCKET_ROWS:
        yield warning(
            "bucket-thin",
            where,
            "Ember hampir kosong: ember menunjuk satu nilai (GRP); turunkan.",
            "Buckets are almost empty: a bucket points at one value (GRP); lower it.",
        )


def strong_tags(c: _Context) -> Iterator[Finding]:
    """Confirmation tags stand on passes whose exact fields name one person."""
    if c.p.confirm and not has_strong_identifier(c.schema, c.p):
        low = [n for n in c.p.confirm if low_entropy(c.schema, n)]
        named = ", ".join(low or c.p.confirm)
        yield error(
            "confirm-weak-salt",
            f"{c.where}.confirm",
            f"Tanda konfirmasi ({named}) dengan garam yang dipakai bersama: kesamaannya "
            "terlihat dan frekuensinya terbaca. Pakai jalur dengan nomor identitas.",
            f"Confirmation tags ({named}) under a salt that several share: their equality "
            "shows and frequency analysis reads it. Use a pass with an identifier.",
        )


def corroborated(c: _Context) -> Iterator[Finding]:
    """An identifier alone does not answer: somebody else's may stand in the list."""
    whole = all(":" not in k and c.schema.kind(k) in STRONG_KINDS for k in c.p.exact)
    if whole and not c.p.similar and not c.p.without:
        yield warning(
            "pass-identifier-alone",
            f"{c.where}.exact",
            "Nomor identitas saja sudah menjawab: nomor yang tertukar sekeluarga menjawab untuk "
            "orang lain. Tambahkan nama atau tanggal lahir, atau without = ruas pemastinya.",
            "An identifier alone answers: one swapped within a family answers for somebody else. "
            "Add the name or the birth date, or without = the fields that confirm it.",
        )


PASS_RULES = (
    hardened,
    tolerant,
    entropic,
    salted,
    small_groups,
    namesakes,
    numbered,
    bucketed,
    strong_tags,
    corroborated,
)
PASSES: tuple[Rule, ...] = (pass_findings,)

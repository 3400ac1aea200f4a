"""What each key of direct mode finds and how often it is wrong: the tables of spec 60.

    python tests/benchmarks/measure_tolerant_keys.py [--population 200000] [--candidates 100000]
        [--candidate-keys] [--alone] [DATA …]

DATA names flows of the example agreements (generated people) or sets of the development data;
by default all. Keys are tried in order, each for the rows that those before left open, as a
requester does (``--alone``: each on all rows). ``--candidate-keys`` measures all that were
considered instead of those that the agreement has.
Answers are counted as right only if they are of the very same person.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from padan_client.records import prepare
from padan_lab.generate import generate_demo
from padan_linkage.agreement import EXAMPLE_IDS, example, load_agreement
from padan_linkage.direct.derived.values import MAKERS
from padan_linkage.direct.inputs import key_inputs, requester_inputs
from padan_linkage.direct.schema import MANY_VALUED, DirectKey
from padan_linkage.normalise.names.phonetic import sound
from padan_linkage.schema import Kind, Schema

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

Records = dict[str, pa.StringArray]


@dataclass
class Data:
    """Two sides of a linkage; ``truth``: int64, the registry row of each listed row or -1."""

    name: str
    fields: Schema
    registry: Records
    listed: Records
    truth: np.ndarray
    keys: tuple[DirectKey, ...]
    expected: int

    def __len__(self) -> int:
        """Records of the registry."""
        return len(next(iter(self.registry.values())))


# Data


def generated(flow_id: str, population: int, candidates: int) -> Data:
    """A flow of the example agreements with generated people."""
    agreements = (load_agreement(example(i)) for i in EXAMPLE_IDS)
    flow = next(f for a in agreements for f in a.flows if f.id == flow_id)
    demo = generate_demo(flow, population, candidates, seed=5)
    assert flow.schema is not None
    registry = prepare(demo.registry, flow.schema).fields
    listed = prepare(demo.requests, flow.schema).fields
    truth = demo.truth["registry_row"].fill_null(-1).to_numpy()
    keys = flow.direct.keys if getattr(flow, "direct", None) else ()
    return Data(flow_id, flow.schema, registry, listed, truth, keys, flow.expected_records or 0)


def developed(name: str, folder: Path) -> Data:
    """A development set: given name and surname as one name, birth date, id or postcode."""
    sides = [pcsv.read_csv(folder / name / f"{s}.csv", convert_options=strings()) for s in "ab"]
    sides = [side.cast(pa.schema([(c, pa.string()) for c in side.column_names])) for side in sides]
    code = "soc_sec_id" if "soc_sec_id" in sides[0].column_names else "postcode"
    wanted = [
        {"name": "nama", "kind": "person_name"},
        {"name": "tanggal_lahir", "kind": "date"},
        {"name": "kode", "kind": "code"},
    ]
    if any(code not in side.column_names for side in sides):
        wanted.pop()
    schema = Schema.model_validate(
        {"fields": wanted, "passes": [{"id": "all", "exact": [w["name"] for w in wanted]}]}
    )
    records = [prepare(as_fields(side, code), schema).fields for side in sides]
    rows = {key: i for i, key in enumerate(sides[1]["rec_id"].to_pylist())}
    pairs = pcsv.read_csv(folder / name / "truth.csv", convert_options=strings()).to_pylist()
    partner = {str(p["rec_id_a"]): rows[str(p["rec_id_b"])] for p in pairs}
    truth = np.array([partner.get(i, -1) for i in sides[0]["rec_id"].to_pylist()])
    return Data(name, schema, records[1], records[0], truth, (), sides[1].num_rows)


def strings() -> pcsv.ConvertOptions:
    """Read dates and numbers as they stand."""
    names = [
        "rec_id",
        "entity_id",
        "given_name",
        "middle",
        "surname",
        "dob",
        "soc_sec_id",
        "postcode",
        "country",
        "region",
        "rec_id_a",
        "rec_id_b",
        "yob",
        "mob",
        "dayob",
    ]
    return pcsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))


def as_fields(side: pa.Table, code: str) -> pa.Table:
    """The columns under our names."""
    parts = [c for c in ("given_name", "middle", "surname") if c in side.column_names]
    names = [" ".join(filter(None, row.values())) for row in side.select(parts).to_pylist()]
    columns = {"nama": names, "tanggal_lahir": side["dob"]}
    if code in side.column_names:
        columns["kode"] = side[code]
    return pa.table(columns)


# Measuring


@dataclass
class KeyMeasure:
    """One key: tags a registry record; of the listed rows: how many it hit, and how."""

    key: str
    tags: float
    asked: int
    right: int
    wrong: int
    ambiguous: int
    #: Registry rows that agree with a stranger's row, for each registry row: 1 / effective values.
    chance: float


def measure(
    data: Data, keys: tuple[DirectKey, ...], *, alone: bool = False
) -> Iterator[KeyMeasure]:
    """Each key in order, on the rows still open; ``alone``: on all rows."""
    open_rows = np.ones(len(data.truth), bool)
    for key in keys:
        mine = requester_inputs(data.fields, key, data.listed)
        theirs = key_inputs(data.fields, key, data.registry)
        pairs = agreeing(mine, theirs)
        listed, registered, shared = pairs
        stranger = data.truth[listed] != registered
        chance = stranger.sum() / len(data.truth) / len(data)
        use = open_rows[listed]
        outcome = settle(len(data.truth), listed[use], registered[use], shared[use], key.weak)
        hit = outcome != NOBODY
        right = (outcome >= 0) & (outcome == data.truth)
        asked = int(open_rows[mine.record].sum())
        yield KeyMeasure(
            " ".join(key.exact), len(theirs) / len(data), asked, int(right.sum()),
            int(((outcome >= 0) & ~right).sum()), int((outcome == UNCLEAR).sum()), float(chance),
        )  # fmt: skip
        if not alone:
            open_rows &= ~hit


NOBODY, UNCLEAR = -1, -2


def agreeing(mine, theirs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs (listed row, registry row) that share an input, and whether others share it too."""
    registry = pa.table({"message": theirs.messages, "registered": theirs.record})
    counts = registry.group_by("message").aggregate([("registered", "count")])
    registry = registry.join(counts, "message")
    listed = pa.table({"message": mine.messages, "listed": mine.record})
    both = listed.join(registry, "message", join_type="inner")
    return (
        both["listed"].to_numpy(),
        both["registered"].to_numpy(),
        both["registered_count"].to_numpy() > 1,
    )


def settle(
    count: int, listed: np.ndarray, registered: np.ndarray, shared: np.ndarray, weak: bool
) -> np.ndarray:
    """The registry row of each listed row, UNCLEAR if several or shared, NOBODY if none."""
    highest = np.full(count, NOBODY)
    lowest = np.full(count, np.iinfo(np.int64).max)
    np.maximum.at(highest, listed, registered)
    np.minimum.at(lowest, listed, registered)
    unclear = np.zeros(count, bool)
    if weak:
        unclear[listed[shared]] = True
    unclear |= (highest != lowest) & (highest >= 0)
    return np.where(unclear, UNCLEAR, highest)


# Keys that were considered


def drops(name: str) -> Iterator[str]:
    """All tokens, and all but one."""
    tokens = sorted(sound(t) for t in name.split(" "))
    yield " ".join(tokens)
    if len(tokens) > 2:
        yield from (" ".join(tokens[:i] + tokens[i + 1 :]) for i in range(len(tokens)))


def nik_edits(nik: str) -> Iterator[str]:
    """The NIK with each digit left out; one that lost a digit as it is."""
    if len(nik) == 15:
        yield nik
    elif len(nik) == 16:
        yield from (nik[:i] + nik[i + 1 :] for i in range(16))


def nik_parts(nik: str) -> Iterator[str]:
    """Two of district, birth date, serial number, as far as damage elsewhere leaves them whole."""
    yield f"{nik[:12]}----"
    yield f"{nik[:6]}------{nik[-4:]}"
    yield f"------{nik[-10:]}"


#: Derivations that were measured and not taken.
REJECTED = {
    (Kind.PERSON_NAME, "drops"): (drops, 6),
    (Kind.PERSON_NAME, "joined"): (lambda name: ["".join(map(sound, name.split(" ")))], 1),
    (Kind.DATE, "year_day"): (lambda date: [date[:4] + date[7:]], 1),
    (Kind.DATE, "month_day"): (lambda date: [date[5:]], 1),
    (Kind.NIK, "edits"): (nik_edits, 16),
    (Kind.NIK, "parts"): (nik_parts, 3),
}
BIRTH = "tanggal_lahir"
#: By the field that a set of data must have; each is tried for what those before left open.
CONSIDERED = {
    "nik": [
        ["nik", "nama:phonetic_first"],
        ["nik", f"{BIRTH}:year_month"],
        ["nik:area", "nama:phonetic", BIRTH],
        ["nik:area", "nama:phonetic", f"{BIRTH}:year_month"],
        ["nik:area", "nama:phonetic", f"{BIRTH}:year"],
        ["nik:area", "nama:edits", BIRTH],
        ["nik:area", "nama:phonetic_first", BIRTH],
        ["nik:parts", "nama:phonetic", f"{BIRTH}:year_month"],
        ["nik:edits", "nama:phonetic", f"{BIRTH}:year_month"],
    ],
    "nip": [["nip", "nama:phonetic_first"], ["nip", f"{BIRTH}:year_month"]],
    "kode": [["kode", "nama:phonetic", BIRTH]],
    "paspor": [
        ["paspor", BIRTH],
        ["paspor", "nama:phonetic_first", "kewarganegaraan"],
        ["paspor:edits", BIRTH, "kewarganegaraan"],
        ["nama:phonetic", BIRTH, "kewarganegaraan"],
    ],
    "alamat": [["nama:phonetic", BIRTH, "alamat:sorted"]],
    "tempat_lahir": [["nama:phonetic", BIRTH, "tempat_lahir:phonetic"]],
    "nama": [
        ["nama:phonetic", BIRTH],
        ["nama:joined", BIRTH],
        ["nama:drops", BIRTH],
        ["nama:pairs", BIRTH],
        ["nama:edits", BIRTH],
        ["nama:phonetic", f"{BIRTH}:unordered"],
        ["nama:phonetic", f"{BIRTH}:year_month"],
        ["nama:phonetic", f"{BIRTH}:year_day"],
        ["nama:phonetic", f"{BIRTH}:month_day"],
    ],
    "npwp": [
        ["npwp", "nama_usaha:phonetic_first"],
        ["nib", "nama_usaha:phonetic_first"],
        ["npwp", "kbli"],
        ["telepon", "nama_usaha:phonetic_first"],
        ["email", "nama_usaha:phonetic_first"],
        ["nama_usaha:phonetic", "alamat:sorted"],
        ["nama_usaha:phonetic", "kbli"],
    ],
}
LAST = {"nik": ["nik"], "nip": ["nip"], "paspor": ["paspor"], "npwp": ["npwp"]}


def considered(fields: Schema) -> tuple[DirectKey, ...]:
    """Every key that was tried and that the fields allow, whole identifiers alone at the end."""
    for (kind, derivation), (maker, limit) in REJECTED.items():
        MAKERS[kind, derivation] = maker
        MANY_VALUED.setdefault(kind, {})[derivation] = limit
    names = {f.name for f in fields.fields}
    chosen = [e for name, group in CONSIDERED.items() if name in names for e in group]
    chosen += [e for name, e in LAST.items() if name in names]
    return tuple(
        DirectKey(id=f"k{i}", exact=tuple(e), weak=not set(e) & {*LAST, "nib", "kode"})
        for i, e in enumerate(chosen)
        if {part.partition(":")[0] for part in e} <= names
    )


def report(data: Data, rows: Iterator[KeyMeasure]) -> None:
    """Print one table."""
    listed = int((data.truth >= 0).sum())
    print(f"\n{data.name}: {len(data.truth)} rows, {listed} in a registry of "  # noqa: T201
          f"{len(data)}")  # fmt: skip
    print(f"{'key':<52}{'tags':>6}{'asked':>9}{'found %':>9}{'wrong':>7}{'unclear':>8}"  # noqa: T201
          f"{'precision':>10}{'1/chance':>10}{'strangers':>10}")  # fmt: skip
    for m in rows:
        precision = m.right / max(1, m.right + m.wrong)
        values = 1 / m.chance if m.chance else float("inf")
        print(f"{m.key:<52}{m.tags:>6.2f}{m.asked:>9}{100 * m.right / listed:>9.2f}"  # noqa: T201
              f"{m.wrong:>7}{m.ambiguous:>8}{precision:>10.4f}{values:>10.1e}"
              f"{data.expected * m.chance:>10.1e}")  # fmt: skip


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*")
    parser.add_argument("--population", type=int, default=200_000)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--candidate-keys", action="store_true")
    parser.add_argument("--alone", action="store_true", help="each key on all rows")
    options = parser.parse_args()
    for name in options.data or ["asn-status", "izin-tinggal", "p3ke", "febrl4_p33"]:
        started = time.perf_counter()
        if (options.shared / name).exists():
            data = developed(name, options.shared)
        else:
            data = generated(name, options.population, options.candidates)
        if options.candidate_keys:
            report(data, measure(data, considered(data.fields), alone=options.alone))
        else:
            report(data, measure(data, data.keys, alone=options.alone))
        print(f"({time.perf_counter() - started:.0f} s)")  # noqa: T201


if __name__ == "__main__":
    main()

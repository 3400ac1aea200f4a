"""Two registers of the same people: the measured rates, and a label for everything that differs."""

import re
from dataclasses import dataclass, field

import pyarrow.csv as pacsv
import pytest

from padan_client.generate import Level, ProfileName, Request, write_files

ROWS = 12_000
#: Labels of a name written otherwise, not of another name.
FORMAT = {"name.case", "name.title_form", "name.title_dropped"}
DATE_PARTS = {"date.day", "date.year", "date.month", "date.two", "date.all", "date.swap"}


@dataclass
class Made:
    """The files of one request, read again."""

    registry: dict[str, list[str]]
    listed: dict[str, list[str]]
    pairs: list[tuple[int, int]]
    labels: dict[tuple[str, int, str], set[str]] = field(default_factory=dict)

    def of_pair(self, pair: tuple[int, int], column: str) -> set[str]:
        """What is wrong with a column in the list or the registry."""
        none: set[str] = set()
        return self.labels.get(("list", pair[0], column), none) | self.labels.get(
            ("registry", pair[1], column), none
        )

    def share(self, happens) -> float:
        """Share of the pairs."""
        return sum(map(happens, self.pairs)) / len(self.pairs)

    def differ(self, column: str) -> float:
        """Share of the pairs that differ, capitals aside."""
        return self.share(
            lambda p: self.listed[column][p[0]].lower() != self.registry[column][p[1]].lower()
        )


def columns(path):
    header = path.read_text("utf-8").splitlines()[0].replace('"', "").split(",")
    types = dict.fromkeys(header, "string")
    table = pacsv.read_csv(
        path, convert_options=pacsv.ConvertOptions(column_types=types, strings_can_be_null=False)
    )
    return {name: table[name].to_pylist() for name in table.column_names}


def made(folder, level, rows=ROWS, seed=7):
    request = Request(ProfileName.REGISTER, rows, seed, level, listed=rows)
    write_files(request, folder, lambda done, total: None)
    registry, listed = columns(folder / "registry.csv"), columns(folder / "list.csv")
    rows_of = {
        side: {name: row for row, name in enumerate(table["id"])}
        for side, table in (("list", listed), ("registry", registry))
    }
    truth, errors = columns(folder / "truth.csv"), columns(folder / "errors.csv")
    pairs = [
        (rows_of["list"][a], rows_of["registry"][b])
        for a, b in zip(truth["rec_id_a"], truth["rec_id_b"], strict=True)
    ]
    result = Made(registry, listed, pairs)
    for row, side, column, error in zip(*errors.values(), strict=True):
        result.labels.setdefault((side, int(row), column), set()).add(error)
    return result


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    return made(tmp_path_factory.mktemp("real"), Level.REAL)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return made(tmp_path_factory.mktemp("clean"), Level.CLEAN)


def within(measured):
    """Within 20 % of what was measured."""
    return pytest.approx(measured, rel=0.2)


def test_pairs_differ_as_often_as_measured(real):
    raw = real.share(lambda p: real.listed["nama"][p[0]] == real.registry["nama"][p[1]])
    assert raw == within(0.50)
    stripped = real.share(lambda p: real.of_pair(p, "nama") <= FORMAT)
    assert stripped == pytest.approx(0.87, abs=0.2 * 0.13)
    assert real.differ("tempat_lahir") == within(0.20)
    assert real.differ("agama") == within(0.17)


def test_birth_dates_are_wrong_and_missing_as_often_as_measured(real):
    missing = {"date.missing"}
    assert real.share(lambda p: missing <= real.of_pair(p, "tanggal_lahir")) == within(0.048)
    wrong = [real.of_pair(p, "tanggal_lahir") & DATE_PARTS for p in real.pairs]
    assert sum(map(bool, wrong)) / len(wrong) == within(0.060)
    kinds = [kind for labels in wrong for kind in labels]
    assert kinds.count("date.day") / len(kinds) == within(14 / 32)
    assert kinds.count("date.year") / len(kinds) == within(9 / 32)
    assert set(kinds) == DATE_PARTS


def test_titles_and_tokens_are_as_in_the_register(real):
    names = real.registry["nama"]
    assert sum("," in n for n in names) / ROWS == within(0.52)
    assert sum(bool(re.search(r"\b(H|Hj|HJ)\.? ", n)) for n in names) / ROWS == within(0.24)
    front = re.compile(r"^(Prof|PROF|Dr|DR|dr|Drs|DRS|Dra|DRA|Ir|IR)\b")
    assert sum(bool(front.match(n)) for n in names) / ROWS == within(0.23)


def test_the_same_seed_makes_the_same_people_at_every_level(real, clean):
    assert clean.pairs == real.pairs
    assert not clean.labels
    # Labels say exactly which cells differ from what is true.
    sides = {"registry": (clean.registry, real.registry), "list": (clean.listed, real.listed)}
    for side, (true, seen) in sides.items():
        differing = {
            (side, row, column)
            for column in true
            for row, (a, b) in enumerate(zip(true[column], seen[column], strict=True))
            if a != b
        }
        assert differing == {cell for cell in real.labels if cell[0] == side}


def test_clean_registers_differ_in_the_form_of_dates_alone(clean):
    for column in ("nama", "tempat_lahir", "agama", "jenis_kelamin"):
        assert clean.differ(column) == 0


def test_three_times_as_much_goes_wrong(real, tmp_path):
    tripled = made(tmp_path, Level.X3)
    for error in ("date.day", "name.spelling", "place.other", "religion.missing"):
        counts = [sum(error in e for e in m.labels.values()) for m in (real, tripled)]
        assert counts[1] / counts[0] == pytest.approx(3, rel=0.2)

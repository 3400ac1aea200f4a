"""The five example agreements, from the file to the codes: one unit serves them all.

Keys, files and signatures are made with the commands that people type; the data are generated. The
clock is set inside each term, and outside it to be refused.
"""

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pytest
from e2e_population import AGREEMENTS, found_town, inside, outside, padan, padan_json
from e2e_truth import given_codes, normal_values, score, true_check, true_codes

from padan_client import ConfirmResult, RefusedError
from padan_lab.demo.registries import dressed, in_words
from padan_lab.generate import Demo, generate_demo
from padan_linkage.agreement import EXAMPLE_IDS, Flow

POPULATION, CANDIDATES, SEED = 600, 400, 1

FLOWS = (
    ("kemnaker-bkn-2024", "asn-status"),
    ("bpjstk-imigrasi-2023", "paspor"),
    ("bpjstk-imigrasi-2023", "perlintasan"),
    ("bpjstk-imigrasi-2023", "izin-tinggal"),
    ("kemnaker-bpjskes-2020", "badan-usaha"),
    ("kemnaker-bpjskes-2020", "pekerja-wlkp"),
    ("kemenkopmk-kemnaker-2023", "balikan-bnba"),
    ("bpjskes-bkn-2016", "peserta-pns"),
)
#: Where each document says when its term begins, and that it has ended.
ARTICLES = {
    "kemnaker-bkn-2024": ("Pasal 6 ayat (1)", "Pasal 6 ayat (1)"),
    "bpjstk-imigrasi-2023": ("Pasal 11 ayat (1)", "Pasal 11 ayat (3)"),
    "kemnaker-bpjskes-2020": ("Pasal 8 ayat (1)", "Pasal 8 ayat (1)"),
    "kemenkopmk-kemnaker-2023": ("Pasal 8 ayat (1)", "Pasal 8 ayat (1)"),
    "bpjskes-bkn-2016": ("Pasal 7 ayat (1)", "Pasal 7 ayat (1)"),
}
#: Eight seeds of every flow gave a precision of 1 (once .995: one wrong of 201) and a recall of
#: .955 to 1; only foreigners, whose names are written in many ways, came down to .94. Keys are new
#: each time, so the fixed seed does not fix the last digit.
PRECISION, RECALL = 0.985, 0.95
#: Crossings have passport and name alone: whose passport number was mistyped cannot be found.
LOWER_RECALL = {"izin-tinggal": 0.92, "perlintasan": 0.8}


@dataclass(frozen=True)
class PlayedFlow:
    """One flow, played once for all tests."""

    flow: Flow
    demo: Demo
    registry: pa.Table
    published: int
    result: ConfirmResult

    @property
    def rows(self) -> list[dict]:
        """The result, row by row."""
        return self.result.table.to_pylist()


@pytest.fixture(scope="module")
def town(session_pki, tmp_path_factory):
    made = found_town(tmp_path_factory.mktemp("town"), *session_pki)
    yield made
    made.close()


@pytest.fixture(scope="module")
def play(town):
    """Runs a flow inside its term, once."""
    played = {}

    def run(agreement_id, flow_id):
        if (agreement_id, flow_id) not in played:
            agreement = AGREEMENTS[agreement_id]
            flow = agreement.flow(flow_id)
            town.go_to(inside(agreement))
            town.turn_epoch(agreement_id, flow)
            demo = generate_demo(in_words(flow), POPULATION, CANDIDATES, SEED)
            registry = dressed(flow, demo.registry, town.clock.moment.date(), SEED)
            published = town.publish(agreement_id, flow, registry, town.clock.moment.date())
            result = town.confirm(agreement_id, flow, demo.requests)
            played[agreement_id, flow_id] = PlayedFlow(flow, demo, registry, published.rows, result)
        return played[agreement_id, flow_id]

    return run


# The file


@pytest.mark.parametrize("agreement_id", EXAMPLE_IDS)
def test_the_example_lacks_its_parties_keys_and_nothing_else(agreement_id, town, tmp_path):
    target = tmp_path / f"{agreement_id}.toml"
    padan(tmp_path, "agreement", "new", "--from", agreement_id, "--out", target)
    at = ("--at", inside(AGREEMENTS[agreement_id]).strftime("%Y-%m-%d"))
    found = padan_json(tmp_path, "agreement", "lint", target, *at, code=3)
    assert {f["code"] for f in found["findings"]} == {"key-missing", "pin-missing"}
    padan(tmp_path, "agreement", "verify", target, code=7)

    signed = town.agreements / target.name
    told = padan_json(tmp_path, "agreement", "lint", signed, *at)["findings"]
    asked = {"accepts-repeats", "accepts-deltas", "lists-many"}  # as the town's tests ask
    assert {f["code"] for f in told} == asked
    given = padan_json(tmp_path, "agreement", "verify", signed)
    assert given["signed_by"] == sorted(p.id for p in AGREEMENTS[agreement_id].parties)


@pytest.mark.parametrize("agreement_id", EXAMPLE_IDS)
def test_the_agreement_is_shown_in_its_own_words(agreement_id, town):
    agreement = AGREEMENTS[agreement_id]
    signed = town.agreements / f"{agreement_id}.toml"
    shown = padan_json(town.folder, "agreement", "show", signed)
    flows = shown["agreement"]["flow"]
    assert [f["id"] for f in flows] == [f.id for f in agreement.flows]
    text = padan(town.folder, "agreement", "show", signed)
    assert agreement.title in " ".join(text.split())
    for said in (*agreement.numbers, *(p.name for p in agreement.parties)):
        assert said in text
    for flow in agreement.flows:
        for said in (flow.id, *flow.basis, *(f"«{code.text}»" for code in flow.codes)):
            assert said in text


def test_status_says_on_any_day_which_agreements_are_in_force_and_by_which_article(town):
    for agreement_id, (beginning, ended) in ARTICLES.items():
        agreement = AGREEMENTS[agreement_id]
        for day, state, article in (
            (outside(agreement)["AGREEMENT_NOT_STARTED"], "pending", beginning),
            (inside(agreement), "in_force", beginning),
            (outside(agreement)["AGREEMENT_EXPIRED"], "expired", ended),
        ):
            at = day.strftime("%Y-%m-%d")
            given = padan_json(town.folder, "agreement", "status", town.agreements, "--at", at)
            found = {a["agreement"]: (a["state"], a["article"]) for a in given["agreements"]}
            assert found[agreement_id] == (state, article), at


# Inside the term


@pytest.mark.parametrize("names", FLOWS, ids=lambda names: names[1])
def test_codes_are_true(names, play):
    played = play(*names)
    scored = score(in_words(played.flow), played.demo, played.result.table)
    assert scored.listed == CANDIDATES // 2
    assert scored.precision >= PRECISION
    assert scored.recall >= LOWER_RECALL.get(played.flow.id, RECALL)


@pytest.mark.parametrize("names", FLOWS, ids=lambda names: names[1])
def test_every_row_comes_back_with_the_agreement_s_wording(names, play):
    played = play(*names)
    flow, rows = played.flow, played.rows
    assert [row["id"] for row in rows] == played.demo.requests["id"].to_pylist()
    assert played.published >= 0.99 * POPULATION
    # Without a passport number nothing of a crossing can be compared.
    unusable = 0.08 if flow.id == "perlintasan" else 0.02
    assert sum(row["edisi"] == "" for row in rows) <= unusable * CANDIDATES
    wording = {code.code: code.text for code in (*flow.codes, flow.not_found)}
    for row in rows:
        if row["hasil"] in {"ditemukan", "tidak_ditemukan"}:
            expected = "; ".join(wording[code] for code in row["kode"].split("; "))
            assert row["keterangan"] == expected
        if row["hasil"] == "tidak_ditemukan":
            assert row["kode"] == flow.not_found.code
    counted = Counter(code for row in rows for code in (row["kode"] or row["hasil"]).split("; "))
    assert {code: n for code, n in played.result.counts.items() if n} == counted


@pytest.mark.parametrize(
    "names", [n for n in FLOWS if n[1] in {"pekerja-wlkp", "peserta-pns"}], ids=lambda n: n[1]
)
def test_field_confirmations_are_true(names, play):
    """Every check of every found row, against the two sides' normalised values."""
    played = play(*names)
    flow, demo = played.flow, played.demo
    mine, theirs = normal_values(flow, demo.requests), normal_values(flow, demo.registry)
    listed = demo.truth["registry_row"].to_pylist()
    seen, untrue = Counter(), []
    for at, row in enumerate(played.rows):
        if row["hasil"] != "ditemukan" or listed[at] is None:
            continue
        for name in flow.confirm:
            given = row[f"periksa_{name}"]
            true = true_check(flow, row["jalur"], name, mine[name][at], theirs[name][listed[at]])
            seen[given] += 1
            if given != true:
                untrue.append((row["id"], row["jalur"], name, given, true))
    assert untrue == []
    assert seen["SESUAI"] > 700
    assert seen["BERBEDA"] > 50
    assert seen["KOSONG"] >= 1
    assert seen["TIDAK DIPERIKSA"] < 0.3 * sum(seen.values())


def test_a_field_that_differs_is_corrected_by_the_side_without_authority(play):
    played = play("bpjskes-bkn-2016", "peserta-pns")
    correct_at = {"nik": "BKN"}
    differing = Counter()
    for row in played.rows:
        for name in played.flow.confirm:
            differs = row[f"periksa_{name}"] == "BERBEDA"
            differing[name] += differs
            party = correct_at.get(name, "BPJS Kesehatan")
            assert row[f"perbaiki_{name}"] == (f"perbaiki di {party}" if differs else "")
    assert differing["nik"]
    assert differing["nama"]
    other = play("kemnaker-bpjskes-2020", "pekerja-wlkp")  # nobody is named there
    assert not [name for name in other.result.table.column_names if name.startswith("perbaiki_")]


def test_codes_by_date_state_their_day(play, town):
    """A passport that ends today is valid; the day of publishing comes with every answer."""
    played = play("bpjstk-imigrasi-2023", "paspor")
    day = inside(AGREEMENTS["bpjstk-imigrasi-2023"]).date().isoformat()
    stated = {(row["hasil"] == "ditemukan", row["per_tanggal"]) for row in played.rows}
    assert stated == {(True, day), (False, "")}


def test_several_codes_hold_at_once(play):
    played = play("kemenkopmk-kemnaker-2023", "balikan-bnba")
    given = given_codes(played.flow, played.result.table)
    true = true_codes(played.flow, played.demo)
    for size in (1, 2, 3):
        both = [t == g for t, g in zip(true, given, strict=True) if len(t) == size and g]
        assert sum(both) >= 10
        assert sum(both) >= PRECISION * len(both)


def test_a_further_group_of_codes_has_its_own_column(play):
    played = play("kemnaker-bpjskes-2020", "badan-usaha")
    rows = [row for row in played.rows if row["hasil"] == "ditemukan"]
    assert {row["kode"] for row in rows} == {"TERDAFTAR_JKN"}
    assert {row["jawaban_jumlah-pekerja"] for row in rows} == {
        "PEKERJA_1_4",
        "PEKERJA_5_19",
        "PEKERJA_20_99",
        "PEKERJA_100",
    }


@pytest.mark.parametrize("names", FLOWS, ids=lambda names: names[1])
def test_real_time_answers_where_the_agreement_allows_it(names, play, town):
    played = play(*names)
    agreement_id, flow = names[0], played.flow
    town.go_to(inside(AGREEMENTS[agreement_id]))
    asked = played.demo.requests.slice(0, 40)
    with town.requester(agreement_id, flow) as client:
        if not flow.real_time:
            with pytest.raises(RefusedError) as refused:
                client.confirm_few(asked, id_column="id")
            assert refused.value.reason == "MODE_NOT_PERMITTED"
            assert refused.value.metadata["article"] == flow.basis[0]
            return
        few = client.confirm_few(asked, id_column="id").table
    many = played.result.table.slice(0, 40)
    same = [a == b for a, b in zip(few["kode"].to_pylist(), many["kode"].to_pylist(), strict=True)]
    # A list is calibrated on itself, a question on the registry alone: a doubtful row may differ.
    assert sum(same) >= 38


# Outside the term


@pytest.mark.parametrize("names", FLOWS, ids=lambda names: names[1])
def test_outside_the_term_nothing_is_exchanged_and_the_article_is_named(names, play, town):
    agreement_id, flow_id = names
    agreement, played = AGREEMENTS[agreement_id], play(*names)
    asked = played.demo.requests.slice(0, 20)
    for article, (reason, moment) in zip(
        ARTICLES[agreement_id], outside(agreement).items(), strict=True
    ):
        town.go_to(moment)
        held = sorted(p.name for p in (town.data / "datasets").iterdir())
        with pytest.raises(RefusedError) as publishing:
            town.publish(agreement_id, played.flow, played.registry)
        with pytest.raises(RefusedError) as confirming:
            town.confirm(agreement_id, played.flow, asked)
        for refused in (publishing, confirming):
            assert refused.value.reason == reason
            assert refused.value.metadata["article"] == article
            assert refused.value.metadata["flow"] == flow_id
            assert article in str(refused.value)
        assert sorted(p.name for p in (town.data / "datasets").iterdir()) == held

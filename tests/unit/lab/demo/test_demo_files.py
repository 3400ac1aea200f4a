"""Files for the demonstration: those that are generated fit their flows, and a truth is judged."""

import datetime as dt
from types import SimpleNamespace

import pyarrow as pa
import pytest

from padan_client.base.errors import BadInputError
from padan_client.records import prepare, read_table
from padan_client.records.registry import prepare_registry
from padan_lab.cli import demo_files
from padan_lab.demo.flows import ChosenFlow
from padan_lab.demo.judging import SeenRows, differing, judge, right_answers
from padan_lab.demo.registries import flow_files
from padan_lab.generate import FileRequest, Format, Level, PopulationProfile, write_files
from padan_linkage.agreement import EXAMPLE_IDS, FlowKind, example, load_agreement

CONFIRMING = [
    (name, flow.id)
    for name in EXAMPLE_IDS
    for flow in load_agreement(example(name)).flows
    if flow.kind is FlowKind.CONFIRMATION
]
#: Whose files a flow can be asked with as they are; the other flows' files are made by --flow.
OF_PROFILE = {
    "asn-status": PopulationProfile.ASN,
    "asn-perbaikan": PopulationProfile.ASN,
    "jf-binaan": PopulationProfile.ASN,
    "pekerja-jkn": PopulationProfile.JKN,
    "paspor": PopulationProfile.IMIGRASI,
    "perlintasan": PopulationProfile.IMIGRASI,
    "izin-tinggal": PopulationProfile.IMIGRASI,
    "p3ke": PopulationProfile.P3KE,
    "potensi-badan-usaha": PopulationProfile.WLKP,
}
CHOSEN = ChosenFlow.of(None, "asn-status", "unit")
FLOW = CHOSEN.flow


def written(folder, kind, dress=None, **wanted):
    """Three hundred registry rows, as files."""
    request = FileRequest(kind, 300, 3, Level.REAL, 200, 0.5, Format.CSV, dress=dress, **wanted)
    return write_files(request, folder, lambda _done, _total: None).files


def assert_they_fit(flow, files):
    registry, listed = read_table(files["registry"]), read_table(files["list"])
    made = prepare_registry(
        flow, flow.schema, registry,
        columns=None, id_column="id", status_columns=None, as_of=dt.date(2024, 7, 1),
    )  # fmt: skip
    assert len(made) > 0.95 * 300
    assert prepare(listed, flow.schema, None, "id").usable.mean() > 0.85
    pairs = read_table(files["truth"]).to_pylist()
    assert len({pair["rec_id_a"] for pair in pairs}) == 100
    assert {pair["rec_id_a"] for pair in pairs} <= set(listed["id"].to_pylist())
    assert {pair["rec_id_b"] for pair in pairs} <= set(registry["id"].to_pylist())


@pytest.mark.parametrize(("agreement", "flow_id"), CONFIRMING)
def test_files_of_a_flow_need_no_hand_work(agreement, flow_id, tmp_path):
    flow = ChosenFlow.confirming(None, f"{flow_id}/{agreement}", "unit").flow
    plan, dress = flow_files(flow, 3)
    assert_they_fit(flow, written(tmp_path, plan, dress))


@pytest.mark.parametrize("flow_id", OF_PROFILE)
def test_files_of_a_profile_need_no_hand_work(flow_id, tmp_path):
    flow = ChosenFlow.confirming(None, flow_id, "unit").flow
    assert_they_fit(flow, written(tmp_path, OF_PROFILE[flow_id]))


def test_copies_are_rows_about_somebody_of_another_row(tmp_path):
    files = written(tmp_path, PopulationProfile.ASN, copies=0.1)
    registry = read_table(files["registry"]).to_pylist()
    errors = read_table(files["errors"]).to_pylist()
    repeated = [e for e in errors if e["error"] == "row.repeated"]
    again = [registry[int(e["row"])] for e in repeated if e["side"] == "registry"]
    assert len(again) == 30
    numbers = [row["nik"] for row in registry]
    assert sum(numbers.count(row["nik"]) > 1 for row in again) > 25


@pytest.mark.parametrize(
    ("agreement", "flow_id", "mode"),
    [(None, "tiada", "unit"), (None, "asn-status/tiada", "unit"), (None, "asn-status", "surat"),
     (None, "referensi", "unit"), ("tiada.toml", "asn-status", "unit")],
)  # fmt: skip
def test_a_flow_that_cannot_be_asked_is_refused(agreement, flow_id, mode):
    with pytest.raises(BadInputError):
        ChosenFlow.confirming(agreement, flow_id, mode)


def test_an_agreement_of_one_s_own_is_a_file(tmp_path):
    (tmp_path / "kami.toml").write_bytes(example("kemenkopmk-kemnaker-2023"))
    chosen = ChosenFlow.confirming(str(tmp_path / "kami.toml"), "p3ke", "direct")
    assert chosen.agreement_id == "kemenkopmk-kemnaker-2023"


def test_weak_keys_open_alone_where_the_demonstration_says_so():
    chosen = ChosenFlow.confirming(None, "asn-status", "auto")
    keys = chosen.opening_alone().flow.direct.keys
    assert [key.id for key in keys if key.alone] == [
        k.id for k in chosen.flow.direct.keys if k.weak
    ]
    assert not any(key.alone for key in chosen.flow.direct.keys)


@pytest.mark.parametrize(
    ("flow_id", "mode"),
    [("asn-status", "unit"), ("perlintasan", "direct"), ("asn-perbaikan", "unit")],
)
def test_there_have_to_be_weak_keys_to_open_alone(flow_id, mode):
    with pytest.raises(BadInputError, match="--weak-alone"):
        ChosenFlow.confirming(None, flow_id, mode).opening_alone()


def truth_of(tmp_path, text):
    """Right answers of a truth file about the list K1 … K4 and the registry R1 … R3."""
    (tmp_path / "t.csv").write_text(text)
    registry = {"R1": "ASN_AKTIF", "R2": "ASN_PENSIUN", "R3": ""}
    return right_answers(tmp_path / "t.csv", FLOW, {"K1", "K2", "K3", "K4"}, registry)


def test_a_truth_names_rows_or_codes_and_may_be_of_nobody(tmp_path):
    aktif, pensiun = frozenset({"ASN_AKTIF"}), frozenset({"ASN_PENSIUN"})
    rows = truth_of(tmp_path, "rec_id_b,x,rec_id_a\nR1,1,K1\nR2,2,K2\nR3,3,K3\n,4,K4\n")
    assert rows == {"K1": aktif, "K2": pensiun}
    codes = truth_of(tmp_path, "id,kode\nK1,ASN_AKTIF\nK2,ASN_PENSIUN\nK3,TIDAK_DITEMUKAN\n")
    assert codes == rows
    assert truth_of(tmp_path, "rec_id_a,rec_id_b\n") == {}
    both = truth_of(tmp_path, "rec_id_a,rec_id_b\nK1,R1\nK1,R2\n")
    assert both == {"K1": aktif | pensiun}
    of_a_whole_file = truth_of(tmp_path, "rec_id_a,rec_id_b\nK1,R1\nK9,R1\n")
    assert of_a_whole_file["K1"] == aktif


@pytest.mark.parametrize(
    ("text", "row"),
    [("a,b\nK8,R1\nK9,R1\n", "1"), ("a,b\nK1,R1\nK2,R9\n", "2"), ("a,b\nK1,ASN_MATI\n", "1")],
)
def test_a_truth_about_others_is_refused_with_its_rows(tmp_path, text, row):
    with pytest.raises(BadInputError, match=rf"(baris|rows) {row}"):
        truth_of(tmp_path, text)


def codes_of(**answers):
    """A result: id → (hasil, kode), and an edition."""
    return pa.table(
        {
            "row": list(range(1, len(answers) + 1)),
            "id": list(answers),
            "hasil": [hasil for hasil, *_ in answers.values()],
            "kode": [kode for _, kode, *_ in answers.values()],
            "edisi": [(*more, "e")[0] for _, _, *more in answers.values()],
        }
    )


def test_registered_people_and_strangers_are_counted_apart():
    right = {key: frozenset({"ASN_AKTIF"}) for key in ("K1", "K2", "K3")}
    given = codes_of(
        K1=("ditemukan", "ASN_AKTIF"),
        K2=("ditemukan", "ASN_PENSIUN"),
        K3=("tidak_ditemukan", "TIDAK_DITEMUKAN"),
        K4=("ditemukan", "ASN_AKTIF"),
        K5=("belum_dapat_dipastikan", ""),
        K6=("belum_dapat_dipastikan", "", ""),
    )
    told = judge(given, right)
    assert (told.score.in_registry, told.score.found, told.score.right) == (3, 3, 1)
    assert told.registered == {"ditemukan": 2, "tidak_ditemukan": 1}
    assert told.strangers == {"ditemukan": 1, "belum_dapat_dipastikan": 2}
    assert told.wrong_per_stranger == 0.5


def test_a_row_that_moves_is_seen():
    asked = pa.table({"id": ["K1", "K2", "K3"], "nik": ["1", "2", "1"]})
    calm = codes_of(K1=("ditemukan", "A"), K2=("ganda", ""), K3=("ditemukan", "A"))
    moved = codes_of(K1=("ditemukan", "A"), K2=("ditemukan", "A"), K3=("ditemukan", "A"))
    seen = SeenRows()
    assert seen.compare(asked, calm, "id") == {"rows": 1, "differing": 0}
    assert seen.compare(asked, moved, "id") == {"rows": 3, "differing": 1}
    assert differing(calm, moved) == 1
    assert differing(calm, calm) == 0


@pytest.mark.parametrize(("lists", "said"), [(1, False), (3, True)])
def test_what_several_lists_ask_of_the_agreement_is_said_with_its_reason(lists, said, capsys):
    site = SimpleNamespace(provider="bkn", requester="kemnaker", flow_id="asn-status", folder=".")
    chosen = CHOSEN.asked_often(lists)
    demo_files.show(SimpleNamespace(site=site, chosen=chosen, asked=()))
    printed = capsys.readouterr().out
    assert ("mengizinkan 3 daftar tiap epok" in printed) is said
    assert ("accepts: repeats, deltas" in printed) is said
    assert ("mengaitkan barisnya antarjalur" in printed) is said


def test_an_agreement_that_takes_several_lists_by_itself_is_left_alone():
    widened = CHOSEN.asked_often(3)
    own = ChosenFlow(widened.agreement_id, widened.document, widened.flow, "unit")
    assert own.asked_often(3).document == widened.document
    assert not own.asked_often(3).widened

"""Minutes of a confirmation: written, signed by both sides, and found out when changed."""

import hashlib
import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from e2e_population import AGREEMENTS, Town, padan, padan_json

from padan_client import BadInputError, ConfirmResult, VerificationError
from padan_client.results import minutes
from padan_client.results.corrections import corrections, summarise
from padan_client.results.shared_counts import SharedCounts

AGREEMENT, FLOW = "kemenkopmk-kemnaker-2023", "p3ke"
NOW = datetime(2024, 2, 28, 3, 4, 5, tzinfo=UTC)
SALT = b"s" * 32
ANSWERS = b"row,id,kode\n1,K1,P3KE_DESIL_1\n"


@pytest.fixture
def town(session_pki, tmp_path):
    """Two agencies with a signed agreement; no unit is needed."""
    made = Town(tmp_path, *session_pki)
    made.found_parties(("kemenkopmk", "kemnaker"))
    made.sign(AGREEMENT)
    made._tell(1)
    return made


@pytest.fixture
def written(town):
    """The requester's minutes of a confirmation."""
    home = town.opened("kemnaker")
    place = home.place(AGREEMENT, FLOW)
    result = ConfirmResult(
        table=pa.table(
            {
                "id": ["K1", "K2", "K3", "K4"],
                "hasil": ["ditemukan", "tidak_ditemukan", "karantina", "belum_dapat_dipastikan"],
                "alasan": ["", "", "no_pass", "ruas_kurang"],
            }
        ),
        quarantine=pa.table({"row": [3]}),
        counts={
            "P3KE_DESIL_1": 1,
            "TIDAK_DITEMUKAN": 1,
            "karantina": 1,
            "belum_dapat_dipastikan": 1,
        },
        run="agreements/a/flows/f/runs/0f",
    )
    path = town.folder / "bast.json"
    counts = {"P3KE_DESIL_1": 3500, "TIDAK_DITEMUKAN": 490}
    told = SharedCounts(4000, counts, ("karantina",), 25)
    made = minutes.document(place, result, told, "unit", ANSWERS, SALT, NOW)
    minutes.write(home, path, made, place, SALT)
    return path


def test_both_sides_sign_and_either_verifies(town, written):
    first = padan_json(town.home("kemenkopmk"), "minutes", "verify", written)
    assert (first["signed_by"], first["missing"]) == (["kemnaker"], ["kemenkopmk"])
    padan(town.home("kemenkopmk"), "minutes", "sign", written, code=3)
    assert not list(town.folder.glob("bast.json.kemenkopmk.sig")), "nobody was asked"
    padan(town.home("kemenkopmk"), "minutes", "sign", written, "--yes")
    for party in ("kemnaker", "kemenkopmk"):
        checked = padan_json(town.home(party), "minutes", "verify", written)
        assert checked["missing"] == []
        assert checked["counts"] == {"P3KE_DESIL_1": 3500, "TIDAK_DITEMUKAN": 490}
        assert (checked["rows"], checked["counted"], checked["small"]) == (4, 4000, ["karantina"])
        assert checked["quarantined"] == 25
    assert checked["duty"] == "Berita Acara Serah Terima, setiap serah terima"
    assert checked["article"] == "Pasal 6 ayat (1)"
    assert checked["ended"] == "2024-02-28T03:04:05Z"


def test_the_digest_commits_to_the_answers_and_not_to_a_guess(written):
    content = json.loads(written.read_text())
    salt = bytes.fromhex(written.with_name("bast.json.salt").read_text())
    assert content["answers_sha256"] == hashlib.sha256(salt + ANSWERS).hexdigest()
    assert content["answers_sha256"] != hashlib.sha256(ANSWERS).hexdigest()
    assert "K1" not in written.read_text()
    assert written.with_name("bast.json.salt").stat().st_mode & 0o077 == 0


def test_the_page_to_print_says_it_in_the_agreement_s_words(written):
    page = written.with_suffix(".txt").read_text()
    for said in (
        "Berita Acara Serah Terima",
        "003/PKS/DEP.1/KEMENKO/PMK/02/2023",
        "Kementerian Koordinator Bidang Pembangunan Manusia dan Kebudayaan",
        "P3KE desil 1",
        "tidak ditemukan",
        "Tidak dirinci karena sedikit: karantina",
        "PIHAK KEDUA",
        hashlib.sha256(written.read_bytes()).hexdigest(),
    ):
        assert said in page


def test_minutes_that_were_changed_are_found_out(town, written):
    changed = written.read_text().replace('"rows":4', '"rows":5')
    written.write_text(changed)
    home = town.opened("kemenkopmk")
    with pytest.raises(VerificationError, match="kemnaker"):
        minutes.verify(home, written)
    written.write_text(changed + " ")
    with pytest.raises(BadInputError):
        minutes.verify(home, written)
    other = json.loads(changed) | {"agreement_digest": "00" * 32}
    written.write_text(json.dumps(other, sort_keys=True, separators=(",", ":")))
    with pytest.raises(VerificationError, match="naskah"):
        minutes.sign(home, written)


def test_the_list_of_corrections_says_who_corrects_what():
    flow = AGREEMENTS["bpjskes-bkn-2016"].flow("peserta-pns")
    fields = {f"periksa_{name}": ["SESUAI", "BERBEDA", "KOSONG"] for name in flow.confirm}
    fields |= {
        f"perbaiki_{name}": ["", f"perbaiki di {'BKN' if name == 'nik' else 'BPJS Kesehatan'}", ""]
        for name in flow.confirm
    }
    bare = {"row": [1, 2, 3], "id": ["a", "b", "c"], "kode": ["PNS"] * 3}
    table = pa.table({**bare, "jalur": ["nip"] * 3, **fields})
    listed = corrections(flow, table).to_pylist()
    assert len(listed) == 2 * len(flow.confirm)
    assert {(r["ruas"], r["perbaikan"]) for r in listed if r["hasil_ruas"] == "BERBEDA"} == {
        (name, f"perbaiki di {'BKN' if name == 'nik' else 'BPJS Kesehatan'}")
        for name in flow.confirm
    }
    assert {r["id"] for r in listed if r["hasil_ruas"] == "KOSONG"} == {"c"}
    told = {f.field: (f.differs, f.empty, f.correct_at) for f in summarise(flow, table)}
    assert told["nik"] == (1, 1, "bkn")
    assert told["nama"] == (1, 1, "bpjskes")

"""`padan agreement`: what an officer and a script see."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from typer.testing import CliRunner, Result

from padan.v1 import agreement_service_pb2 as pb
from padan.v1 import agreement_service_pb2_grpc as pb_grpc
from padan.v1.reason_texts import ServerKind
from padan.v1.resources_pb2 import Handshake
from padan_client.cli.app import app
from padan_client.home.config import write_template
from padan_client.home.identity import create_identity, save_identity
from padan_client.transport.channel import Link, Methods
from padan_client.transport.waiting import Waiting
from padan_lab.demo.pki import Authority
from padan_linkage.agreement import EXAMPLE_IDS, agreement_digest, example, load_agreement
from padan_linkage.crypto.software import PROTOCOL

ID = "kemnaker-bkn-2024"
PARTIES = ("kemnaker", "bkn")
PASSPHRASE = "sapi goreng merah tua hujan"


@dataclass
class PartyHomes:
    """Home folders of both parties, and their public key files."""

    folder: Path
    servers: dict[str, Path]
    public: dict[str, Path] = field(default_factory=dict)

    def home(self, party: str) -> str:
        return str(self.folder / party)

    @property
    def file(self) -> Path:
        return self.folder / "agreements" / f"{ID}.toml"


@pytest.fixture(scope="module")
def servers(tmp_path_factory) -> dict[str, Path]:
    """Certificates of the unit and of both parties' servers of direct mode."""
    authority = Authority(tmp_path_factory.mktemp("tls"), datetime.now(UTC))
    return {name: authority.issue_server(name).certificate for name in ("unit", *PARTIES)}


@pytest.fixture
def agencies(tmp_path, monkeypatch, servers) -> PartyHomes:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PADAN_HOME", str(tmp_path / "tidak-ada"))
    agencies = PartyHomes(tmp_path, servers)
    for party in PARTIES:
        home = tmp_path / party
        home.mkdir()
        identity = create_identity(party, os.urandom)
        agencies.public[party] = save_identity(
            home, identity, passphrase=None, randomness=os.urandom
        )
    return agencies


def run(*arguments: str | Path, code: int = 0, lang: str = "id") -> Result:
    result = CliRunner().invoke(app, ["--lang", lang, "agreement", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def run_json(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
    return json.loads(run(*arguments, "--json", code=code).stdout)


def make(agencies: PartyHomes, *parties: str, source: str = ID) -> Path:
    keys = [a for p in parties or PARTIES for a in ("--party", f"{p}={agencies.public[p]}")]
    keys += ["--unit", agencies.servers["unit"]]
    keys += [a for p in PARTIES for a in ("--server", f"{p}={agencies.servers[p]}")]
    run("new", "--from", source, "--out", agencies.file, *keys)
    return agencies.file


def sign_all(agencies: PartyHomes) -> Path:
    path = make(agencies)
    for party in PARTIES:
        run("sign", path, "--home", agencies.home(party))
    return path


# -- new, lint --------------------------------------------------------------------------------


def test_new_fills_in_the_keys_and_lints_clean(agencies):
    path = make(agencies)
    agreement = load_agreement(path.read_bytes())
    public = json.loads(agencies.public["bkn"].read_text())
    assert agreement.party("bkn").sign_key == public["sign_key"]
    assert agreement.party("bkn").exchange_key == public["exchange_key"]
    assert run_json("lint", path) == {"file": str(path), "errors": 0, "warnings": 0, "findings": []}


def test_new_says_whose_keys_are_missing(agencies):
    out = agencies.file
    told = run_json("new", "--from", ID, "--out", out, "--party", f"bkn={agencies.public['bkn']}")
    assert told["missing_keys"] == ["kemnaker"]
    assert told["missing_pins"] == ["unit", "kemnaker", "bkn"]
    assert told["digest"] == agreement_digest(out.read_bytes()).hex()
    again = run_json(
        "new",
        "--from",
        out,
        "--out",
        out,
        "--force",
        "--party",
        f"kemnaker={agencies.public['kemnaker']}",
    )
    assert again["missing_keys"] == []


def test_new_does_not_overwrite(agencies):
    path = make(agencies)
    before = path.read_bytes()
    assert "--force" in run("new", "--from", ID, "--out", path, code=3).output
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "bukan-contoh"], "bukan contoh"),
        (["--from", ID, "--party", "bkn"], "PIHAK=BERKAS"),
        (["--from", ID, "--party", "bkn={kemnaker}"], "bukan bkn"),
        (["--from", ID, "--party", "imigrasi={bkn}"], "bukan pihak"),
        (["--from", ID, "--party", "bkn=tidak-ada.json"], "tidak terbaca"),
        (["--from", ID, "--party", "bkn={rusak}"], "bukan berkas kunci publik"),
    ],
)
def test_new_says_what_is_wrong(agencies, arguments, told):
    broken = agencies.folder / "rusak.json"
    broken.write_text('{"party": "bkn"}')
    named = {**{p: str(f) for p, f in agencies.public.items()}, "rusak": str(broken)}
    filled = [a.format(**named) if "=" in a else a for a in arguments]
    assert told in run("new", "--out", agencies.file, *filled, code=3).output.replace("\n", " ")
    assert not agencies.file.exists()


def test_lint_shows_places_and_fails_on_errors(agencies, tmp_path):
    path = tmp_path / f"{ID}.toml"
    path.write_bytes(example(ID))
    shown = run("lint", path, code=3).output
    assert "party[bkn].sign_key" in shown
    assert "belum diisi" in shown
    assert "not filled in" in run("lint", path, code=3, lang="en").output
    findings = run_json("lint", path, code=3)["findings"]
    assert {f["code"] for f in findings} == {"key-missing", "pin-missing"}


def test_lint_of_what_is_no_agreement(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text("bukan toml")
    assert run_json("lint", path, code=3)["findings"][0]["code"] == "file-syntax"
    assert "tidak terbaca" in run("lint", tmp_path / "tidak-ada.toml", code=3).output


# -- sign, verify -----------------------------------------------------------------------------


def test_signed_by_all_it_verifies(agencies):
    path = sign_all(agencies)
    told = run_json("verify", path)
    assert told == {
        "agreement": ID,
        "digest": agreement_digest(path.read_bytes()).hex(),
        "signed_by": ["bkn", "kemnaker"],
    }
    assert "Sah" in run("verify", path).output


def test_verify_fails_until_all_have_signed(agencies):
    path = make(agencies)
    run("sign", path, "--home", agencies.home("bkn"))
    assert "kemnaker" in run("verify", path, code=7).output


def test_verify_fails_on_a_changed_file(agencies):
    path = sign_all(agencies)
    path.write_bytes(path.read_bytes() + b"# catatan\n")
    assert "signature-invalid" in run("verify", path, code=7).output


def test_verify_of_a_broken_document_is_bad_input(tmp_path):
    path = tmp_path / f"{ID}.toml"
    path.write_text("format = 1")
    run("verify", path, code=3)


def test_signing_twice_gives_the_same_signature(agencies):
    path = sign_all(agencies)
    signature = path.with_name(f"{path.name}.bkn.sig")
    before = signature.read_bytes()
    run("sign", path, "--home", agencies.home("bkn"))
    assert signature.read_bytes() == before


def test_what_lint_objects_to_is_not_signed(agencies):
    path = make(agencies)
    exact = b'exact = ["tanggal_lahir", "nama:phonetic"]\n'
    likened = exact + b'similar = [{ fields = ["nama"] }]\nbucket_bits = 16\n'
    path.write_bytes(path.read_bytes().replace(exact, likened, 1))
    assert "filters-unaccepted" in run("sign", path, "--home", agencies.home("bkn"), code=3).output
    assert not list(path.parent.glob("*.sig"))


def test_only_a_party_with_the_agreement_s_key_signs(agencies, tmp_path):
    path = make(agencies)
    for party, told in (("imigrasi", "bukan pihak"), ("bkn", "bukan kunci")):
        home = tmp_path / f"lain-{party}"
        home.mkdir()
        stranger = create_identity(party, os.urandom)
        save_identity(home, stranger, passphrase=None, randomness=os.urandom)
        assert told in run("sign", path, "--home", home, code=3).output
    assert "keys init" in run("sign", path, "--home", tmp_path / "kosong", code=3).output


def test_a_file_under_another_name_is_not_signed(agencies):
    path = make(agencies)
    other = path.rename(path.with_name("salinan.toml"))
    assert f"{ID}.toml" in run("sign", other, "--home", agencies.home("bkn"), code=3).output


def test_the_passphrase_is_asked_for(agencies, tmp_path, monkeypatch):
    home = tmp_path / "terkunci"
    home.mkdir()
    identity = create_identity("bkn", os.urandom)
    public = save_identity(home, identity, passphrase=PASSPHRASE, randomness=os.urandom)
    agencies.public["bkn"] = public
    path = make(agencies)
    monkeypatch.setenv("PADAN_PASSPHRASE", "salah")
    run("sign", path, "--home", home, code=3)
    monkeypatch.setenv("PADAN_PASSPHRASE", PASSPHRASE)
    run("sign", path, "--home", home)


# -- show, status -----------------------------------------------------------------------------


@pytest.mark.parametrize("agreement_id", EXAMPLE_IDS)
def test_shows_everything_in_both_languages(tmp_path, agreement_id, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    path = tmp_path / f"{agreement_id}.toml"
    path.write_bytes(example(agreement_id))
    agreement = load_agreement(example(agreement_id))
    for lang in ("id", "en"):
        shown = run("show", path, lang=lang).output
        for f in agreement.flows:
            assert f.id in shown
            assert all(f"«{c.text}»" in shown for c in f.codes)
            assert all(b in shown for b in f.basis)
            assert not f.schema or all(p.id in shown for p in f.schema.passes)
        assert all(p.represented_by in shown for p in agreement.parties)


def test_show_as_json_has_the_file_s_own_keys(agencies):
    path = sign_all(agencies)
    shown = run_json("show", path, "--at", "2026-11-20")
    assert (shown["state"], shown["article"]) == ("in_force", "Pasal 6 ayat (1)")
    assert shown["signed_by"] == ["bkn", "kemnaker"]
    assert shown["end_time"] == "2027-08-15T00:00:00+07:00"
    flow = shown["agreement"]["flow"][0]
    assert flow["code"][0]["text"] == "tercatat sebagai ASN aktif"
    assert flow["schema"]["passes"][0]["exact"] == ["nik", "nama:phonetic_first"]


def test_a_document_s_text_is_never_markup(agencies, tmp_path):
    path = make(agencies)
    path.write_bytes(path.read_bytes().replace(b"Sekretaris Utama", b"[bold]Sekretaris[/] [/]"))
    assert "[bold]Sekretaris[/] [/]" in run("show", path).output


def test_status_is_a_dashboard_of_dates(agencies):
    path = sign_all(agencies)
    for agreement_id in EXAMPLE_IDS[1:]:
        (path.parent / f"{agreement_id}.toml").write_bytes(example(agreement_id))
    (path.parent / "rusak.toml").write_text("format =")
    told = run_json("status", path.parent, "--at", "2026-11-20")
    by_id = {e["agreement"]: e for e in told["agreements"]}
    assert len(by_id) == 6
    assert by_id[ID]["state"] == "in_force"
    assert by_id[ID]["days_left"] == 268
    assert [d["kind"] for d in by_id[ID]["due"]] == [
        "evaluation",
        "release",
        "release",
        "release",
        "report",
        "notice",
    ]
    immigration = by_id["bpjstk-imigrasi-2023"]
    assert (immigration["state"], immigration["state_by_dates"]) == ("draft", "in_force")
    assert [d["on"] for d in immigration["due"] if d["overdue"]] == ["2026-10-16"]
    assert by_id["bpjskes-bkn-2016"]["due"] == []
    assert by_id["rusak"]["state"] == "unreadable"
    shown = run("status", path.parent, "--at", "2026-11-20").output
    assert "TERLEWAT" in shown
    assert "berlaku" in shown
    assert "OVERDUE" in run("status", path.parent, "--at", "2026-11-20", lang="en").output


def test_status_counts_the_last_day(agencies):
    path = sign_all(agencies)
    days = {
        day: run_json("status", path, "--at", day)["agreements"][0]
        for day in ("2024-08-14", "2027-08-14", "2027-08-15")
    }
    assert [(e["state"], e["days_left"]) for e in days.values()] == [
        ("pending", 1096),
        ("in_force", 1),
        ("expired", 0),
    ]


def test_status_looks_into_the_home_by_itself(agencies):
    sign_all(agencies)
    home = agencies.folder / "bkn"
    write_template(home, "bkn")
    (home / "agreements").symlink_to(agencies.file.parent)
    told = run_json("status", "--home", home)
    assert [e["agreement"] for e in told["agreements"]] == [ID]
    assert "tidak ada" in run("status", agencies.folder / "hilang", code=3).output


@pytest.mark.parametrize("command", ["status", "show", "lint", "verify"])
def test_an_agreement_is_named_by_its_file_or_by_its_id(agencies, opened, command, monkeypatch):
    by_file = run_json(command, agencies.file)
    monkeypatch.setenv("PADAN_HOME", str(opened))
    by_id = run_json(command, ID)
    assert {**by_id, "at": "", "file": ""} == {**by_file, "at": "", "file": ""}
    told = run(command, "asn-status", code=3, lang="en").output
    assert "no file asn-status, and no agreement of that id" in " ".join(told.split())


@pytest.mark.parametrize("named", [f"{ID}.toml", "asn-status"])
def test_where_an_id_is_wanted_it_is_told(opened, named):
    told = run("heads", named, "--home", opened, code=3, lang="en").output
    assert f"What is wanted is the agreement's id: {ID}" in " ".join(told.split())


# -- suspend, resume --------------------------------------------------------------------------


#: What goes with a call to them: nothing.
STAND_INS = {
    ServerKind.UNIT: SimpleNamespace(
        metadata=(), waiting=lambda: Waiting(ServerKind.UNIT, "unit.example:7443")
    )
}


class StandInUnit(pb_grpc.AgreementServiceServicer):
    """Answers as the unit would, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def _tell_past(self, context):
        said = Handshake(version="0.1.0", protocol=PROTOCOL).SerializeToString()
        context.set_trailing_metadata((("padan-handshake-bin", said),))

    def GetAgreement(self, request, context):  # noqa: N802
        self._tell_past(context)
        return pb.Agreement(name=request.name)

    def SuspendAgreement(self, request, context):  # noqa: N802
        self.asked.append(request)
        self._tell_past(context)
        return pb.Agreement(
            name=request.name,
            state=pb.Agreement.STATE_SUSPENDED,
            state_article=request.article,
            suspended_by=["bkn"],
        )

    def ResumeAgreement(self, request, context):  # noqa: N802
        self.asked.append(request)
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "bukan penangguhan instansi ini")


@pytest.fixture
def unit(monkeypatch) -> Iterator[StandInUnit]:
    service = StandInUnit()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    pb_grpc.add_AgreementServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    def connect(link, peer):
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        link._open[peer] = channel, Methods(channel)

    monkeypatch.setattr(Link, "_connect", connect)
    monkeypatch.setattr("padan_client.transport.channel.servers_of", lambda *_: STAND_INS)
    yield service
    server.stop(0).wait()


@pytest.fixture
def opened(agencies) -> Path:
    sign_all(agencies)
    home = agencies.folder / "bkn"
    write_template(home, "bkn")
    (home / "agreements").symlink_to(agencies.file.parent)
    return home


def test_suspend_invokes_the_agreement_s_article(opened, unit):
    told = run_json("suspend", ID, "--home", opened)
    assert told == {
        "agreement": ID,
        "state": "suspended",
        "article": "Pasal 10 ayat (3)",
        "suspended_by": ["bkn"],
    }
    request = unit.asked[0]
    assert (request.name, request.article) == (f"agreements/{ID}", "Pasal 10 ayat (3)")
    assert len(request.request_id) == 36
    assert "ditangguhkan" in run("suspend", ID, "--home", opened, "--article", "Pasal 9").output
    assert unit.asked[1].article == "Pasal 9"
    assert unit.asked[1].request_id != request.request_id


def test_resume_tells_a_refusal(opened, unit):
    run("resume", ID, "--home", opened, code=4)
    assert unit.asked[0].name == f"agreements/{ID}"


def test_nothing_is_suspended_that_is_not_signed_here(opened, unit):
    (opened / "agreements" / f"{ID}.toml.kemnaker.sig").unlink()
    run("suspend", ID, "--home", opened, code=7)
    assert unit.asked == []

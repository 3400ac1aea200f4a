"""Aggregates and reference lists, by command, from publisher to receiver; and liars in between."""

import csv
import io
import json

import grpc
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from e2e_population import AGREEMENTS, Town, inside, outside, padan
from e2e_releases import applicants, positions
from e2e_search import files_under
from parties import refusal
from typer.testing import CliRunner

from padan.v1 import release_service_pb2 as pb
from padan_client import BadInputError, RefusedError, VerificationError
from padan_client.base.effects import Download, Unary
from padan_client.cli.app import app
from padan_client.protocol.releases.flow import ReleaseFlow
from padan_client.releases import ReleaseClient
from padan_client.transport.channel import Link

AGREEMENT = "kemnaker-bkn-2024"
COUNTS, LISTS = ("-a", AGREEMENT, "-f", "casn-agregat"), ("-a", AGREEMENT, "-f", "referensi")
POSITIONS = (*LISTS, "--line", "jabatan-fungsional")


@pytest.fixture
def town(session_pki, tmp_path, unit_log):
    made = Town(tmp_path, *session_pki)
    made.found_parties(("bkn", "kemnaker"))
    made.sign(AGREEMENT)
    made.go_to(inside(AGREEMENTS[AGREEMENT]))
    made.open()
    yield made
    made.close()


def run(town, party, *arguments, code=0):
    """A ``padan release`` command with ``--json``; its object, or its error."""
    out = padan(town.home(party), "release", *arguments, "--json", code=code)
    return json.loads(out) if code == 0 else out


def csv_file(town, table, name="data.csv"):
    path = town.folder / name
    pacsv.write_csv(table, path)
    return path


def client(town, party, flow="casn-agregat", line=None):
    return ReleaseClient(town.opened(party), AGREEMENT, flow, line)


# By command


def test_an_aggregate_reaches_the_other_side_without_its_small_counts(town):
    out = town.folder / "agregat.csv"
    table = applicants(3000)
    given = (csv_file(town, table), *COUNTS, "--id", "no", "--as-of", "2026-02-01")
    told = run(town, "bkn", "publish", *given)
    got = run(town, "kemnaker", "get", *COUNTS, "--out", out)
    assert (got["version"], got["as_of"], got["publisher"]) == (1, "2026-02-01", "bkn")
    assert got["manifest_sha256"] == told["manifest_sha256"]
    assert told["counted"] == 3000
    assert told["sensitive"] > 5
    assert told["sensitive"] < told["withheld"] < 0.5 * told["rows"]
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    shown = [row for row in rows if row["jumlah"]]
    assert len(rows) - len(shown) == got["withheld"]
    assert min(int(row["jumlah"]) for row in shown) >= 10
    for row in shown[:: len(shown) // 20]:  # every count is the table's
        wanted = {d: v for d, v in row.items() if d in table.column_names and v[0] != "("}
        columns = [table[d].to_pylist() for d in wanted]
        given = list(wanted.values())
        true = sum(list(r) == given for r in zip(*columns, strict=True)) if wanted else 3000
        assert int(row["jumlah"]) == true


def test_the_next_release_hides_small_changes(town):
    first = applicants(3000)
    run(town, "bkn", "publish", csv_file(town, first), *COUNTS)
    more = pa.concat_tables([first, applicants(60, seed=5)])
    run(town, "bkn", "publish", csv_file(town, more), *COUNTS)
    cells = []
    for version in ("1", "2"):
        out = town.folder / f"{version}.csv"
        run(town, "kemnaker", "get", *COUNTS, "--version", version, "--out", out)
        rows = csv.reader(io.StringIO(out.read_text()))
        cells.append({tuple(row[:-2]): row[-2] for row in rows})
    changes = [
        int(cells[1][place]) - int(count)
        for place, count in cells[0].items()
        if count.isdecimal() and cells[1].get(place, "").isdecimal()
    ]
    assert len(changes) > 20
    assert [c for c in changes if c >= 10]
    assert not [c for c in changes if 0 < abs(c) < 10]


def test_too_little_has_changed_for_another_release(town):
    run(town, "bkn", "publish", csv_file(town, applicants(3000)), *COUNTS)
    padan(town.home("bkn"), "release", "publish", csv_file(town, applicants(3003)), *COUNTS, code=3)
    assert [r["version"] for r in run(town, "bkn", "list", *COUNTS)["releases"]] == [1]


def test_reference_lists_go_both_ways_and_show_what_changed(town):
    run(town, "kemnaker", "publish", csv_file(town, positions("A1", "A2")), *LISTS)
    out = town.folder / "jf.csv"
    first = run(town, "bkn", "get", *LISTS, "--out", out)
    assert (first["line"], first["changes"]) == ("jabatan-fungsional", None)
    run(town, "kemnaker", "publish", csv_file(town, positions("A1", "B7")), *LISTS)
    second = run(town, "bkn", "get", *LISTS, "--out", out, "--force")
    assert second["since"] == 1
    assert second["changes"] == {"added": ["B7"], "removed": ["A2"], "changed": []}
    assert out.read_text().startswith("kode,nama,kategori,jenjang\nA1,Jabatan A1,Keahlian,")
    older = run(town, "bkn", "get", *LISTS, "--version", "1", "--out", out, "--force")
    assert older["version"] == 1

    codes = csv_file(town, positions("1", "2").select(["kode", "nama", "kategori"]))
    mapped = ("--map", "jenis=kategori")
    run(town, "bkn", "publish", codes, *LISTS, *mapped)
    assert run(town, "kemnaker", "get", *LISTS, "--out", out, "--force")["line"] == "asn"

    for party in ("bkn", "kemnaker"):  # a home at rest shows neither what it sent nor what it got
        kept = files_under(town.home(party) / "releases")
        assert len(kept) > 8
        assert not [c for c in kept if b"Jabatan" in c or b"content_sha256" in c]


def test_a_dry_run_sends_nothing(town):
    file, out = csv_file(town, applicants(3000)), town.folder / "isi.csv"
    told = run(town, "bkn", "publish", file, *COUNTS, "--dry-run", "--out", out)
    assert (told["version"], told["counted"]) == (None, 3000)
    assert out.read_text().count("\n") == told["rows"] + 1
    assert run(town, "bkn", "list", *COUNTS)["releases"] == []


def test_the_same_table_twice_is_another_version_unless_it_was_interrupted(town):
    file = csv_file(town, positions("A1"))
    assert run(town, "kemnaker", "publish", file, *LISTS)["version"] == 1
    assert run(town, "kemnaker", "publish", file, *LISTS)["version"] == 2


def test_an_erased_release_cannot_be_fetched_and_its_number_is_not_given_again(town):
    file = csv_file(town, positions("A1"))
    run(town, "kemnaker", "publish", file, *LISTS)
    run(town, "kemnaker", "delete", "1", *LISTS, "--yes")
    assert not list((town.data / "releases").iterdir())
    padan(town.home("bkn"), "release", "get", *LISTS, "--out", town.folder / "x.csv", code=3)
    assert run(town, "kemnaker", "publish", file, *LISTS)["version"] == 2


@pytest.mark.parametrize(
    ("table", "options"),
    [
        (positions("A1", "A1"), ()),
        (positions("A1", ""), ()),
        (positions("A1").select(["kode", "nama"]), ()),
        (positions("A1"), ("--map", "nama=TIADA")),
        (positions("A1"), ("--map", "agama=nama")),
    ],
)
def test_what_is_no_list_is_refused_before_anything_is_sent(town, table, options):
    file = csv_file(town, table)
    padan(town.home("kemnaker"), "release", "publish", file, *LISTS, *options, code=3)
    assert run(town, "kemnaker", "list", *POSITIONS)["releases"] == []


def test_each_side_has_its_part(town):
    file = csv_file(town, applicants(3000))
    padan(town.home("kemnaker"), "release", "publish", file, *COUNTS, code=3)
    padan(town.home("bkn"), "release", "get", *COUNTS, "--out", town.folder / "x.csv", code=3)
    padan(town.home("bkn"), "release", "list", *LISTS, code=3)  # which line?
    padan(town.home("bkn"), "release", "list", "-a", AGREEMENT, "-f", "asn-status", code=3)
    with client(town, "bkn") as publisher, pytest.raises(BadInputError, match="id"):
        publisher.publish(applicants(3000), id_column="provinsi")


def test_outside_the_term_nothing_is_released_and_the_article_is_named(town):
    run(town, "bkn", "publish", csv_file(town, applicants(3000)), *COUNTS)
    for reason, moment in outside(AGREEMENTS[AGREEMENT]).items():
        town.go_to(moment)
        with client(town, "bkn") as publisher, pytest.raises(RefusedError) as publishing:
            publisher.publish(applicants(4000))
        with client(town, "kemnaker") as receiver, pytest.raises(RefusedError) as fetching:
            receiver.get()
        for refused in (publishing, fetching):
            assert refused.value.reason == reason
            assert refused.value.metadata["article"] == "Pasal 6 ayat (1)"
    town.unit._maintenance._end_retention()
    assert not list((town.data / "releases").iterdir())


def test_status_asks_the_unit_who_has_suspended(town):
    padan(town.home("bkn"), "agreement", "suspend", AGREEMENT)
    at = ("--at", "2026-02-01")
    for asked, state in (((), "in_force"), (("--unit",), "suspended")):
        (found,) = json.loads(
            padan(town.home("kemnaker"), "agreement", "status", *asked, *at, "--json")
        )["agreements"]
        assert found["state"] == state
    assert (found["suspended_by"], found["article"]) == (["bkn"], "Pasal 10 ayat (3)")
    assert "bkn" in padan(town.home("kemnaker"), "agreement", "status", "--unit", *at)


def test_a_failure_of_a_script_is_an_object_too(town):
    done = CliRunner().invoke(
        app,
        ["release", "list", *LISTS, "--json"],
        env={"PADAN_HOME": str(town.home("bkn"))},
    )
    told = json.loads(done.stderr)
    assert (done.exit_code, told["exit_code"], told["error"]) == (3, 3, "bad_input")
    assert "--line" in told["message"]
    assert "130" in CliRunner().invoke(app, ["--help"]).stdout


# A unit that lies, a client that dies


def receive(town, party="bkn", line="jabatan-fungsional", bend=lambda response: response):
    """Fetch the newest list through a unit whose answers are bent on their way."""
    home = town.opened(party)
    steps = ReleaseFlow(home, AGREEMENT, "referensi", line).get(None)
    with Link.open(home, AGREEMENT, "referensi") as link:
        perform = link._perform

        def bent(effect):
            if isinstance(effect, Download):
                sink = effect.sink
                effect = Download(effect.method, effect.request, lambda r: sink(bend(r)))
                return perform(effect)
            return bend(perform(effect)) if isinstance(effect, Unary) else perform(effect)

        link._perform = bent
        return link.run(steps)


def test_a_changed_release_is_not_believed(town):
    run(town, "kemnaker", "publish", csv_file(town, positions("A1")), *LISTS)

    def flip(response):
        if isinstance(response, pb.DownloadReleaseResponse):
            return pb.DownloadReleaseResponse(content=response.content[:-1] + b"x")
        return response

    with pytest.raises(VerificationError):
        receive(town, bend=flip)

    def flip_and_say_so(response):
        """The unit adapts the digest to what it has changed."""
        import hashlib

        response = flip(response)
        if isinstance(response, pb.ListReleasesResponse):
            held = next((town.data / "releases").glob("*.sealed")).read_bytes()
            response.releases[0].digest = hashlib.sha256(held[:-1] + b"x").digest()
        return response

    with pytest.raises(VerificationError, match="bukan dari kemnaker"):
        receive(town, bend=flip_and_say_so)
    assert receive(town).release.version == 1


def test_an_older_release_is_not_taken_for_the_newest(town):
    for codes in (("A1",), ("A1", "A2")):
        run(town, "kemnaker", "publish", csv_file(town, positions(*codes)), *LISTS)
    assert receive(town).release.version == 2

    def hide(response):
        if isinstance(response, pb.ListReleasesResponse):
            del response.releases[:]
        return response

    with pytest.raises(VerificationError, match="versi 2"):
        receive(town, bend=hide)


def test_a_publisher_with_two_histories_is_found_out(town):
    """It loses its folder, publishes a second first version at another unit's data."""
    run(town, "kemnaker", "publish", csv_file(town, positions("A1")), *LISTS)
    assert receive(town).release.version == 1
    for folder in ("releases",):
        kept = town.home("kemnaker") / folder
        kept.rename(kept.with_name("hilang"))
    padan(
        town.home("kemnaker"),
        "release",
        "publish",
        csv_file(town, positions("Z9")),
        *LISTS,
        code=3,
    )
    with town.unit._store.write() as tx:
        for release in tx.releases.kept():
            tx.releases._connection.exec_driver_sql("DELETE FROM releases")
            (town.data / "releases" / f"{release.id}.sealed").unlink()
    run(town, "kemnaker", "publish", csv_file(town, positions("Z9")), *LISTS)
    with pytest.raises(VerificationError, match="riwayat"):
        receive(town)


@pytest.mark.parametrize("left", [(), ("sealed.bin",)])
def test_a_death_while_it_is_noted_that_a_release_arrived(town, left):
    table = positions("A1", "A2")
    with client(town, "kemnaker", "referensi", "jabatan-fungsional") as first:
        first.publish(table)
    (noted,) = (town.home("kemnaker") / "releases").glob("**/1")
    for name in left:
        (noted / name).write_bytes(b"sealed")
    noted.rename(noted.with_name("pending"))
    with client(town, "kemnaker", "referensi", "jabatan-fungsional") as again:
        published = again.publish(table)
    assert (published.repeated, published.release.version) == (True, 1)
    assert {path.name for path in noted.parent.iterdir()} == {"1"}
    assert not any((noted / name).exists() for name in left)


def test_a_publication_that_broke_off_goes_on_with_the_same_bytes(town):
    """The unit took it, the client died before it knew."""
    home = town.opened("kemnaker")
    flow = ReleaseFlow(home, AGREEMENT, "referensi", "jabatan-fungsional")
    table = positions("A1", "A2")
    steps = flow.publish(table, None, None, None, town.clock.moment)
    with Link.open(home, AGREEMENT, "referensi") as link:
        sent = {}

        def perform(effect, inner=link._perform):
            done = inner(effect)
            if getattr(effect, "method", "") == "ReleaseService.CreateRelease":
                sent["digest"] = done.digest
                raise KeyboardInterrupt
            return done

        link._perform = perform
        with pytest.raises(KeyboardInterrupt):
            link.run(steps)
    with client(town, "kemnaker", "referensi", "jabatan-fungsional") as again:
        published = again.publish(table)
        assert (published.repeated, published.release.version) == (True, 1)
        assert [r.digest for r in again.released()] == [sent["digest"]]
        assert again.publish(positions("A1")).release.version == 2


# The server alone


def refused(call, *arguments, **named):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **named)
    return refusal(caught.value)


def test_the_unit_takes_releases_in_order_whole_and_within_limits(make_unit):
    edit = lambda text: text.replace("per_day = 4 }", "per_day = 2, max_bytes = 4096 }", 1)  # noqa: E731
    unit = make_unit(edit=edit)
    bkn, kemnaker = unit.client("bkn"), unit.client("kemnaker")
    assert refused(bkn.release, 2).reason == "RELEASE_OUT_OF_ORDER"
    assert refused(bkn.release, 1, size_bytes=5).reason == "RELEASE_CORRUPT"
    assert refused(bkn.release, 1, size_bytes=7).reason == "RELEASE_CORRUPT"
    assert refused(bkn.release, 1, digest=b"x" * 32).reason == "RELEASE_CORRUPT"
    assert refused(bkn.release, 1, digest=b"x").reason == "FIELD_INVALID"
    assert refused(bkn.release, 1, size_bytes=0).reason == "FIELD_INVALID"
    found = refused(bkn.release, 1, b"x" * 4097)
    assert (found.reason, found.metadata["limit"]) == ("RELEASE_LIMIT_EXCEEDED", "4096")
    assert refused(kemnaker.release, 1).reason == "ROLE_NOT_PERMITTED"
    unknown = refused(bkn.release, 1, line=bkn.line("agama"))
    assert unknown.reason == "RELEASE_NOT_FOUND"
    assert refused(bkn.release, 1, line=bkn.line("asn-status", "asn-status")).reason == (
        "RELEASE_NOT_FOUND"
    )
    assert not list((unit.house.data_dir / "releases").iterdir())

    first = bkn.release(1, b"x" * 4096)
    assert refused(bkn.release, 1).reason == "RELEASE_OUT_OF_ORDER"
    bkn.release(2)
    found = refused(bkn.release, 3)
    assert (found.reason, found.metadata["limit"]) == ("RELEASE_LIMIT_EXCEEDED", "2")
    unit.clock.forward(days=1)
    bkn.release(3)
    read = pb.DownloadReleaseRequest(name=first.name)
    assert refused(lambda: list(bkn.releases.DownloadRelease(read))).reason == (
        "ROLE_NOT_PERMITTED"
    )
    pieces = [r.content for r in kemnaker.releases.DownloadRelease(read)]
    assert b"".join(pieces) == b"x" * 4096
    erase = pb.DeleteReleaseRequest(name=first.name)
    assert refused(kemnaker.releases.DeleteRelease, erase).reason == "ROLE_NOT_PERMITTED"
    bkn.releases.DeleteRelease(erase)
    assert refused(lambda: list(kemnaker.releases.DownloadRelease(read))).reason == (
        "RELEASE_NOT_FOUND"
    )
    page = kemnaker.releases.ListReleases(pb.ListReleasesRequest(parent=bkn.line(), page_size=2))
    assert [r.version for r in page.releases] == [3, 2]
    rest = kemnaker.releases.ListReleases(
        pb.ListReleasesRequest(parent=bkn.line(), page_token=page.next_page_token)
    )
    assert [(r.version, r.state) for r in rest.releases] == [(1, pb.Release.STATE_DELETED)]
    stranger = unit.client("imigrasi")
    assert refused(
        stranger.releases.ListReleases, pb.ListReleasesRequest(parent=bkn.line())
    ).reason == ("AGREEMENT_NOT_FOUND")


def test_a_suspension_stops_releases_and_not_their_erasure(make_unit):
    unit = make_unit()
    bkn = unit.client("bkn")
    made = bkn.release(1)
    from padan.v1 import agreement_service_pb2 as agreement_pb

    bkn.agreements.SuspendAgreement(
        agreement_pb.SuspendAgreementRequest(
            name=f"agreements/{AGREEMENT}", article="Pasal 10 ayat (3)"
        )
    )
    found = refused(bkn.release, 2)
    assert (found.reason, found.metadata["article"]) == (
        "AGREEMENT_SUSPENDED",
        "Pasal 10 ayat (3)",
    )
    bkn.releases.DeleteRelease(pb.DeleteReleaseRequest(name=made.name))

"""What the client refuses to go on with, and in which words."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil

import pytest
from agency import (
    NOW,
    one_list_an_epoch,
    people,
    registry_table,
    small_passes,
    turn_epoch,
    write_home,
)
from engines import FakeEngine
from signing import write_signed

from padan.v1.reason_texts import ServerKind
from padan_client import (
    BadInputError,
    Home,
    MismatchError,
    ProviderClient,
    RefusedError,
    RequesterClient,
    UnavailableError,
    VerificationError,
    requester,
)
from padan_client.base.language import set_language
from padan_client.protocol import session as session_module
from padan_client.protocol.session import require_not_replaced
from padan_lab.demo.pki import Authority
from padan_linkage.crypto.keys import LinkageKey

PEOPLE = people(40, seed=8)
REGISTRY = registry_table(PEOPLE[:30])


@pytest.fixture
def pair(make_pair):
    return make_pair(engine=FakeEngine(), edit=small_passes)


def publish(pair, home=None):
    with ProviderClient(home or pair.provider, *pair.names) as client:
        return client.publish(REGISTRY, id_column="id", status_column="status")


def confirm(pair, home=None):
    with RequesterClient(home or pair.requester, *pair.names) as client:
        return client.confirm(PEOPLE[:20])


def impatient_home(home: Home) -> Home:
    """The home with a single attempt a call."""
    return dataclasses.replace(home, patience=dataclasses.replace(home.patience, attempts=1))


# Transport.


def test_a_unit_of_another_ca_is_not_trusted(pair, tmp_path):
    stranger = Authority(tmp_path / "other", dt.datetime.now(dt.UTC))
    folder = pair.requester.folder
    write_home(folder, pair.unit.house, "kemnaker", pair.unit.port, ca=stranger.ca)
    home = impatient_home(Home.open(folder))
    with pytest.raises(VerificationError, match=r"tls\.ca"):
        confirm(pair, home)


def test_a_key_that_is_not_the_certificates_is_named_before_any_call(pair):
    house = pair.unit.house
    mine = house.certificates["kemnaker"]
    damaged = pair.requester.folder / "damaged.key"
    damaged.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    for key, words in ((house.certificates["bkn"].key, "bukan pasangan"), (damaged, "rusak")):
        house.certificates["kemnaker"] = dataclasses.replace(mine, key=key)
        write_home(pair.requester.folder, house, "kemnaker", pair.unit.port)
        with pytest.raises(BadInputError, match=words):
            confirm(pair, Home.open(pair.requester.folder))


def test_an_expired_certificate_of_our_own_is_named_before_any_call(pair):
    house = pair.unit.house
    house.certificates["kemnaker"] = house.pki.issue_client(
        "kedaluwarsa", dt.datetime.now(dt.UTC) - dt.timedelta(days=9)
    )
    write_home(pair.requester.folder, house, "kemnaker", pair.unit.port)
    with pytest.raises(BadInputError, match="hanya berlaku"):
        confirm(pair, Home.open(pair.requester.folder))


def test_a_certificate_of_another_ca_is_not_taken(pair, tmp_path):
    house = pair.unit.house
    house.certificates["kemnaker"] = Authority(
        tmp_path / "other", dt.datetime.now(dt.UTC)
    ).issue_client("asing")
    write_home(pair.requester.folder, house, "kemnaker", pair.unit.port)
    with pytest.raises(UnavailableError, match=r"tls\.certificate"):
        confirm(pair, impatient_home(Home.open(pair.requester.folder)))


def test_a_unit_under_another_name_is_not_trusted(pair):
    config = pair.requester.folder / "client.toml"
    config.write_text(config.read_text() + 'server_name = "lain.example"\n')
    with pytest.raises(VerificationError, match=r"tls\.server_name"):
        confirm(pair, impatient_home(Home.open(pair.requester.folder)))


def test_a_certificate_that_is_not_registered_is_named(pair):
    house = pair.unit.house
    house.certificates["kemnaker"] = house.pki.issue_client("tak-terdaftar")
    write_home(pair.requester.folder, house, "kemnaker", pair.unit.port)
    with pytest.raises(RefusedError, match="CALLER_UNKNOWN"):
        confirm(pair, Home.open(pair.requester.folder))


@pytest.mark.parametrize("other", ["imigrasi", "bkn"])
def test_the_other_agencys_certificate_is_told_by_its_owners_name(pair, other):
    """A stranger's to the agreement, or the other party's, whose role would be all that is told."""
    house = pair.unit.house
    house.certificates["kemnaker"] = house.certificates[other]
    write_home(pair.requester.folder, house, "kemnaker", pair.unit.port)
    with pytest.raises(RefusedError, match=f"milik {other},") as caught:
        confirm(pair, Home.open(pair.requester.folder))
    assert caught.value.reason == "CALLER_IS_ANOTHER"


def test_a_unit_that_is_not_there_is_named(pair):
    write_home(pair.requester.folder, pair.unit.house, "kemnaker", 1)
    with pytest.raises(UnavailableError, match="tidak terjangkau"):
        confirm(pair, impatient_home(Home.open(pair.requester.folder)))


def test_a_missing_or_open_tls_key_is_named(pair):
    text = (pair.requester.folder / "client.toml").read_text()
    key = pair.unit.house.certificates["kemnaker"].key
    copy = pair.requester.folder / "client.key"
    shutil.copy(key, copy)
    (pair.requester.folder / "client.toml").write_text(text.replace(str(key), "client.key"))
    copy.chmod(0o644)
    with pytest.raises(BadInputError, match="chmod 600"):
        confirm(pair, Home.open(pair.requester.folder))
    copy.unlink()
    with pytest.raises(BadInputError, match=r"client\.key"):
        confirm(pair, Home.open(pair.requester.folder))


# The agreement.


def test_an_expired_agreement_names_its_article(pair):
    publish(pair)
    pair.unit.clock.moment = dt.datetime(2028, 1, 1, tzinfo=dt.UTC)
    for ask in (confirm, publish):
        with pytest.raises(RefusedError, match=r"berakhir \(Pasal 6") as caught:
            ask(pair)
        assert caught.value.reason == "AGREEMENT_EXPIRED"
    set_language("en")
    try:
        with pytest.raises(RefusedError, match=r"has ended \(Pasal 6"):
            confirm(pair)
    finally:
        set_language("id")


def test_a_local_agreement_that_was_altered_is_not_used(pair, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(pair.unit.house.agreements_dir, folder)
    (document,) = folder.glob("*.toml")
    config = pair.requester.folder / "client.toml"
    config.write_text(config.read_text().replace(str(pair.unit.house.agreements_dir), str(folder)))
    document.write_text(document.read_text().replace("minimum_batch = 10", "minimum_batch = 1"))
    with pytest.raises(VerificationError, match=r"[Tt]anda tangan"):
        confirm(pair, Home.open(pair.requester.folder))
    for signature in folder.glob("*.sig"):
        signature.unlink()
    with pytest.raises(VerificationError, match="belum menandatangani"):
        confirm(pair, Home.open(pair.requester.folder))


def test_an_agreement_that_differs_from_the_units_is_refused(pair, tmp_path):
    write_signed(
        tmp_path / "mine",
        edit=lambda text: small_passes(text).replace("minimum_batch = 10", "minimum_batch = 1"),
    )
    config = pair.requester.folder / "client.toml"
    config.write_text(
        config.read_text().replace(str(pair.unit.house.agreements_dir), str(tmp_path / "mine"))
    )
    with pytest.raises(VerificationError, match="lain dari yang ditandatangani"):
        confirm(pair, Home.open(pair.requester.folder))


def amended_here(home: Home, house, tmp_path, first: dt.date) -> Home:
    """The home with an amendment of the agreement, in force from ``first``, that no server has."""
    folder = tmp_path / "amended"
    shutil.copytree(house.agreements_dir, folder)
    was = house.signed.agreement
    instead = {
        f'id = "{was.id}"': f'id = "{was.id}-a1"\namends = "{house.signed.digest.hex()}"',
        ", ".join(f'"{number}"' for number in was.numbers): '"adendum/1"',
        f"in_force_from = {was.in_force_from}": f"in_force_from = {first}",
        "duration = ": "# duration = ",
    }

    def amended(text: str) -> str:
        for old, new in instead.items():
            assert old in text
            text = text.replace(old, new, 1)
        return text

    write_signed(folder, was.id, edit=amended)
    config = home.folder / "client.toml"
    config.write_text(config.read_text().replace(str(house.agreements_dir), str(folder)))
    return Home.open(home.folder, jitter=lambda: 0.0)


def test_what_an_amendment_here_replaces_is_not_used_whatever_the_unit_says(pair, tmp_path):
    """The unit's folder of agreements went back, or never had the amendment."""
    publish(pair)
    first = dt.date(2026, 1, 1)
    for ask, home in ((confirm, pair.requester), (publish, pair.provider)):
        later = amended_here(home, pair.unit.house, tmp_path / ask.__name__, first)
        with pytest.raises(RefusedError, match="operatornya memasang kemnaker-bkn-2024-a1") as no:
            ask(pair, later)
        assert no.value.reason == "AGREEMENT_SUPERSEDED"
        assert "(Pasal 12)" in str(no.value)
    with ProviderClient(later, *pair.names) as client, pytest.raises(RefusedError) as no:
        client.publish_table(REGISTRY, id_column="id", status_column="status")
    assert no.value.reason == "AGREEMENT_SUPERSEDED"


def test_a_client_that_stays_open_notices_a_replacement(pair, tmp_path, monkeypatch):
    """A list looks at the folder each time, a question once a minute."""
    publish(pair)
    home = amended_here(pair.requester, pair.unit.house, tmp_path, dt.date(2026, 1, 1))
    (amendment,) = (tmp_path / "amended").glob("*-a1.toml")
    away = tmp_path / "not-yet.toml"
    amendment.rename(away)
    with RequesterClient(home, *pair.names) as client:
        client.confirm_one(PEOPLE[0])
        away.rename(amendment)
        client.confirm_one(PEOPLE[0])
        monkeypatch.setattr(requester, "_LOOKED", dt.timedelta())
        for _ in range(2):
            with pytest.raises(RefusedError, match="kemnaker-bkn-2024-a1"):
                client.confirm_one(PEOPLE[0])
        monkeypatch.undo()
        with pytest.raises(RefusedError, match="kemnaker-bkn-2024-a1"):
            client.confirm(PEOPLE[:20])


def test_an_amendment_replaces_from_its_first_day_on_and_not_before(pair, tmp_path):
    later = amended_here(pair.requester, pair.unit.house, tmp_path, dt.date(2027, 8, 1))
    place, begins = later.place(*pair.names), dt.datetime(2027, 7, 31, 17, tzinfo=dt.UTC)
    require_not_replaced(place, begins - dt.timedelta(seconds=1), ServerKind.UNIT)
    with pytest.raises(RefusedError, match="kemnaker-bkn-2024-a1"):
        require_not_replaced(place, begins, ServerKind.UNIT)


def test_keys_that_the_agreement_does_not_name_are_refused(pair):
    identity = pair.requester.folder / "identity.json"
    identity.write_text(identity.read_text().replace('"party": "kemnaker"', '"party": "bkn"'))
    config = pair.requester.folder / "client.toml"
    config.write_text(config.read_text().replace('"kemnaker"', '"bkn"', 1))
    with pytest.raises(VerificationError, match="lain dari kunci bkn"):
        publish(pair, Home.open(pair.requester.folder))


def test_each_side_keeps_to_its_role_and_flows(pair):
    with pytest.raises(BadInputError, match="penyedia adalah bkn"):
        publish(pair, pair.requester)
    with pytest.raises(BadInputError, match="peminta adalah kemnaker"):
        confirm(pair, pair.provider)
    for flow in ("tidak-ada", "referensi"):
        with (
            RequesterClient(pair.requester, pair.agreement, flow) as client,
            pytest.raises((BadInputError, RefusedError)),
        ):
            client.confirm(PEOPLE[:20])
    with pytest.raises(BadInputError, match="Perjanjian tidak-ada"):
        RequesterClient(pair.requester, "tidak-ada", "x")


# What must be equal on both sides.


def test_no_registry_yet_says_whom_to_ask(pair):
    with pytest.raises(RefusedError, match="padan publish"):
        confirm(pair)


def test_another_normaliser_version_is_named_before_any_matching(pair, monkeypatch):
    publish(pair)
    monkeypatch.setattr(session_module, "NORMALISER_VERSION", "id-0")
    with pytest.raises(MismatchError, match="penormal") as caught:
        confirm(pair)
    assert caught.value.reason == "NORMALISER_MISMATCH"
    assert pair.unit.engine.calls == []


def test_another_schema_is_named(pair, monkeypatch):
    publish(pair)
    digest = "padan_linkage.schema.Schema.digest"
    monkeypatch.setattr(digest, lambda self: b"s" * 32)
    with pytest.raises(MismatchError, match=r"[Ss]kema") as caught:
        confirm(pair)
    assert caught.value.reason == "SCHEMA_MISMATCH"


def test_another_key_is_named(pair, monkeypatch):
    publish(pair)
    monkeypatch.setattr(LinkageKey, "check_value", lambda self: b"c" * 16)
    with pytest.raises(MismatchError, match=r"[Kk]unci pemadanan") as caught:
        confirm(pair)
    assert caught.value.reason == "KEY_CHECK_MISMATCH"


def test_a_new_epoch_asks_the_provider_to_publish_again(pair):
    publish(pair)
    confirm(pair)
    turn_epoch(pair.provider, pair)
    assert confirm(pair).counts["TIDAK_DITEMUKAN"] == 0, "half an epoch changes nothing"
    turn_epoch(pair.requester, pair)
    with pytest.raises((MismatchError, RefusedError)) as caught:
        confirm(pair)
    assert "penyedia" in str(caught.value).lower()
    publish(pair)
    assert confirm(pair).counts["TIDAK_DITEMUKAN"] == 0


@pytest.fixture
def strict_pair(make_pair):
    return make_pair(engine=FakeEngine(), edit=one_list_an_epoch)


def test_what_a_new_epoch_would_lift_says_whose_step_is_missing(strict_pair):
    """Who has rotated waits for the other; who has not is told that it is its turn."""
    pair = strict_pair
    publish(pair)
    confirm(pair)
    with pytest.raises(RefusedError, match="kedua pihak") as before:
        confirm(pair)
    assert "menunggu" not in str(before.value)
    turn_epoch(pair.requester, pair)
    with pytest.raises(RefusedError, match=r"Epok 2 .* menunggu bkn menjalankan") as caught:
        confirm(pair)
    assert caught.value.reason == before.value.reason == "EPOCH_LISTS_EXCEEDED"
    with pytest.raises(RefusedError, match=r"Epok 2 .* menunggu instansi ini: jalankan padan"):
        publish(pair)


def delta(pair, base):
    with ProviderClient(pair.provider, *pair.names) as client:
        client.publish(None, id_column="id", delta_of=base, deletes=[REGISTRY["id"][0].as_py()])


def test_a_delta_of_an_old_epochs_registry_is_refused_as_one_of_another_epoch(pair):
    base = publish(pair).dataset
    for home in (pair.provider, pair.requester):
        turn_epoch(home, pair)
    with pytest.raises(MismatchError) as caught:
        delta(pair, base)
    assert caught.value.reason == "EPOCH_MISMATCH"


def test_a_delta_that_is_not_accepted_is_refused_in_one_sentence_in_every_epoch(strict_pair):
    base, said = publish(strict_pair).dataset, []
    for epoch in (1, 2):
        with pytest.raises(RefusedError) as caught:
            delta(strict_pair, base)
        said.append((caught.value.reason, str(caught.value)))
        for home in (strict_pair.provider, strict_pair.requester):
            if epoch == 1:
                turn_epoch(home, strict_pair)
    assert said[0] == said[1]
    assert said[0][0] == "DELTAS_NOT_ACCEPTED"


def test_a_client_that_was_open_while_the_epoch_turned_goes_on(pair):
    publish(pair)
    with RequesterClient(pair.requester, *pair.names) as client:
        first = client.confirm_one(PEOPLE[0])
        for home in (pair.provider, pair.requester):
            turn_epoch(home, pair)
        publish(pair)
        again = client.confirm_one(PEOPLE[0])
        assert again.pop("edisi") != first.pop("edisi")  # published anew
        assert again == first


def test_a_destroyed_epoch_is_named(pair):
    publish(pair)
    place = pair.requester.place(*pair.names)
    pair.requester.epochs.destroy(place, 1, NOW)
    with pytest.raises(BadInputError, match="padan keys rotate"):
        confirm(pair)


def test_a_rotation_waits_for_the_other_side_and_does_not_run_ahead(make_pair, make_unit, tmp_path):
    pair = make_pair(edit=small_passes)
    waiting = turn_epoch(pair.provider, pair)
    assert (waiting.epoch, waiting.waiting_for) == (2, "kemnaker")
    assert turn_epoch(pair.provider, pair) == waiting
    assert turn_epoch(pair.requester, pair).waiting_for == ""
    assert turn_epoch(pair.provider, pair).epoch == 3


def test_a_lost_epoch_key_says_how_to_go_on(pair):
    turn_epoch(pair.provider, pair)
    shutil.rmtree(pair.provider.folder / "epochs")
    with pytest.raises(BadInputError, match="cadangan"):
        turn_epoch(pair.provider, pair)

"""Keys of direct mode that are proposed for two files, and what decides about them."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pyarrow as pa
import pytest

from padan_lab.generate.scenarios import generate_demo
from padan_linkage.advice import NoAdviceError, Wishes
from padan_linkage.advice.direct import rehearsal
from padan_linkage.advice.direct.choosing import TOLERATED, Choosing
from padan_linkage.advice.direct.rehearsal import KeyRehearsal
from padan_linkage.advice.direct.subjects import Subjects
from padan_linkage.advice.direct.suggest import suggest_keys
from padan_linkage.advice.direct.templates import Candidate, candidates
from padan_linkage.advice.fields import choose_fields
from padan_linkage.advice.remarks import Remark
from padan_linkage.agreement import example, load_agreement
from padan_linkage.direct.schema import DirectKey

ASN = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
RENAMED = {
    "nik": "No. KTP", "nama": "Nama Lengkap", "tanggal_lahir": "Tgl Lahir",
    "tempat_lahir": "Tmp Lahir",
}  # fmt: skip


@pytest.fixture(scope="module")
def files():
    made = generate_demo(ASN, 3_000, 1_500, seed=61)
    return made.requests, made.registry


@pytest.fixture(scope="module")
def suggested(files):
    return suggest_keys(*files, Wishes())


def by_id(suggestion):
    return {choice.chosen.id: choice.chosen for choice in suggestion.keys}


def opening_alone(suggestion):
    keys = {k.id for k in suggestion.schema.keys if not k.shared and not k.without}
    return keys | {o.key.id for o in suggestion.options if o.worth}


def test_people_get_a_number_beside_their_name_and_weak_keys_that_hold_shares(suggested):
    keys = by_id(suggested)
    assert keys["nik-nama"].exact == ("nik", "nama:words")
    assert sum(k.shared for k in keys.values()) >= 2
    assert not any(k.alone for k in keys.values())
    assert suggested.rate.found > 0.94
    assert suggested.rate.tolerable
    assert suggested.elements <= 16
    assert suggested.households == "district"


def test_a_number_is_never_checked_by_what_it_says_itself(suggested, files):
    listed, registry = files
    for key in suggested.schema.keys:
        if not key.weak:
            assert "nama" in {*key.named, *key.without}
    blank = pa.array([""] * 100)
    nameless = listed.slice(0, 100).set_column(listed.column_names.index("nama"), "nama", blank)
    dateless = nameless.set_column(
        listed.column_names.index("tanggal_lahir"), "tanggal_lahir", blank
    )
    keys = suggest_keys(pa.concat_tables([listed, nameless, dateless]), registry, Wishes()).keys
    unchecked = {c.chosen.id: c.chosen.without for c in keys if c.unchecked}
    assert unchecked == {"nik-bulan": ("nama",), "nik": ("nama", "tanggal_lahir")}


def test_two_weak_keys_compare_more_than_a_name_and_a_birth_date(suggested):
    weak = [
        {part.partition("|")[0].partition(":")[0] for part in key.exact}
        for key in suggested.schema.keys
        if key.shared
    ]
    assert all(len(one | other) > 2 for one, other in combinations(weak, 2))


def test_where_two_weak_keys_could_say_no_more_one_that_opens_alone_is_an_option():
    flow = load_agreement(example("kemnaker-bkn-2024")).flow("jf-binaan")
    made = generate_demo(flow, 8_000, 2_000, seed=64)
    suggestion = suggest_keys(made.requests, made.registry, Wishes())
    assert not any(k.weak for k in suggestion.schema.keys)
    options = {o.key.id: o for o in suggestion.options}
    assert options["nama-tanggal"].worth
    assert not options["nama-tanggal"].proposed
    assert options["nama-tanggal"].gain > 0.05
    assert options["nama-tanggal"].key.alone


def test_order_and_spelling_of_columns_change_nothing(suggested, files):
    renamed = [
        t.select(t.column_names[::-1]).rename_columns(
            [RENAMED.get(name, name) for name in t.column_names[::-1]]
        )
        for t in files
    ]
    other = suggest_keys(*renamed, Wishes())
    assert [k.id for k in other.schema.keys] == [k.id for k in suggested.schema.keys]
    assert other.rate == suggested.rate
    assert by_id(other)["nik-nama"].exact == ("no_ktp", "nama_lengkap:words")


def test_a_larger_registry_opens_no_more_alone(suggested, files):
    sizes = [suggested]
    for rows in (30_000, 300_000, 8_000_000):
        try:
            sizes.append(suggest_keys(*files, Wishes(rows=rows)))
        except NoAdviceError:
            break
    for smaller, larger in pairwise(sizes):
        assert opening_alone(larger) <= opening_alone(smaller)


def test_every_candidate_is_proposed_or_passed_over_in_both_languages(suggested, files):
    made = candidates(Subjects.of(choose_fields(*files, {}, ()), files[1]))
    told = [c.said for c in suggested.keys] + list(suggested.passed_over)
    assert len(told) == len(made)
    assert all(said.id_text and said.en_text for said in told)


def test_strangers_of_a_larger_registry_are_foretold():
    """By a quarter of the size what all of another registry, of the same making, answers."""
    exact = ("name:phonetic", "date:year")
    candidate = Candidate(DirectKey(id="nama", exact=exact, weak=True), Remark("", ""))

    def rate(registry, rows):
        subjects = Subjects.of(choose_fields(registry, registry, {}, ()), registry)
        columns = subjects.columns(registry, "B")
        choosing = Choosing(KeyRehearsal.of(subjects, [candidate], columns, columns, rows))
        return choosing.rate([0], alone=[0]).strangers

    small, large = (
        generate_demo(ASN, n, 10, seed).registry for n, seed in ((6_000, 74), (24_000, 72))
    )
    foretold, counted = rate(small, 24_000), rate(large, 24_000)
    assert counted > 2 * TOLERATED
    # Of namesakes that a larger registry has, several fit, and nobody is answered.
    assert 0.8 * counted <= foretold <= 2 * counted


def test_of_a_large_registry_a_part_is_taken_at_random_and_stands_for_all(files, monkeypatch):
    monkeypatch.setattr(rehearsal, "MOST_PEOPLE", 1_000)
    part = suggest_keys(*files, Wishes())
    assert part.people <= 1_000
    assert part.rows == 3_000


def test_few_people_prove_little():
    """Whoever are among those asked ask each other twice: none seen of 3,000 is one in 500."""
    registry = generate_demo(ASN, 3_000, 10, seed=73).registry
    subjects = Subjects.of(choose_fields(registry, registry, {}, ()), registry)
    columns = subjects.columns(registry, "B")
    made = candidates(subjects)
    played = KeyRehearsal.of(subjects, made, columns, columns, 3_000)
    assert played.at_size(0, 3_000) == pytest.approx(0.002)
    assert played.at_size(0, 300) == pytest.approx(3 / 285)


def test_without_a_number_or_a_name_there_is_nothing_to_propose(files):
    listed, registry = (t.select(["tanggal_lahir"]) for t in files)
    with pytest.raises(NoAdviceError):
        suggest_keys(listed, registry, Wishes())


def test_whoever_is_there_twice_is_no_stranger_to_itself(files, suggested):
    listed, registry = files
    twice = suggest_keys(listed, pa.concat_tables([registry, registry.slice(0, 1_000)]), Wishes())
    assert np.isclose(twice.rate.strangers, suggested.rate.strangers, atol=TOLERATED / 2)

"""A unit that somebody has taken over after a real run: nothing to read, nothing to align.

Both agencies are real clients with real keys; the spies are on their side, so that the tests know
what the unit must not.
"""

import base64
import re
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from agency import CODES, make_agencies, people, registry_table, small_passes
from signing import Identity

from padan_client import ProviderClient, RequesterClient
from padan_linkage import keys, sealing
from padan_linkage.answers import Answers
from padan_linkage.encoding import PassEncoder

PEOPLE = people(1300, seed=5)
REGISTRY, LIST = PEOPLE[:1000], PEOPLE[500:]

SECOND_EXACT_PASS = """\
[[flow.schema.passes]]
id = "nama-lahir"
exact = ["nama", "tanggal_lahir"]

"""


def three_passes(text):
    """The flagship flow with two exact passes and one with a filter."""
    text = small_passes(text)
    return text.replace("[[flow.schema.passes]]", SECOND_EXACT_PASS + "[[flow.schema.passes]]", 1)


@pytest.fixture
def spy(monkeypatch):
    """What the agencies keep to themselves: ``spy.keys``, and ``spy.passes[provider, pass id]``."""

    seen = SimpleNamespace(keys=set(), passes={})

    def note_keys(module, name, secret):
        make = getattr(module, name)

        def noting(*args):
            made = make(*args)
            if secret(args):
                seen.keys.add(bytes(made))
            return made

        monkeypatch.setattr(module, name, noting)

    # A check value is public; everything else that HKDF makes is not.
    note_keys(keys, "_hkdf", lambda args: b"check value" not in args[2])
    note_keys(keys, "exchange", lambda args: True)
    note_keys(sealing, "_export", lambda args: True)
    encode = PassEncoder.encode

    def encode_noting(self, *args, provider=None, **more):
        made = encode(self, *args, provider=provider, **more)
        seen.passes[provider is not None, made.table.pass_id] = made
        return made

    monkeypatch.setattr(PassEncoder, "encode", encode_noting)
    return seen


def publish_and_confirm(agencies):
    """A registry, a list and its answers, from both agencies' own clients."""
    with ProviderClient(agencies.provider, *agencies.names) as client:
        client.publish(registry_table(REGISTRY), id_column="id", status_column="status")
    with RequesterClient(agencies.requester, *agencies.names) as client:
        result = client.confirm(LIST)
    assert sum(result.counts[code] for code in CODES.values()) >= 450
    return result


def writable_memory(pid):
    """Every readable piece of a process's writable memory."""
    process = Path(f"/proc/{pid}")
    with (process / "mem").open("rb", 0) as memory:
        for line in (process / "maps").read_text().splitlines():
            start, stop, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            if rights.startswith("rw"):
                try:
                    memory.seek(int(start, 16))
                    yield memory.read(int(stop, 16) - int(start, 16))
                except OSError:  # the kernel keeps some for itself
                    continue


def planted_values():
    """Identifiers and names of a few people who are on both sides, as written and normalised."""
    return [
        form.encode()
        for person in (PEOPLE[500], PEOPLE[731], PEOPLE[999])
        for form in (person["nik"], person["nama"], person["nama"].lower())
    ]


def test_neither_memory_nor_disk_nor_log_holds_a_value_a_code_or_a_key(
    make_house, make_unit_process, spy, tmp_path
):
    house = make_house(edit=three_passes)
    unit = make_unit_process(house, engine="real")
    unit.start()
    agencies = make_agencies(tmp_path / "homes", unit)
    publish_and_confirm(agencies)

    identities = [Identity.of(party) for party in ("bkn", "kemnaker")]
    secrets = spy.keys | {k for i in identities for k in (i.sign, i.exchange)}
    assert len(secrets) > 10
    try:
        memory = list(writable_memory(unit.process.pid))
    except PermissionError:
        pytest.skip("this machine does not let a process read its child's memory")
    assert unit.stop() == 0
    disk = [p.read_bytes() for p in house.data_dir.rglob("*") if p.is_file()]
    disk.append(unit.log.read_bytes())

    # The search finds what the unit does hold.
    token = spy.passes[False, "nik"].table.columns["keys"][7].tobytes()
    assert any(token in content for content in disk)
    assert any(b"tercatat sebagai ASN aktif" in content for content in memory)

    for secret in [*planted_values(), *secrets]:
        assert not any(secret in content for content in memory)
    # An open answer is mostly zeros: memory has such bytes for other reasons, the disk does not.
    answers = [bytes(row) for row in Answers.of(np.array([1, 2, 4])).pack()]
    for secret in [*planted_values(), *secrets, *answers]:
        for form in (secret, secret.hex().encode(), base64.b64encode(secret)[:-2]):
            assert not any(form in content for content in disk)


def aligned_rows(first, second):
    """Rows of two encoded passes that belong to the same record, ``int64[n, 2]``."""
    at = {int(record): row for row, record in enumerate(second.record_of_row) if record >= 0}
    rows = enumerate(first.record_of_row)
    return np.array([(row, at[int(r)]) for row, r in rows if r >= 0 and int(r) in at])


def likeness(first, second, pairs):
    """Greatest correlation, over all that the unit sees of two passes, between aligned rows.

    Seen of a row: its place, every byte of every column, and the weight of its filter.
    """
    seen = [views(encoded)[:, rows] for encoded, rows in zip((first, second), pairs.T, strict=True)]
    varied = [view[view.std(axis=1) > 0] for view in seen]
    joint = np.corrcoef(*varied)[: len(varied[0]), len(varied[0]) :]
    return float(np.abs(joint).max())


def views(encoded):
    """``float64[views, rows]`` of a table."""
    columns = encoded.table.columns
    found = [np.arange(len(encoded.table))[None]]
    found += [column.T for name, column in columns.items() if name != "filters"]
    if "filters" in columns:
        found.append(np.bitwise_count(columns["filters"]).sum(axis=1)[None])
    return np.vstack(found).astype(float)


def test_nothing_that_the_unit_holds_aligns_two_passes(make_pair, spy):
    agencies = make_pair(edit=three_passes)
    publish_and_confirm(agencies)
    (registry,) = (agencies.unit.house.data_dir / "datasets").iterdir()
    for provider in (True, False):
        sides = {p: made for (side, p), made in spy.passes.items() if side is provider}
        assert set(sides) == {"nik", "nama-lahir", "lahir"}
        if provider:  # the list has been erased by now
            for pass_id, made in sides.items():
                kept = np.load(registry / pass_id / "keys.npy")
                assert np.array_equal(made.table.columns["keys"], kept)
        for first, second in combinations(sides.values(), 2):
            pairs = aligned_rows(first, second)
            assert len(pairs) >= 800
            views_compared = len(views(first)) * len(views(second))
            # The greatest of so many correlations of unrelated rows, but for one run in a million.
            chance = np.sqrt(2 * np.log(1e6 * views_compared) / len(pairs))
            assert likeness(first, second, pairs) < chance
            assert (pairs[:, 0] == pairs[:, 1]).sum() < 8  # one is expected
            # The measure works: rows in a common order are found out.
            common = np.column_stack([np.arange(len(pairs)), np.arange(len(pairs))])
            assert likeness(first, second, common) > 0.99

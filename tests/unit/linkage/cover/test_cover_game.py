"""Decoy or person, played by somebody who sees more than a linkage unit, pass by pass.

Cover as it was made before is the control, and found.
"""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from cover_game import judged, seen

from padan_client.records.preparing import prepare
from padan_lab.demo.registries import in_words
from padan_lab.generate import generate_demo
from padan_linkage.agreement import example, load_agreement
from padan_linkage.cover import draw_people, joined
from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.encoding import EncodedPass, PassEncoder
from padan_linkage.schema import Pass, Segment

PEOPLE, REGISTERED = 1200, 3000


def likened(*exact, by):
    """A pass with a filter, which no example has."""
    segment = Segment(fields=(by,), weight=150, diffusion=12)
    return Pass(id=f"{by}-{len(exact)}", exact=exact, similar=(segment,))


FILTERED = {
    "asn-status": (
        likened("tanggal_lahir", "nik:area", "nama:phonetic_first", by="nama"),
        likened("tanggal_lahir", "nama:phonetic_last", by="nama"),
    ),
    "badan-usaha": (
        likened("telepon", by="nama_usaha"),
        likened("nama_usaha:phonetic", "kbli", by="alamat"),
    ),
}


class Sides:
    """A list and a registry of a flow, encoded; ``cover`` as many rows as people."""

    def __init__(self, agreement, flow, seed):
        (self.flow,) = [f for f in load_agreement(example(agreement)).flows if f.id == flow]
        schema = self.flow.schema
        self.schema = schema.model_copy(update={"passes": (*schema.passes, *FILTERED[flow])})
        demo = generate_demo(in_words(self.flow), REGISTERED, PEOPLE, seed)
        listed, registry = (
            prepare(t, self.schema, id_column="id") for t in (demo.requests, demo.registry)
        )
        strangers = np.flatnonzero(
            listed.usable & (demo.truth["registry_row"].fill_null(-1).to_numpy() < 0)
        )
        self.people = {n: c.take(pa.array(strangers)) for n, c in listed.fields.items()}
        self.registry = registry.fields
        self.count = len(strangers)
        self.drbg = Drbg(hashlib.sha256(b"sides %d" % seed).digest())
        self.key = LinkageKey(self.drbg.bytes(32), self.schema.digest(), flow, 1)

    def drawn(self, _):
        """Cover people."""
        return draw_people(self.schema, self.people, self.count, self.drbg.fork("cover"))

    def recombined(self, p):
        """A decoy of old: one person's exact fields, and all else of another."""
        few = self.count // 4
        one, other = (self.drbg.integers(few, self.count) for _ in range(2))
        return {n: c.take(pa.array(one if n in p.named else other)) for n, c in self.people.items()}

    def play(self, pass_id, cover):
        """The better classifier's AUC, and the half of its interval."""
        p = self.schema.get_pass(pass_id)
        encoder = PassEncoder(self.schema, p, self.key, threads=2)
        records = joined(self.people, cover(p))
        made = encoder.arrange(records, people=self.count, drbg=self.drbg)
        theirs = encoder.encode(self.registry, drbg=self.drbg)
        features, free = seen(EncodedPass.of(made), theirs)
        return judged(features[free], (made.shown < self.count)[free])


@pytest.fixture(scope="module")
def people():
    return Sides("kemnaker-bkn-2024", "asn-status", 41)


@pytest.fixture(scope="module")
def companies():
    return Sides("kemnaker-bpjskes-2020", "badan-usaha", 43)


def outcomes(sides, cover, passes):
    """By pass, how far the AUC is from a half, and the half of its interval."""
    played = {p.id: sides.play(p.id, cover) for p in passes}
    return {name: (abs(found - 0.5), interval) for name, (found, interval) in played.items()}


@pytest.mark.parametrize("side", ["people", "companies"])
def test_a_row_of_a_person_or_company_is_not_told_from_cover(side, request):
    sides = request.getfixturevalue(side)
    played = outcomes(sides, sides.drawn, sides.schema.passes)
    assert {name: r for name, r in played.items() if r[0] > r[1]} == {}


@pytest.mark.parametrize("side", ["people", "companies"])
def test_decoys_as_they_were_are_found(side, request):
    """Control: what is alone in its bucket was real."""
    sides = request.getfixturevalue(side)
    played = outcomes(sides, sides.recombined, [p for p in sides.schema.passes if p.similar])
    assert len(played) >= 2
    assert {name: r for name, r in played.items() if r[0] < 0.2} == {}

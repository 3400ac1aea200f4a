"""Made-up people, a schema with every sort of pass, and short ways to encode."""

import numpy as np
import pyarrow as pa
import pytest

from padan_linkage.answering.payloads import Payloads
from padan_linkage.cover import with_cover
from padan_linkage.crypto.keys import LinkageKey, exchange_public_key
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.crypto.sealing import Sealer
from padan_linkage.encoding import ProviderInputs, encode_table
from padan_linkage.schema import Schema

SYLLABLES = ["ba", "di", "ku", "lo", "mi", "na", "ri", "su", "ta", "wa", "ya", "har", "jo", "sen"]
PROVIDER, REQUESTER = b"p" * 32, b"r" * 32
FLOW = {"agreement_digest": b"d" * 32, "flow_id": "asn-status", "epoch": 1, "seal_id": b"s" * 16}


@pytest.fixture(scope="session")
def schema():
    return Schema.model_validate(
        {
            "fields": [
                {"name": "nik", "kind": "nik"},
                {"name": "depan", "kind": "person_name"},
                {"name": "belakang", "kind": "person_name"},
                {"name": "lahir", "kind": "date"},
                {"name": "kota", "kind": "place"},
            ],
            "passes": [
                {"id": "nik", "exact": ["nik"], "confirm": ["depan"]},
                {
                    "id": "lahir",
                    "exact": ["lahir"],
                    "similar": [
                        {"fields": ["depan"], "group": "nama", "bits": 256, "weight": 60},
                        {"fields": ["belakang"], "group": "nama", "bits": 256, "weight": 60},
                    ],
                    "confirm": ["kota"],
                },
                {
                    "id": "kota",
                    "exact": ["kota"],
                    "similar": [{"fields": ["depan", "belakang"]}, {"fields": ["lahir"]}],
                    "bucket_bits": 4,
                },
            ],
        }
    )


@pytest.fixture(scope="session")
def key():
    return LinkageKey(b"k" * 32, b"d" * 32, "asn-status", 1)


@pytest.fixture(scope="session")
def people():
    """A function: columns of n made-up people, birth dates out of 60, towns out of 12."""

    def make(count, seed=1):
        rng = np.random.default_rng(seed)

        def word():
            return "".join(rng.choice(SYLLABLES, rng.integers(2, 4)))

        towns = [word() for _ in range(12)]
        rows = {
            "nik": [
                f"3171010101{n // 9999:02d}{n % 9999 + 1:04d}"
                for n in rng.permutation(count * 10)[:count]
            ],
            "depan": [word() for _ in range(count)],
            "belakang": [word() for _ in range(count)],
            "lahir": [
                f"19{y}-0{m}-1{d}"
                for y, m, d in zip(
                    rng.integers(70, 75, count),
                    rng.integers(1, 5, count),
                    rng.integers(0, 3, count),
                    strict=True,
                )
            ],
            "kota": [towns[i] for i in rng.integers(0, 12, count)],
        }
        return {name: pa.array(values, pa.string()) for name, values in rows.items()}

    return make


@pytest.fixture
def encode(schema, key):
    """A function: the table of one pass, cover people and all, as an upload has it."""

    def run(pass_id, records, *, rows=None, seed=b"0" * 32, using=None, provider=None, **options):
        chosen = using or schema
        count = len(next(iter(records.values())))
        return encode_table(
            chosen,
            chosen.get_pass(pass_id),
            options.pop("key", key),
            with_cover(chosen, records, rows or chosen.padded_rows(count), Drbg(seed)),
            people=count,
            drbg=Drbg(seed),
            provider=provider,
            **options,
        )

    return run


@pytest.fixture
def provider_inputs():
    """A function: a fresh upload's sealer, payloads that count from 0, ids."""

    def make(count, first=0):
        numbers = np.arange(first, first + count)
        sealer = Sealer(PROVIDER, exchange_public_key(REQUESTER), **FLOW)
        payloads = Payloads.of(numbers.astype(np.uint64)).pack()
        ids = pa.array([f"P-{n}" for n in numbers], pa.string())
        return ProviderInputs(sealer, payloads, b"h" * 32, ids)

    return make

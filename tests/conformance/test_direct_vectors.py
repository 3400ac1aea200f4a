"""Direct mode's own vectors, replayed by the second implementation from the spec alone."""

import hashlib

import pytest

from padan_linkage.crypto.signatures import verify


@pytest.fixture(scope="module")
def direct(vectors):
    return vectors("direct")


@pytest.fixture(scope="module")
def secrets(direct, reference_voprf):
    """The secret of each key, by its id."""
    digest, made = bytes.fromhex(direct["agreement_digest"]), {}
    assert direct["public_keys"].keys() == {key["id"] for key in direct["keys"]}
    for key_id, expected in direct["public_keys"].items():
        info = reference_voprf.key_info(digest, direct["flow_id"], direct["epoch"], key_id)
        made[key_id], public = reference_voprf.derive_key(bytes.fromhex(direct["seed"]), info)
        assert public.hex() == expected
    assert len(set(made.values())) == len(made)
    return made


def sound(token):
    """Phonetic forms of the vectors' names, written down by hand."""
    return {"siti": "siti", "nurhaliza": "nuralisa", "budi": "budi"}[token]


def edits(text):
    return {text} | {text[:i] + text[i + 1 :] for i in range(len(text))}


def derived(values, part):
    """The values of one record under one part of a key, as spec 60 says."""
    field, _, derivation = part.partition(":")
    value = dict(zip(("nik", "paspor", "nama", "tanggal_lahir"), values, strict=True))[field]
    if not value:
        return set()
    tokens = [sound(t) for t in value.split(" ")] if field == "nama" else []
    if value.startswith("?") and derivation != "area":  # spec 12: doubtful
        return set()
    value = value.removeprefix("?")
    made = {
        "": {value},
        "area": {value[:6]},
        "edits": lowest(edits("".join(tokens) or value), 16 if tokens else 10),
        "phonetic": {" ".join(sorted(tokens))},
        "phonetic_first": set(tokens) - {"siti"},
        "year_month": {value[:7]},
    }
    return made[derivation]


def lowest(values, count):
    return set(sorted(values, key=lambda v: hashlib.sha256(v.encode()).digest())[:count])


def products(sets):
    if not sets:
        return [()]
    return [(head, *tail) for head in sets[0] for tail in products(sets[1:])]


def values_of(direct, reference_voprf):
    """By key and input: the persons who have it."""
    found = {}
    for key in direct["keys"]:
        for number, record in enumerate(direct["records"]):
            for values in products([derived(record["values"], p) for p in key["exact"]]):
                made = reference_voprf.input_bytes(key["id"], values).hex()
                found.setdefault((key["id"], made), []).append((number, values))
    return found


def test_every_value_has_a_label_for_each_who_has_it(direct, reference_voprf):
    """Numbered by pseudonym."""
    expected = []
    for (key, made), people in values_of(direct, reference_voprf).items():
        whose = sorted((direct["persons"][n]["pseudonym"], n) for n, _ in people)
        expected += [(key, made, number, person) for number, (_, person) in enumerate(whose)]
    told = [(one["key"], one["input"], one["number"], one["person"]) for one in direct["labels"]]
    assert sorted(told) == sorted(expected)
    assert any(number for _, _, number, _ in told)


def test_rarities(direct, reference_voprf):
    """Of four people one is rarer than nobody: a quarter is common."""
    assert {one["rarity"] for one in direct["labels"]} == {0xF0, 0xFF}
    named = {key["id"] for key in direct["keys"] if any("nama" in p for p in key["exact"])}
    for one in direct["labels"]:
        assert (one["rarity"] == 0xF0) == (one["key"] in named)
    made = [reference_voprf.half_decades(n, 10**6) for n in (10**4, 9999, 3162, 100, 10, 3, 1)]
    assert made == [0, 1, 2, 4, 6, 8, 8]


def test_every_record_of_a_list_asks_every_key(direct, reference_voprf):
    """As many messages for each, whatever it holds; a key that is not for it asks nobody."""
    dummy, made = b"padan/v1 direct dummy\x00", []
    most = {"paspor-salah": 10, "nama-salah": 16}
    nobody = {"values": ["", "", "", ""]}
    for key in direct["keys"]:
        for record in [*direct["records"], nobody]:
            fields = dict(
                zip(("nik", "paspor", "nama", "tanggal_lahir"), record["values"], strict=True)
            )
            found = sorted(
                reference_voprf.input_bytes(key["id"], values)
                for values in products([sorted(derived(record["values"], p)) for p in key["exact"]])
                if not any(fields[name] for name in key["without"])
            )
            made.append(found + [dummy] * (most.get(key["id"], 1) - len(found)))
    widths, listed = direct["list"]["widths"], direct["list"]["messages"]
    assert widths == [1, 1, 10, 16, 1]
    assert len(listed) == direct["list"]["rows"] * sum(widths) == sum(map(len, made))
    at = 0
    for slots in made:
        told = [bytes.fromhex(message) for message in listed[at : at + len(slots)]]
        assert sorted(told) == sorted(slots)
        at += len(slots)


def test_the_evaluation(direct, secrets, reference_voprf):
    made, secret = direct["evaluation"], secrets["nik-depan"]
    inputs = [bytes.fromhex(each) for each in made["inputs"]]
    randomness = bytes.fromhex(made["randomness"])
    scalars = [
        reference_voprf.blinding_scalar(randomness[64 * i : 64 * i + 64])
        for i in range(len(inputs))
    ]
    blinded = [reference_voprf.blind(*each) for each in zip(inputs, scalars, strict=True)]
    assert b"".join(blinded).hex() == made["blinded"]
    proof_randomness = bytes.fromhex(made["proof_randomness"])
    evaluated, proof = reference_voprf.evaluate_with(secret, blinded, proof_randomness)
    assert (b"".join(evaluated).hex(), proof.hex()) == (made["evaluated"], made["proof"])
    assert [reference_voprf.output(secret, each).hex() for each in inputs] == made["outputs"]


def test_outputs_and_labels(direct, secrets, reference_voprf):
    table_id = bytes.fromhex(direct["table_id"])
    step = len(direct["labels"]) // 12 + 1  # plain Python takes its time for each
    for one in direct["labels"][::step]:
        y = reference_voprf.output(secrets[one["key"]], bytes.fromhex(one["input"]))
        assert y.hex() == one["output"]
    for one in direct["labels"]:
        tag, pad = reference_voprf.label(bytes.fromhex(one["output"]), one["number"], table_id)
        assert (tag.hex(), pad.hex()) == (one["tag"], one["pad"])


def test_persons(direct, reference_voprf):
    seed, base_id, table_id = (bytes.fromhex(direct[n]) for n in ("seed", "base_id", "table_id"))
    for one, record in zip(direct["persons"], direct["records"], strict=True):
        made = reference_voprf.person(seed, base_id, direct["sequence"], one["reference"])
        told = tuple(bytes.fromhex(one[name]) for name in ("pseudonym", "secret", "slope"))
        assert made == told
        assert one["codes"] == record["codes"]
        answer = reference_voprf.answer(one["codes"])
        assert answer.hex() == one["answer"]
        assert reference_voprf.mask(answer, made[1], table_id).hex() == one["masked"]
        points = [(n, reference_voprf.share(*made[1:], n)) for n in (1, 2)]
        assert reference_voprf.secret_of(points) == made[1]


def test_gone_rows(direct, reference_voprf):
    table_id = bytes.fromhex(direct["table_id"])
    assert [one["pseudonym"] for one in direct["gone"]] == [
        one["pseudonym"] for one in direct["persons"]
    ]
    for one in direct["gone"]:
        tag = reference_voprf.gone(bytes.fromhex(one["pseudonym"]), table_id)
        assert tag.hex() == one["tag"]


def test_weak_keys_that_open_nothing_alone_have_places(direct):
    shared = [key["id"] for key in direct["keys"] if key["weak"] and not key["alone"]]
    expected = {key["id"]: 0 for key in direct["keys"]} | {i: n for n, i in enumerate(shared, 1)}
    assert direct["places"] == expected
    assert len(shared) == 2


def test_the_table_is_the_labels_in_order_and_dummies(direct, reference_voprf):
    made = set()
    for one in direct["labels"]:
        person = {
            name: bytes.fromhex(direct["persons"][one["person"]][name])
            for name in ("pseudonym", "secret", "slope", "masked")
        }
        opener = reference_voprf.share(
            person["secret"], person["slope"], direct["places"][one["key"]]
        )
        body = person["pseudonym"] + opener + bytes([one["rarity"]]) + person["masked"]
        tag, pad = bytes.fromhex(one["tag"]), bytes.fromhex(one["pad"])
        row = reference_voprf.row(tag, pad, body).hex()
        assert row == one["row"]
        made.add(row)
    assert direct["rows"] == sorted(direct["rows"])
    assert made < set(direct["rows"])
    assert len(direct["rows"]) == len(made) + direct["dummies"]
    assert {len(row) for row in direct["rows"]} == {80}


def test_trees(direct, reference_voprf):
    entries = [bytes([i]) * i for i in range(9)]
    leaves = [hashlib.sha256(b"\x00" + entry).hexdigest() for entry in entries]
    assert leaves == direct["chunks"]["leaf_hashes"]
    roots = [reference_voprf.root(entries[:size]).hex() for size in range(10)]
    assert roots == direct["chunks"]["roots"]


def test_the_commitment(direct, reference_voprf):
    committed = direct["commitment"]
    numbers = range(committed["element_count"])
    elements = [hashlib.sha256(b"element" + n.to_bytes(4, "big")).digest() for n in numbers]
    records = len(elements) // sum(committed["widths"])
    chunks, at = [], 0
    for key, width in enumerate(committed["widths"]):
        for count in reference_voprf.chunks(range(records * width), 1024):
            assert committed["chunks"][len(chunks)] == [key, at, len(count)]
            chunks.append(b"".join(elements[at : at + len(count)]))
            at += len(count)
    assert len(chunks) == len(committed["chunks"])
    assert reference_voprf.root(chunks).hex() == committed["root"]
    paths = [b"".join(reference_voprf.path(i, chunks)).hex() for i in range(len(chunks))]
    assert paths == committed["audit_paths"]


def test_the_schema_digest(direct, reference_voprf):
    used = {part.partition(":")[0] for key in direct["keys"] for part in key["exact"]}
    fields = {name: kind for name, kind in direct["fields"].items() if name in used}
    text = reference_voprf.canonical({"fields": fields, "keys": direct["keys"]})
    made = hashlib.sha256(b"padan/v1 direct schema\x00" + text).hexdigest()
    assert made == direct["schema_digest"]


def test_the_manifest(direct, reference_voprf):
    manifest = direct["manifest"]
    document = reference_voprf.canonical(manifest["content"])
    assert document.decode() == manifest["document"]
    statement = b"padan/v1 label table manifest\x00" + document
    assert statement.hex() == manifest["statement"]
    signature, public = (bytes.fromhex(manifest[k]) for k in ("signature", "sign_public"))
    verify(public, statement, signature)

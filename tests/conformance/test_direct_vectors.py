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


def test_inputs_are_those_of_the_records(direct, reference_voprf):
    expected = {}
    for key in direct["keys"]:
        for record in direct["records"]:
            for values in products([derived(record["values"], p) for p in key["exact"]]):
                made = reference_voprf.input_bytes(key["id"], values).hex()
                expected.setdefault((key["id"], made), []).append(record["codes"])
    weak = {key["id"]: key["weak"] for key in direct["keys"]}
    assert expected.keys() == {(one["key"], one["input"]) for one in direct["labels"]}
    for one in direct["labels"]:
        codes = expected[one["key"], one["input"]]
        shared = len(codes) > 1 if weak[one["key"]] else len(set(codes)) > 1
        assert (one["ambiguous"], one["codes"]) == (shared, 0 if shared else codes[0])


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
        tag, key = reference_voprf.label(bytes.fromhex(one["output"]), table_id)
        assert (tag.hex(), key.hex()) == (one["tag"], one["label_key"])


def test_payloads(direct, reference_voprf):
    for one in direct["payloads"]:
        made = reference_voprf.payload(
            one["codes"], ambiguous=one["ambiguous"], removed=one["removed"]
        )
        assert made.hex() == one["payload"]


def test_the_table_is_the_labels_in_order_and_dummies(direct, reference_voprf):
    table_id = bytes.fromhex(direct["table_id"])
    made = {
        reference_voprf.row(
            bytes.fromhex(one["output"]),
            table_id,
            reference_voprf.payload(one["codes"], ambiguous=one["ambiguous"]),
        ).hex()
        for one in direct["labels"]
    }
    assert direct["rows"] == sorted(direct["rows"])
    assert made < set(direct["rows"])
    assert len(direct["rows"]) == len(made) + direct["dummies"]
    assert {len(row) for row in direct["rows"]} == {96}


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

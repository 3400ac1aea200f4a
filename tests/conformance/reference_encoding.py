"""The encoding of proto/spec/10-encoding.md and the keys of 20-keys.md, slow and obvious.

Written from the pages, with the standard library's hashes alone; it shares no code with the
package. Bits are lists of 0 and 1, numbers are Python's. A schema is its JSON object, defaults
written out; an exact value is given as it stands after derivation.
"""

import hashlib
import hmac
import json
import struct
from itertools import pairwise

WORDS = {"person_name", "company_name", "place", "address", "text", "email"}
WHOLE = {"sex", "nationality"}


# Keys (page 20)


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf(secret, salt, info, length):
    """RFC 5869 with SHA-256, for at most 32 bytes."""
    extracted = hmac_sha256(salt or bytes(32), secret)
    return hmac_sha256(extracted, info + b"\x01")[:length]


def framed(text):
    data = text.encode("utf-8")
    return struct.pack(">H", len(data)) + data


def flow_context(agreement_digest, flow_id, epoch):
    return agreement_digest + framed(flow_id) + struct.pack(">Q", epoch)


def contribution_statement(context, party, public_key):
    return b"padan/v1 epoch contribution\x00" + context + framed(party) + public_key


def linkage_secret(shared_static, shared_epoch, agreement_digest, context, contributions):
    """From the two X25519 secrets; ``contributions`` are the provider's, then the requester's."""
    info = b"padan/v1 linkage key\x00" + context + b"".join(contributions)
    return hkdf(shared_static + shared_epoch, agreement_digest, info, 32)


def check_value(secret):
    return hkdf(secret, b"", b"padan/v1 check value\x00", 16)


def subkey(secret, label, digest, *names):
    info = b"padan/v1 " + label.encode() + b"\x00"
    for name in names:
        info += framed(name)
    return hkdf(secret, digest, info, 32)


# Schema


def schema_digest(schema):
    text = json.dumps(schema, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(b"padan/v1 schema\x00" + text.encode("ascii")).digest()


def find_pass(schema, pass_id):
    return next(p for p in schema["passes"] if p["id"] == pass_id)


def kind_of(schema, name):
    return next(f["kind"] for f in schema["fields"] if f["name"] == name)


def label_of(segment):
    return segment["group"] or "+".join(segment["fields"])


def label_number(pass_, segment):
    labels = [label_of(s) for s in pass_["similar"]]
    return labels.index(label_of(segment))


# Token


def token_hash(key, values):
    return hmac_sha256(key, b"".join(framed(v) for v in values))


def bucket(hashed, bits):
    return struct.unpack(">H", hashed[0:2])[0] >> (16 - bits)


# q-grams


def qgrams(kind, value):
    """The four-byte q-grams of one value, in order."""
    data = value.encode("utf-8")[:255]
    if not data:
        return []
    if kind in WORDS:
        return numbered([(1, a, b) for token in data.split(b" ") for a, b in padded(token)])
    if kind in WHOLE and len(data) <= 3:
        return [bytes([9]) + data.ljust(3, b"\x00")]
    if kind == "date" and is_date(data):
        return calendar(data)
    return symbols(data)


def padded(token):
    token = b" " + token + b" " if token else b""
    return list(pairwise(token))


def is_date(data):
    digits = data[0:4] + data[5:7] + data[8:10]
    hyphens = data[4:5] + data[7:8]
    return len(data) == 10 and hyphens == b"--" and all(48 <= d <= 57 for d in digits)


def calendar(data):
    digits = data.replace(b"-", b"")
    century, year, month, day = (int(digits[i : i + 2]) for i in (0, 2, 4, 6))
    grams = [bytes([3, 0, century, year]), bytes([4, 0, month, 0])]
    grams += [bytes([5, 0, day, 0]), bytes([6, 0, month, day])]
    grams += in_place(digits)
    grams += numbered([(7, month, 0), (7, day, 0)])
    grams += numbered([(8, digit, 0) for digit in digits[0:4]])
    return grams


def symbols(data):
    return in_place(data) + numbered([(1, a, b) for a, b in pairwise(data)])


def in_place(data):
    return [bytes([2, position, byte, 0]) for position, byte in enumerate(data)]


def numbered(contents):
    grams, seen = [], []
    for content in contents:
        rule, a, b = content
        grams.append(bytes([rule, seen.count(content), a, b]))
        seen.append(content)
    return grams


# SipHash-2-4, 128-bit output


def siphash(key, message):
    low, high = struct.unpack("<QQ", key)
    v = [
        low ^ 0x736F6D6570736575,
        high ^ 0x646F72616E646F6D ^ 0xEE,
        low ^ 0x6C7967656E657261,
        high ^ 0x7465646279746573,
    ]
    ending = bytes(-(len(message) + 1) % 8) + bytes([len(message) % 256])
    for (word,) in struct.iter_unpack("<Q", message + ending):
        v[3] ^= word
        sip_rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xEE
    sip_rounds(v, 4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    sip_rounds(v, 4)
    return struct.pack("<QQ", first, v[0] ^ v[1] ^ v[2] ^ v[3])


def sip_rounds(v, count):
    for _ in range(count):
        half_round(v, 0, 1, 13, 32)
        half_round(v, 2, 3, 16, 0)
        half_round(v, 0, 3, 21, 0)
        half_round(v, 2, 1, 17, 32)


def half_round(v, a, b, turn, turn_sum):
    v[a] = (v[a] + v[b]) % 2**64
    v[b] = rotate(v[b], turn) ^ v[a]
    v[a] = rotate(v[a], turn_sum)


def rotate(word, by):
    return (word << by | word >> (64 - by)) % 2**64


# Filter


def segment_grams(schema, pass_, segment, record):
    """Six-byte q-grams of a segment: with label number and field."""
    grams = []
    for field, name in enumerate(segment["fields"]):
        for gram in qgrams(kind_of(schema, name), record[name]):
            place = bytes([label_number(pass_, segment), field])
            grams.append(gram[0:1] + place + gram[1:4])
    return grams


def words_of(salt, gram, counter):
    return struct.unpack("<8H", siphash(salt, gram + bytes([counter])))


def gram_positions(salt, gram, bits, wanted):
    """A q-gram's first positions."""
    return [words_of(salt, gram, i // 7)[i % 7] * bits // 2**16 for i in range(wanted)]


def insertions(salt, grams, bits, weight):
    """Positions of all insertions, coinciding ones repeated, in no particular order."""

    def order(gram):
        return words_of(salt, gram, 0)[7], int.from_bytes(gram, "little")

    positions = []
    for place, gram in enumerate(sorted(grams, key=order)):
        wanted = weight // len(grams) + (place < weight % len(grams))
        positions += gram_positions(salt, gram, bits, wanted)
    return positions


def beside_weight(segment):
    taps = 8 * max(1, segment["diffusion"])
    return max(1, (segment["bits"] + taps // 2) // taps)


def beside_grams(pass_, segment, record):
    """One six-byte q-gram for every field beside that has a value."""
    grams = []
    for number, name in enumerate(segment["beside"]):
        if record[name]:
            digest = 0x811C9DC5
            for byte in record[name].encode("utf-8"):
                digest = ((digest ^ byte) * 0x01000193) % 2**32
            place = bytes([label_number(pass_, segment), 0x40 + number])
            grams.append(bytes([10]) + place + struct.pack("<I", digest)[0:3])
    return grams


def plain_bits(positions, bits):
    result = [0] * bits
    for position in positions:
        result[position] = 1
    return result


# Diffusion


def diffusion_taps(key, bits, taps):
    """For every output bit its input bits, in the order of drawing."""
    words = keystream_words(key)
    result = []
    for _ in range(bits):
        chosen = []
        while len(chosen) < taps:
            word = next(words)
            if word < bits * (2**16 // bits) and word % bits not in chosen:
                chosen.append(word % bits)
        result.append(chosen)
    return result


def keystream_words(key):
    block = 0
    while True:
        yield from struct.unpack(">16H", hmac_sha256(key, struct.pack(">I", block)))
        block += 1


def diffused_bits(plain, all_taps):
    return [sum(plain[i] for i in taps) % 2 for taps in all_taps]


# Mask, tags


def pad(salt, label, bits):
    blocks = range(-(-bits // 128))
    stream = b"".join(siphash(salt, bytes([0x40, label, 0, 0, 0, 0, b])) for b in blocks)
    return stream[: bits // 8]


def to_bytes(bits):
    return bytes(sum(bits[i + j] << j for j in range(8)) for i in range(0, len(bits), 8))


def xor(first, second):
    return bytes(a ^ b for a, b in zip(first, second, strict=True))


def tag(salt, index, value):
    return siphash(salt, bytes([0x80, index]) + value.encode("utf-8"))[:8]


# A row


def encode_segment(schema, pass_, segment, secret, salt, record):
    """Every step of one segment, or None where it has no q-gram and its bits are random."""
    grams = segment_grams(schema, pass_, segment, record)
    if not grams:
        return None
    bits, taps = segment["bits"], segment["diffusion"]
    each = beside_weight(segment)
    positions = insertions(salt, grams, bits, segment["weight"] - each * len(segment["beside"]))
    for gram in beside_grams(pass_, segment, record):
        positions += gram_positions(salt, gram, bits, each)
    plain = plain_bits(positions, bits)
    diffused = plain
    if taps:
        digest = schema_digest(schema)
        key = subkey(secret, "diffusion", digest, pass_["id"], label_of(segment))
        diffused = diffused_bits(plain, diffusion_taps(key, bits, taps))
    masked = xor(to_bytes(diffused), pad(salt, label_number(pass_, segment), bits))
    steps = {"plain": to_bytes(plain), "diffused": to_bytes(diffused), "masked": masked}
    return {"qgrams": grams, **steps}


def takes_part(schema, pass_id, record):
    """Whether a list's record may have a row of its own in the pass; a registry's always may."""
    return not any(record[name] for name in find_pass(schema, pass_id)["without"])


def encode_row(schema, pass_id, secret, exact, record):
    """A record's row in one pass; None where it lacks an exact value.

    ``segments`` and ``tags`` have None where the row has random bits.
    """
    if "" in exact:
        return None
    hashed = token_hash(subkey(secret, "token", schema_digest(schema), pass_id), exact)
    return shown(schema, pass_id, secret, hashed, record)


def shown(schema, pass_id, secret, hashed, record):
    """What a record shows under a hash of 32 bytes."""
    pass_ = find_pass(schema, pass_id)
    salt = hashed[16:32]
    segments = [encode_segment(schema, pass_, s, secret, salt, record) for s in pass_["similar"]]
    values = [record[name] for name in pass_["confirm"]]
    number = bucket(hashed, pass_["bucket_bits"])
    return {
        "hash": hashed,
        "bucket": number,
        "keys": struct.pack("<H", number) if segments else hashed[0:16],
        "segments": segments,
        "presence": presence(segments) if schema["presence"] else b"",
        "tags": [tag(salt, i, v) if v else None for i, v in enumerate(values)],
    }


def stand_in(schema, pass_id, side, secret, record):
    """The row of a record that takes no part in the pass, as ``encode_row`` has it."""
    key = subkey(secret, "stand-in", schema_digest(schema), pass_id, side)
    hashed = token_hash(key, [record[name][:1000] for name in sorted(record)])
    return shown(schema, pass_id, secret, hashed, record)


def presence(segments):
    bits = [int(segment is not None) for segment in segments]
    return to_bytes(bits + [0] * (-len(bits) % 8))


# Tables, handles


def columns_digest(columns):
    """``columns``: (name, bytes) in the order of the page."""
    parts = [n.encode() + b"\x00" + hashlib.sha256(data).digest() for n, data in columns]
    return hashlib.sha256(b"".join(parts)).digest()


def record_handle(key, pass_id, record_id):
    return hmac_sha256(key, pass_id.encode() + b"\x00" + record_id.encode())[:16]


def cover_handle(key, pass_id, number):
    return hmac_sha256(key, pass_id.encode() + b"\x01" + struct.pack(">Q", number))[:16]

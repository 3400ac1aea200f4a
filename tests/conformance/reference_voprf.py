"""A second implementation of direct mode, from the standards alone: slow, plain Python.

ristretto255 (RFC 9496), hashing to it (RFC 9380, expand_message_xmd with SHA-512), VOPRF of
RFC 9497 with given scalars; and, from spec 60, inputs, labels, tables, trees.
"""

import hashlib
import hmac
import json
import struct

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1, 1, 0)
CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"


# RFC 9496: the group


def negative(x):
    return x % P & 1


def sqrt_ratio(u, v):
    """Whether u/v is a square, and the root of it, or of i·u/v (4.2)."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    u %= P
    correct, flipped = check == u, check == -u % P
    flipped_i = check == -u * ROOT_OF_MINUS_ONE % P
    if flipped or flipped_i:
        r = r * ROOT_OF_MINUS_ONE % P
    return correct or flipped, -r % P if negative(r) else r


def decode(raw):
    """The point of a canonical encoding (4.3.1); ValueError for any other bytes."""
    s = int.from_bytes(raw, "little")
    if len(raw) != 32 or s >= P or negative(s):
        raise ValueError("not canonical")
    u1, u2 = 1 - s * s, 1 + s * s
    v = -D * u1 * u1 - u2 * u2
    square, inverse = sqrt_ratio(1, v * u2 * u2)
    dx, dy = inverse * u2, inverse * inverse * u2 * v
    x = 2 * s * dx % P
    x = -x % P if negative(x) else x
    y = u1 * dy % P
    if not square or negative(x * y) or y == 0:
        raise ValueError("no point")
    return x, y, 1, x * y % P


def encode(point):
    """The 32 bytes of a point (4.3.2)."""
    x0, y0, z0, t0 = point
    u1, u2 = (z0 + y0) * (z0 - y0), x0 * y0
    _, inverse = sqrt_ratio(1, u1 * u2 * u2)
    d1, d2 = inverse * u1 % P, inverse * u2 % P
    z_inverse = d1 * d2 * t0 % P
    if negative(t0 * z_inverse):
        x, y = y0 * ROOT_OF_MINUS_ONE % P, x0 * ROOT_OF_MINUS_ONE % P
        d = d1 * INVERSE_SQRT_A_MINUS_D % P
    else:
        x, y, d = x0, y0, d2
    if negative(x * z_inverse):
        y = -y % P
    s = d * (z0 - y) % P
    return (-s % P if negative(s) else s).to_bytes(32, "little")


INVERSE_SQRT_A_MINUS_D = sqrt_ratio(1, (-1 - D) % P)[1]
SQRT_AD_MINUS_ONE = P - sqrt_ratio((-D - 1) % P, 1)[1]  # RFC 9496 takes the negative root


def add(p, q):
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a, b = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    c, d = 2 * D * t1 * t2, 2 * z1 * z2
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(k, p):
    result = IDENTITY
    for bit in f"{k % ORDER:b}":
        result = add(result, result)
        if bit == "1":
            result = add(result, p)
    return result


def one_way(uniform):
    """A point from 64 uniform bytes (4.3.4)."""
    return add(elligator(uniform[:32]), elligator(uniform[32:]))


def elligator(raw):
    t = (int.from_bytes(raw, "little") & (2**255 - 1)) % P
    r = ROOT_OF_MINUS_ONE * t * t
    u = (r + 1) * (1 - D * D)
    v = (-1 - r * D) * (r + D)
    square, s = sqrt_ratio(u, v)
    s_prime = s * t % P
    s_prime = s_prime if negative(s_prime) else -s_prime % P
    c = -1
    if not square:
        s, c = s_prime, r
    n = c * (r - 1) * (D - 1) ** 2 - v
    w0, w1 = 2 * s * v, n * SQRT_AD_MINUS_ONE
    w2, w3 = 1 - s * s, 1 + s * s
    return w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P


BASE = decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


# RFC 9380 and RFC 9497


def expand(message, dst, length):
    """expand_message_xmd with SHA-512."""
    dst += bytes([len(dst)])
    first = hashlib.sha512(
        bytes(128) + message + struct.pack(">H", length) + b"\x00" + dst
    ).digest()
    out, last = b"", bytes(64)
    for i in range(1, -(-length // 64) + 1):
        mixed = bytes(a ^ b for a, b in zip(first, last, strict=True))
        last = hashlib.sha512(mixed + bytes([i]) + dst).digest()
        out += last
    return out[:length]


def to_group(message):
    return one_way(expand(message, b"HashToGroup-" + CONTEXT, 64))


def to_scalar(message, label=b"HashToScalar-"):
    return int.from_bytes(expand(message, label + CONTEXT, 64), "little") % ORDER


def lp(data):
    return struct.pack(">H", len(data)) + data


def derive_key(seed, info):
    """DeriveKeyPair (3.2.1)."""
    for counter in range(256):
        secret = to_scalar(seed + lp(info) + bytes([counter]), b"DeriveKeyPair")
        if secret:
            return secret, encode(multiply(secret, BASE))
    raise ValueError("no key")


def blind(message, scalar):
    return encode(multiply(scalar, to_group(message)))


def composites(secret, public, blinded, evaluated):
    """ComputeComposites (2.2.1), the fast form where the secret is known."""
    seed = hashlib.sha512(lp(public) + lp(b"Seed-" + CONTEXT)).digest()
    m = z = IDENTITY
    for i, (b, e) in enumerate(zip(blinded, evaluated, strict=True)):
        d = to_scalar(lp(seed) + struct.pack(">H", i) + lp(b) + lp(e) + b"Composite")
        m = add(m, multiply(d, decode(b)))
        z = add(z, multiply(d, decode(e)))
    return m, z if secret is None else multiply(secret, m)


def challenge(public, m, z, t2, t3):
    parts = (public, encode(m), encode(z), encode(t2), encode(t3))
    return to_scalar(b"".join(map(lp, parts)) + b"Challenge")


def evaluate(secret, blinded, r):
    """BlindEvaluate (3.3.2) of a batch: evaluated elements and the proof with nonce ``r``."""
    public = encode(multiply(secret, BASE))
    evaluated = [encode(multiply(secret, decode(b))) for b in blinded]
    m, z = composites(secret, public, blinded, evaluated)
    c = challenge(public, m, z, multiply(r, BASE), multiply(r, m))
    return evaluated, c.to_bytes(32, "little") + ((r - c * secret) % ORDER).to_bytes(32, "little")


def proof_holds(public, blinded, evaluated, proof):
    """VerifyProof (2.2.2)."""
    c, s = (int.from_bytes(half, "little") for half in (proof[:32], proof[32:]))
    m, z = composites(None, public, blinded, evaluated)
    t2 = add(multiply(s, BASE), multiply(c, decode(public)))
    t3 = add(multiply(s, m), multiply(c, z))
    return c < ORDER and s < ORDER and challenge(public, m, z, t2, t3) == c


def finalise(message, scalar, evaluated):
    """Finalize (3.3.2), the proof left aside."""
    unblinded = encode(multiply(pow(scalar, -1, ORDER), decode(evaluated)))
    return hashlib.sha512(lp(message) + lp(unblinded) + b"Finalize").digest()


def output(secret, message):
    """Evaluate of a known input."""
    point = encode(multiply(secret, to_group(message)))
    return hashlib.sha512(lp(message) + lp(point) + b"Finalize").digest()


# Spec 60


def blinding_scalar(randomness):
    return int.from_bytes(randomness, "little") % ORDER or 1


def evaluate_with(secret, blinded, randomness):
    """A batch evaluated and proved, the nonce made of key, randomness and composite."""
    public = encode(multiply(secret, BASE))
    evaluated = [encode(multiply(secret, decode(b))) for b in blinded]
    m, _ = composites(secret, public, blinded, evaluated)
    hidden = lp(randomness) + secret.to_bytes(32, "little") + encode(m)
    nonce = hashlib.sha512(b"padan/v1 proof nonce\x00" + hidden).digest()
    return evaluate(secret, blinded, int.from_bytes(nonce, "little") % ORDER or 1)


def key_info(agreement_digest, flow, epoch, key_id):
    context = agreement_digest + lp(flow.encode()) + struct.pack(">Q", epoch)
    return b"padan/v2 direct key\x00" + context + lp(key_id.encode())


def input_bytes(key_id, values):
    return b"padan/v1 direct\x00" + b"".join(lp(text.encode()) for text in (key_id, *values))


def hkdf(secret, info, length):
    """HKDF-SHA-256 (RFC 5869) without salt."""
    prk, made, last = hmac.digest(bytes(32), secret, "sha256"), b"", b""
    while len(made) < length:
        last = hmac.digest(prk, last + info + bytes([len(made) // 32 + 1]), "sha256")
        made += last
    return made[:length]


def label(y, number, table_id):
    """Tag and pad of label ``number``."""
    made = hkdf(y, b"padan/v2 label\x00" + table_id + bytes([number]), 40)
    return made[:10], made[10:]


def person(seed, base_id, sequence, reference):
    """Pseudonym, secret and slope."""
    base = hkdf(seed, b"padan/v2 direct persons\x00" + base_id, 32)
    pseudonym = hmac.digest(base, b"pseudonym\x00" + reference.encode(), "sha256")[:8]
    message = b"secret\x00" + struct.pack(">Q", sequence) + reference.encode()
    both = hmac.digest(base, message, "sha256")
    return pseudonym, both[:16], both[16:]


def times(one, other):
    """A product in GF(2^128), big-endian, modulo x^128 + x^7 + x^2 + x + 1."""
    product = 0
    while other:
        product ^= one if other & 1 else 0
        other >>= 1
        one <<= 1
        one ^= (1 << 128 | 0x87) if one >> 128 else 0
    return product


def share(secret, slope, place):
    """The point of the line at ``place``."""
    product = times(int.from_bytes(slope, "big"), place)
    return (int.from_bytes(secret, "big") ^ product).to_bytes(16, "big")


def secret_of(points):
    """The secret of two shares: (place, share)."""
    (x, one), (z, other) = ((place, int.from_bytes(s, "big")) for place, s in points)
    slope = (one ^ other, x ^ z)
    inverse = slope[1]
    for _ in range(126):  # to the power of 2^128 - 2
        inverse = times(times(inverse, inverse), slope[1])
    inverse = times(inverse, inverse)
    return (one ^ times(times(slope[0], inverse), x)).to_bytes(16, "big")


def answer(codes):
    """Five bytes: set aside, or codes."""
    return struct.pack("<BI", not codes, codes)


def mask(text, secret, table_id):
    """An answer under its person's secret."""
    pad = hkdf(secret, b"padan/v2 answer\x00" + table_id, len(text))
    return bytes(a ^ b for a, b in zip(text, pad, strict=True))


def row(tag, pad, body):
    return tag + bytes(a ^ b for a, b in zip(body, pad, strict=True))


def half_decades(people, registry):
    """How rare: 0 for one in a hundred or commoner, 8 for rarer than one in 316,000."""
    return sum(people < registry * 10 ** (-2 - n / 2) for n in range(8))


def gone(pseudonym, table_id):
    return hashlib.sha256(b"padan/v2 gone\x00" + table_id + pseudonym).digest()[:10]


def root(entries):
    """RFC 9162, 2.1.1, as it is written there."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while 2 * k < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + root(entries[:k]) + root(entries[k:])).digest()


def path(index, entries):
    """RFC 9162, 2.1.3.1."""
    if len(entries) == 1:
        return []
    k = 1
    while 2 * k < len(entries):
        k *= 2
    if index < k:
        return [*path(index, entries[:k]), root(entries[k:])]
    return [*path(index - k, entries[k:]), root(entries[:k])]


def chunks(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


def canonical(content):
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")

"""The ciphersuite ristretto255-SHA512 of RFC 9497, but for the group: numbers, hashes, proofs.

Start at :mod:`.proofs` (the DLEQ proof of a batch); :mod:`.scalars` has the arithmetic modulo the
order of the group, :mod:`.sha512` the hash, :mod:`.hashing` what the suite hashes to numbers and to
the group. All work on many at a time, and neither branch on a secret nor look up by one.
"""

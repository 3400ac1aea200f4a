"""The common words of names, as an edition carries them: keyed, for the two sides alone.

The unit keeps editions and must see no value, and a list of common words would help whoever guesses
names. Both agencies hold the linkage key; who has a word can tell whether it is among them. Spec:
``proto/spec/36-editions.md``, "Documents".
"""

from __future__ import annotations

import hmac
from dataclasses import replace

from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.edition.asking import Records, words_in
from padan_linkage.edition.document import Edition
from padan_linkage.schema import Schema

_BYTES = 8


def keyed(edition: Edition, key: LinkageKey, schema: Schema) -> Edition:
    """The edition with a tag in place of each common word."""
    subkey = key.subkey("words", schema.digest())
    common = tuple(tuple(sorted(_tag(subkey, w) for w in group)) for group in edition.common)
    return replace(edition, common=common)


def read(edition: Edition, key: LinkageKey, schema: Schema, records: Records) -> Edition:
    """The keyed edition with those of its common words that the ``records`` have, in the clear."""
    subkey = key.subkey("words", schema.digest())
    known = {_tag(subkey, word): word for word in words_in(schema, records)}
    common = tuple(tuple(known[tag] for tag in group if tag in known) for group in edition.common)
    return replace(edition, common=common)


def _tag(subkey: bytes, word: str) -> str:
    return hmac.digest(subkey, word.encode(), "sha256")[:_BYTES].hex()

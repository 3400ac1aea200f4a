"""Negative vectors of a label table's manifest: form, signature, agreement, order (spec 60)."""

from __future__ import annotations

import json
from typing import Any

from faults import Faults, L, flip, little
from material import EPOCH, key_bytes

from padan_linkage.crypto.signatures import sign
from padan_linkage.direct.manifest import manifest_statement

#: Any other point: the generator of ristretto255 (RFC 9496).
OTHER_KEY = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"
NOW = "2026-12-01T00:00:00Z"


def spelt(content: dict[str, Any], **change: Any) -> bytes:
    """A manifest in its one form, with other entries."""
    text = json.dumps(content | change, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")


def manifests(made: dict[str, Any]) -> Faults:
    """The form of a manifest, whoever signed it."""
    content = made["manifest"]["content"]
    document = made["manifest"]["document"]
    call = Faults("manifest", "Manifest", document=document)

    def fault(name: str, field: str, **change: Any) -> None:
        error = f"ManifestError:{field}" if field else "ManifestError"
        call.fault(name, error, document=spelt(content, **change).decode())

    def spelling(name: str, text: str) -> None:
        call.fault(name, "ManifestError:manifest", document=text)

    spelling("truncated", document[:-1])
    spelling("spaces_between", json.dumps(content, sort_keys=True))
    reverse = dict(sorted(content.items(), reverse=True))
    spelling("keys_out_of_order", json.dumps(reverse, separators=(",", ":")))
    spelling("line_feed_at_the_end", document + "\n")
    spelling("repeated_key", document.replace('"epoch":3', '"epoch":2,"epoch":3'))
    spelling("too_long", document + " " * 4096)
    spelling("no_such_date", spelt(content, created="2026-02-30T00:00:00Z").decode())
    fault("wrong_format", "", format="padan/v1 release")
    fault("unknown_entry", "", comment="")
    fault("digest_in_capitals", "", agreement_digest="AB" * 32)
    fault("truncated_root", "", root=content["root"][:-2])
    fault("truncated_table_id", "", table=content["table"][:-2])
    fault("epoch_zero", "", epoch=0)
    fault("epoch_as_text", "", epoch="3")
    fault("no_row", "", rows=0)
    fault("fraction_of_a_second", "", created="2026-11-20T00:00:00.5Z")
    fault("expires_at_its_creation", "expires", expires=content["created"])
    fault("wrong_chunk_rows", "chunk_rows", chunk_rows=1024)
    keys = content["public_keys"]
    fault("one_public_key", "", public_key=keys["nik"])
    fault("no_public_key", "", public_keys={})
    fault("too_many_public_keys", "", public_keys={f"nik-{n}": keys["nik"] for n in range(17)})
    fault("truncated_public_key", "", public_keys=keys | {"nik": keys["nik"][:-2]})
    fault("key_id_in_capitals", "", public_keys=keys | {"NIK": keys["nik"]})
    for age, version in (("Former", 1), ("Later", 3)):
        other = spelt(content, format=f"padan/v{version} label table").decode()
        call.fault(f"{age.lower()}_format", f"{age}ManifestError:format", document=other)
    fault("delta_without_base", "base", base=None)
    fault("base_with_a_base", "base", sequence=0)
    missing = {key: value for key, value in content.items() if key != "root"}
    call.fault("entry_missing", "ManifestError", document=spelt(missing).decode())
    return call


def signed_manifests(made: dict[str, Any]) -> Faults:
    """A manifest under the provider's signature."""
    manifest = made["manifest"]
    private, document = key_bytes("provider sign"), manifest["document"]
    signature = bytes.fromhex(manifest["signature"])
    call = Faults(
        "signed_manifest",
        "Manifest",
        document=document,
        signature=signature,
        sign_public=manifest["sign_public"],
    )

    def fault(name: str, **change: Any) -> None:
        call.fault(name, "ManifestError:signature", **change)

    response = int.from_bytes(signature[32:], "little")
    other = spelt(manifest["content"], rows=8192).decode()
    fault("bad_signature", signature=flip(signature, 40))
    fault("truncated_signature", signature=signature[:-1])
    fault("non_canonical_signature", signature=signature[:32] + little(response + L))
    fault("signed_without_label", signature=sign(private, document.encode()))
    release = manifest_statement(document.encode()).replace(b"label table manifest", b"release")
    fault("signed_as_a_release", signature=sign(private, release))
    fault(
        "wrong_signer", signature=sign(key_bytes("impostor"), manifest_statement(document.encode()))
    )
    fault("sign_key_no_point", sign_public=b"\xff" * 32)
    fault("altered_document", document=other)
    fault("small_order_signer", sign_public=little(1), signature=little(1) + bytes(32))
    return call


def agreed_manifests(made: dict[str, Any]) -> Faults:
    """A manifest beside what the requester's agreement says, and today's date."""
    content = made["manifest"]["content"]
    agreed = ("agreement", "agreement_digest", "flow", "direct_schema_digest", "normaliser_version")
    call = Faults(
        "agreed_manifest",
        "Manifest",
        document=made["manifest"]["document"],
        now=NOW,
        **{name: content[name] for name in agreed},
        key_ids=list(content["public_keys"]),
    )
    others = {
        "agreement": "kemnaker-bkn-2025",
        "agreement_digest": "00" * 32,
        "flow": "jf-binaan",
        "direct_schema_digest": "00" * 32,
        "normaliser_version": "id-1",
    }
    for field, value in others.items():
        document = spelt(content, **{field: value}).decode()
        call.fault(f"wrong_{field}", f"ManifestError:{field}", document=document)
    keys = content["public_keys"]
    fewer = {key_id: key for key_id, key in keys.items() if key_id != "nik"}
    wrong_ids = {
        "key_id_missing": fewer,
        "key_id_too_many": keys | {"nip": OTHER_KEY},
        "wrong_key_id": fewer | {"nip": keys["nik"]},
    }
    for name, given in wrong_ids.items():
        document = spelt(content, public_keys=given).decode()
        call.fault(name, "ManifestError:public_keys", document=document)
    call.fault("expired", "ManifestError:expires", now=content["expires"])
    return call


def sequences(made: dict[str, Any]) -> Faults:
    """A base and its two deltas, in order; the last table has the fault."""
    content = made["manifest"]["content"]
    whole = [
        spelt(content, table=content["base"], base=None, sequence=0),
        spelt(content),
        last := spelt(content, table="00" * 16, sequence=2),
    ]
    call = Faults("sequence", "Manifest; Deltas", now=NOW, documents=[d.decode() for d in whole])

    def fault(name: str, field: str, **change: Any) -> None:
        document = spelt(json.loads(last), **change)
        shown = [each.decode() for each in (*whole[:-1], document)]
        call.fault(name, f"SequenceError:{field}", documents=shown)

    fault("wrong_epoch", "epoch", epoch=EPOCH - 1)
    fault(
        "wrong_key",
        "epoch",
        public_keys=content["public_keys"] | {"nik": OTHER_KEY},
    )
    fault("gap", "sequence", sequence=3)
    fault("repetition", "sequence", sequence=1)
    return call

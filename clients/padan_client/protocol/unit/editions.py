"""The edition of the registry that answers, believed only if its provider signed it.

Spec: ``proto/spec/36-editions.md``, "Checks".
"""

from __future__ import annotations

import re
from contextlib import suppress

from padan.v1 import dataset_service_pb2, resources_pb2
from padan_client.base.effects import Patience, Steps, call, work
from padan_client.base.errors import VerificationError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.base.version import newer_made
from padan_client.protocol.session import Session
from padan_client.protocol.unit.registries import present_registry
from padan_linkage.edition.checking import EditionError, Wanted, checked_edition
from padan_linkage.edition.document import SHIPPED, Edition


def edition_name(place: FlowPlace, edition: Edition) -> str:
    """The resource name of an edition of the flow."""
    return f"{place.name}/editions/{edition.name()}"


def fetch_edition(session: Session, name: str, patience: Patience) -> Steps[Edition]:
    """The edition of that resource name. Raises VerificationError for one not to be relied on."""
    if not re.fullmatch(re.escape(session.place.name) + r"/editions/[0-9a-f]{16}", name):
        raise not_genuine("name")
    # Spec 36, "Carried", step 8.
    request = dataset_service_pb2.GetEditionRequest(name=name)
    method = "DatasetService.GetEdition"
    answer = yield from call(method, request, resources_pb2.Edition, patience)
    return (yield from work(lambda: _believed(session, name, answer)))


def require_usable_registry(session: Session, patience: Patience) -> Steps[None]:
    """Look at the edition that would answer before anything is uploaded or charged.

    Raises VerificationError where it is not to be relied on: of another version of Padan, say.
    """
    # Spec 36, "Carried", step 8.
    registry = yield from present_registry(session.place, patience)
    if registry is None:
        return
    name = f"{session.place.name}/editions/{registry.by.edition}"
    with suppress(_OtherSchemaError):  # the unit refuses that, and names what made either
        yield from fetch_edition(session, name, patience)


def _believed(session: Session, name: str, answer: resources_pb2.Edition) -> Edition:
    try:
        edition = checked_edition(answer.document, answer.signature, wanted(session))
    except EditionError as e:
        known = _of_a_later_version if e.later else _ERRORS.get(e.differs)
        raise (known() if known else not_genuine(e.differs)) from None
    if {answer.name, edition_name(session.place, edition)} != {name}:
        raise not_genuine("name")
    if not _accepted(session, edition.levels):
        raise _not_accepted(edition.levels)
    return edition


class _OtherSchemaError(VerificationError):
    """The edition is of another schema than this side's."""


def _of_another_schema() -> VerificationError:
    return _OtherSchemaError(str(not_genuine("schema")))


def _accepted(session: Session, levels: str) -> bool:
    # Spec 36, "Levels".
    if session.levels is None:
        return levels == SHIPPED
    return session.levels.hold(session.place, session.schema, levels)


def _not_accepted(levels: str) -> VerificationError:
    """The edition rests on error levels that this side never signed."""
    return VerificationError(
        t(
            f"Edisi registri memakai tingkat galat {levels} yang belum disepakati di sini. Tidak "
            "ada kode yang diterima. Minta berkasnya dari penyedia, periksa, lalu `padan agreement "
            "accept-levels BERKAS`; atau minta penyedia menerbitkan dengan yang disepakati.",
            f"The registry's edition rests on error levels {levels} that were not accepted here. "
            "No code was taken. Ask the provider for the file, check it, then `padan agreement "
            "accept-levels FILE`; or ask the provider to publish by what was accepted.",
        )
    )


def _of_a_later_version() -> VerificationError:
    """The provider signed it, with a version of Padan that is newer than this one."""
    return VerificationError(newer_made("Edisi registri", "The registry's edition"))


def _of_an_earlier_version() -> VerificationError:
    """The provider signed it, in a format that this software does not read any more."""
    return VerificationError(
        t(
            "Edisi registri dibuat Padan versi terdahulu, dalam bentuk yang tidak dibaca lagi. "
            "Tidak ada kode yang diterima. Minta penyedia menerbitkan ulang registri dengan versi "
            "yang sama seperti di sini.",
            "The registry's edition was made by an earlier version of Padan, in a form that is not "
            "read any more. No code was taken. Ask the provider to publish the registry again with "
            "the version that is used here.",
        )
    )


#: What is said of an edition that differs so; of any other: :func:`not_genuine`.
_ERRORS = {"version": _of_an_earlier_version, "schema": _of_another_schema}


def wanted(session: Session) -> Wanted:
    """What an edition must be of, by the agreement that is signed here."""
    place = session.place
    return Wanted(
        agreement=place.digest.hex(),
        flow=place.flow.id,
        schema=session.schema,
        rate=place.flow.match.max_false_match_rate,
        keys=place.agreement.signers(place.flow.provider),
    )


def not_genuine(differs: str) -> VerificationError:
    """The edition is not what the provider signed for this agreement; says where."""
    return VerificationError(
        t(
            f"Edisi registri dari unit pemadanan tidak sah ({differs}): bukan yang ditandatangani "
            "penyedia untuk perjanjian ini. Tidak ada kode yang diterima; hubungi penyedia dan "
            "operator unit.",
            f"The registry's edition from the linkage unit is invalid ({differs}): not one that "
            "the provider signed for this agreement. No code was taken; ask the provider and the "
            "unit's operator.",
        )
    )

"""The agreement file as typed, frozen values. Spec: ``proto/spec/40-agreements.md``.

Field names are the keys of the TOML file, save that a repeated table is singular there
(``[[flow]]``) and plural here (``flows``). Times of day do not occur: a date means the whole day
in Jakarta (:mod:`padan_linkage.agreement.standing`).
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import PydanticCustomError

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.crypto import signatures
from padan_linkage.direct.schema import DirectSchema
from padan_linkage.schema import Identifier, Schema

#: The form of agreements that this version reads.
FORMAT = 1
#: Codes are bits of an unsigned 64-bit mask (spec 30, "Answers").
MAX_CODES = 64
#: Flows of an agreement: the heads of all of them go with one call (spec 30, "Heads", step 2).
MAX_FLOWS = 16

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
MachineCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")]


def _plain(text: str) -> str:
    """Refuse what could act on a terminal or reorder the text that a signer reads."""
    if any(unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp", "Co", "Cn"} for c in text):
        raise PydanticCustomError("text_unprintable", "unprintable character")
    return text


_Plain = AfterValidator(_plain)
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True), _Plain
]
Line = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True), _Plain]
Article = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), _Plain
]
Threshold = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,17})$")]
HexDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, strict=True)]
PositiveCount = Annotated[int, Field(ge=1, strict=True)]
_CONFIG = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)


class AgreementModel(BaseModel):
    """A frozen part of a document that refuses what it does not know."""

    model_config = ConfigDict(**_CONFIG, frozen=True)


class FlowKind(StrEnum):
    """What a flow answers with."""

    CONFIRMATION = "confirmation"
    AGGREGATE = "aggregate"
    REFERENCE = "reference"


class Mode(StrEnum):
    """How a confirmation flow may be run."""

    DIRECT = "direct"
    UNIT = "unit"


class Risk(StrEnum):
    """A residual risk that the parties of a flow may accept by name; lint says what it is."""

    AUTO_ROWS = "auto-rows"
    REPEATS = "repeats"
    DELTAS = "deltas"
    FILTERS = "filters"


class CadenceKind(StrEnum):
    """What has to happen again and again."""

    EVALUATION = "evaluation"
    REPORT = "report"
    UPDATE = "update"
    MINUTES = "minutes"


class PublicKeys(AgreementModel):
    """A party's public keys, base64."""

    sign_key: Line
    exchange_key: Line

    @property
    def sign_key_bytes(self) -> bytes:
        """Ed25519 public key, 32 bytes. ValueError if not base64."""
        return base64.b64decode(self.sign_key, validate=True)

    @property
    def exchange_key_bytes(self) -> bytes:
        """X25519 public key, 32 bytes. ValueError if not base64."""
        return base64.b64decode(self.exchange_key, validate=True)


@dataclass(frozen=True)
class FormerKeys:
    """Keys that a party had within an agreement, and what came after them.

    ``first_epochs``: by flow, the first epoch of the next keys; ``lost``: nothing counts that they
    sign.
    """

    party: str
    keys: PublicKeys
    first_epochs: Mapping[str, int]
    lost: bool


class Party(AgreementModel):
    """A party: who signs, which office answers letters, and its public keys (base64, or empty).

    ``server_pins``: what the server that answers for it in direct mode may show, as
    :class:`LinkageUnit` has it.
    """

    id: Id
    name: Text
    called: Text
    short: Line = ""
    represented_by: Text
    liaison: Line = ""
    contact: Line = ""
    sign_key: Line = ""
    exchange_key: Line = ""
    server_pins: tuple[HexDigest, ...] = ()

    @property
    def keys(self) -> PublicKeys:
        """Both public keys."""
        return PublicKeys(sign_key=self.sign_key, exchange_key=self.exchange_key)

    @property
    def known_as(self) -> str:
        """The name that people call it by."""
        return self.short or self.id.upper()

    @property
    def sign_key_bytes(self) -> bytes:
        """Ed25519 public key, 32 bytes; empty if not filled in. ValueError if not base64."""
        return base64.b64decode(self.sign_key, validate=True)

    @property
    def exchange_key_bytes(self) -> bytes:
        """X25519 public key, 32 bytes; empty if not filled in. ValueError if not base64."""
        return base64.b64decode(self.exchange_key, validate=True)


class LinkageUnit(AgreementModel):
    """The linkage unit, which the parties trust to compare and to hold no key of theirs.

    ``pins``: SHA-256, hex, of the DER SubjectPublicKeyInfo of the certificates that it may show
    (RFC 7469, 2.4); several, so that its key can be changed without a gap.
    """

    name: Text
    operator: Line = ""
    contact: Line = ""
    pins: tuple[HexDigest, ...] = ()


class Duration(AgreementModel):
    """How long the document says the term is, as the article states it."""

    years: Annotated[int, Field(ge=0, le=50)] = 0
    months: Annotated[int, Field(ge=0, le=600)] = 0
    article: Article

    @property
    def total_months(self) -> int:
        """Years and months together."""
        return 12 * self.years + self.months


class Notice(AgreementModel):
    """How long before the end a wish to extend or end must be in writing."""

    months: Annotated[int, Field(ge=0, le=120)] = 0
    days: Annotated[int, Field(ge=0, le=3650)] = 0
    article: Article
    text: Text


class Cadence(AgreementModel):
    """A duty that recurs ``per_year`` times from the first day, or (without it) at each event."""

    kind: CadenceKind
    per_year: Annotated[int, Field(ge=1, le=12)] | None = None
    by: tuple[Id, ...] = ()
    to: tuple[Id, ...] = ()
    article: Article
    text: Text


class ForceMajeure(AgreementModel):
    """Keadaan kahar: days for the notice, and days of silence that count as consent."""

    notice_days: Annotated[int, Field(ge=1, le=365)] | None = None
    working_days: bool = False
    silence_consents_after_days: Annotated[int, Field(ge=1, le=365)] | None = None
    article: Article


class LiaisonChange(AgreementModel):
    """Days within which a new liaison office is made known."""

    notice_days: Annotated[int, Field(ge=1, le=365)]
    working_days: bool = False
    article: Article


class Confidentiality(AgreementModel):
    """What the receiver may do with what it receives, and whether that outlives the agreement."""

    articles: Annotated[tuple[Article, ...], Field(min_length=1)]
    survives_end: bool
    survival_article: Article | None = None
    text: Text


class Code(AgreementModel):
    """One answer: stable machine code, exact Indonesian wording, English gloss.

    Codes of different ``group`` hold side by side; ``proposed`` marks wording that the signed
    document does not fix.
    """

    code: MachineCode
    text: Text
    gloss: Text
    group: Identifier = "status"
    proposed: bool = False


class Quota(AgreementModel):
    """Limits on what the requester may ask: records a day (Jakarta), a list, at least a list.

    ``top_up``: a shorter list may be filled up to ``minimum_batch`` with cover, at home. Unit mode
    (spec 32): ``lists_per_epoch``, ``lists_per_year`` and ``epochs_per_year`` bound what is asked;
    ``questions_per_row`` and ``questions_per_row_epoch`` how many distinct questions may meet one
    registry row in a pass, of one list (or a day's single questions) and of all in an epoch;
    ``bits_per_record`` states what one charged row may tell of one person at most.
    """

    records_per_day: Count
    records_per_list: Count
    minimum_batch: Count = 1
    top_up: bool = True
    lists_per_epoch: PositiveCount = 1
    lists_per_year: PositiveCount = 24
    epochs_per_year: PositiveCount = 24
    questions_per_row: PositiveCount = 8
    questions_per_row_epoch: PositiveCount = 16
    bits_per_record: Annotated[float, Field(gt=0)] | None = None

    def listed(self, records: int) -> int:
        """Records that a list of so many is put as, cover among them."""
        return max(records, self.minimum_batch) if self.top_up else records


class Reference(AgreementModel):
    """One list that a reference flow hands over, and by whom; the first column is its key."""

    id: Id
    name: Text
    provider: Id
    article: Article
    columns: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=40)]


class ReleasePolicy(AgreementModel):
    """How often a release is due, and how many a day and of what size are taken of each line."""

    per_year: Annotated[int, Field(ge=1, le=12)]
    per_day: Annotated[int, Field(ge=1, le=100)] = 4
    max_bytes: Annotated[int, Field(ge=4096, le=16 * 1024**2)] = 16 * 1024**2


class DateCodes(AgreementModel):
    """The code of a day in the provider's column: ``until`` it, that day included, or ``after``."""

    until: MachineCode
    after: MachineCode


class CopyPolicy(AgreementModel):
    """Which code holds of a person whom the registry has twice: the first of ``prevails``."""

    prevails: Annotated[tuple[MachineCode, ...], Field(min_length=1)]


@pydantic_dataclass(frozen=True, kw_only=True, config=_CONFIG)
class ReleaseLine:
    """What a flow releases in versions: the aggregate, or one reference list."""

    id: Id
    name: Text
    publisher: Id
    receiver: Id
    article: Article


@pydantic_dataclass(frozen=True, kw_only=True, config=_CONFIG)
class Flow:
    """One direction of answer; a dataclass, since a model may not call a field ``schema``.

    ``registry`` maps the provider's columns: column → value → machine code; an empty cell gives no
    code. ``registry_date`` maps columns of days by the day of publishing, ``registry_number``
    columns of numbers by the smallest number of each code. With ``latest_by``, a column of moments,
    only the latest of several rows of one id counts. The index of a code in ``codes`` is its bit in
    the answer's mask; ``not_found``, ``ambiguous`` and ``undecided`` are written by the requester's
    side and never sealed. ``copies`` says which code holds of a person whom the registry has
    several times with codes that exclude each other; without it none does. ``expected_records`` is
    the size of the registry that group sizes are estimated for. ``direct`` compares fields of
    ``schema`` too. Counts in documents of both sides cover ``minimum_counted`` rows at least.
    ``accepts`` names residual risks that the parties take for less work. Flows that release have
    ``release`` instead.
    """

    id: Id
    kind: FlowKind
    provider: Id
    requester: Id
    purpose: Text
    basis: tuple[Article, ...] = ()
    modes: tuple[Mode, ...] = ()
    proposed: bool = False
    real_time: bool = False
    several: bool = False
    both_ways: bool = False
    codes: tuple[Code, ...] = Field(default=(), alias="code")
    not_found: Code | None = None
    ambiguous: Code | None = None
    undecided: Code | None = None
    confirm: tuple[Identifier, ...] = ()
    field_authority: dict[Identifier, Id] = Field(default_factory=dict)
    registry: dict[Identifier, dict[Text, MachineCode]] = Field(default_factory=dict)
    registry_date: dict[Identifier, DateCodes] = Field(default_factory=dict)
    registry_number: dict[Identifier, dict[Threshold, MachineCode]] = Field(default_factory=dict)
    latest_by: Identifier | None = None
    copies: CopyPolicy | None = None
    quota: Quota | None = None
    minimum_counted: PositiveCount = 1000
    retention_days: PositiveCount | None = None
    expected_records: PositiveCount | None = None
    match: MatchPolicy = Field(default_factory=MatchPolicy)
    schema: Schema | None = None
    direct: DirectSchema | None = None
    accepts: tuple[Risk, ...] = ()
    dimensions: tuple[Identifier, ...] = ()
    tables: tuple[tuple[Identifier, ...], ...] = ()
    measure: Text | None = None
    minimum_cell: PositiveCount | None = None
    references: tuple[Reference, ...] = Field(default=(), alias="reference")
    release: ReleasePolicy | None = None

    @property
    def registry_codes(self) -> dict[str, tuple[str, ...]]:
        """Every column that the provider's registry is mapped by, with the codes it can give."""
        return {
            **{name: tuple(codes.values()) for name, codes in self.registry.items()},
            **{name: (c.until, c.after) for name, c in self.registry_date.items()},
            **{name: tuple(codes.values()) for name, codes in self.registry_number.items()},
        }

    @property
    def written(self) -> tuple[Code, ...]:
        """The codes that the requester's side writes, those that there are."""
        return tuple(c for c in (self.not_found, self.ambiguous, self.undecided) if c is not None)

    @property
    def code_groups(self) -> dict[str, int]:
        """The bits of each group's codes, of which one holds where not ``several`` do."""
        groups: dict[str, int] = {}
        for i, code in enumerate(self.codes):
            groups[code.group] = groups.get(code.group, 0) | 1 << i
        return groups

    @property
    def lines(self) -> tuple[ReleaseLine, ...]:
        """What is released: the aggregate, under the flow's own id, or each reference list."""
        if self.kind is FlowKind.AGGREGATE:
            article = self.basis[0] if self.basis else "–"
            return (
                ReleaseLine(
                    id=self.id,
                    name=self.purpose,
                    publisher=self.provider,
                    receiver=self.requester,
                    article=article,
                ),
            )
        return tuple(
            ReleaseLine(
                id=r.id,
                name=r.name,
                publisher=r.provider,
                receiver=self.requester if r.provider == self.provider else self.provider,
                article=r.article,
            )
            for r in self.references
        )

    def code_index(self, code: str) -> int:
        """Bit of the machine code in the answer's mask. Raises KeyError if the flow has no such."""
        for i, c in enumerate(self.codes):
            if c.code == code:
                return i
        raise KeyError(code)

    def codes_of(self, mask: int) -> tuple[Code, ...]:
        """The codes whose bits are set in ``mask``, in the agreement's order."""
        return tuple(c for i, c in enumerate(self.codes) if mask >> i & 1)


class Agreement(AgreementModel):
    """A whole agreement; build it with :func:`padan_linkage.agreement.load_agreement`."""

    format: Annotated[int, Field(strict=True, ge=FORMAT, le=FORMAT)] = FORMAT
    id: Id
    title: Text
    numbers: tuple[Text, ...]
    numbers_note: Text | None = None
    signed_on: date
    in_force_from: date
    in_force_until: date
    term_article: Article
    expiry_article: Article | None = None
    suspension_article: Article
    amendment_article: Article | None = None
    supersession_article: Article | None = None
    supersedes: tuple[Text, ...] = ()
    amends: HexDigest | None = None
    duration: Duration | None = None
    notice: Notice | None = None
    force_majeure: ForceMajeure | None = None
    liaison_change: LiaisonChange | None = None
    confidentiality: Confidentiality
    cadences: tuple[Cadence, ...] = Field(default=(), alias="cadence")
    unit: LinkageUnit | None = None
    parties: tuple[Party, ...] = Field(alias="party")
    flows: tuple[Flow, ...] = Field(alias="flow")

    #: What key changes beside the file replaced, oldest first; ``parties`` have the present keys.
    _former: tuple[FormerKeys, ...] = PrivateAttr(default=())

    def former_keys(self, party_id: str) -> tuple[FormerKeys, ...]:
        """The party's keys before its present ones, oldest first (spec 40, "Key changes")."""
        return tuple(f for f in self._former if f.party == party_id)

    def with_keys(
        self, party_id: str, new: PublicKeys, first_epochs: Mapping[str, int], lost: bool
    ) -> Self:
        """The agreement with a party's new keys; those until now are kept as former ones."""
        former = FormerKeys(party_id, self.party(party_id).keys, first_epochs, lost)
        changed = self._with(party_id, new)
        changed._former = (*self._former, former)  # noqa: SLF001 - of the same class
        return changed

    def at(self, flow_id: str, epoch: int) -> Self:
        """The agreement with every party's keys of that flow's epoch."""
        then = self
        for former in reversed(self._former):
            if epoch < former.first_epochs.get(flow_id, 1):
                then = then._with(former.party, former.keys)
        return then

    def keys_in_use(self, party_id: str) -> tuple[PublicKeys, ...]:
        """The party's present keys, then former ones that were not lost, newest first."""
        former = [f.keys for f in reversed(self.former_keys(party_id)) if not f.lost]
        return (self.party(party_id).keys, *former)

    def signers(self, party_id: str) -> tuple[bytes, ...]:
        """Ed25519 keys under which a document of no epoch may be the party's, present one first."""
        return tuple(k.sign_key_bytes for k in self.keys_in_use(party_id))

    def signer_of(self, party_id: str, statement: bytes, signature: bytes) -> bytes:
        """The one of :meth:`signers` whose signature it is; the present key where none's."""
        keys = self.signers(party_id)
        return next((k for k in keys if signatures.holds(k, statement, signature)), keys[0])

    def _with(self, party_id: str, keys: PublicKeys) -> Self:
        update = {"sign_key": keys.sign_key, "exchange_key": keys.exchange_key}
        parties = tuple(
            p.model_copy(update=update) if p.id == party_id else p for p in self.parties
        )
        return self.model_copy(update={"parties": parties})

    @property
    def unit_pins(self) -> tuple[str, ...]:
        """What the linkage unit may show; empty where the agreement does not say."""
        return self.unit.pins if self.unit else ()

    @property
    def needs_unit(self) -> bool:
        """Whether some flow is run through the unit, or its releases pass through it."""
        return any(f.kind is not FlowKind.CONFIRMATION or Mode.UNIT in f.modes for f in self.flows)

    @property
    def direct_providers(self) -> tuple[str, ...]:
        """Parties whose servers answer in direct mode, sorted."""
        return tuple(sorted({f.provider for f in self.flows if Mode.DIRECT in f.modes}))

    def party(self, party_id: str) -> Party:
        """The party called ``party_id``. Raises KeyError if there is none."""
        for p in self.parties:
            if p.id == party_id:
                return p
        raise KeyError(party_id)

    def article_of(self, flow: Flow) -> str:
        """The article that a flow rests on: its first, or the one of the term if it names none."""
        return flow.basis[0] if flow.basis else self.term_article

    def flow(self, flow_id: str) -> Flow:
        """The flow called ``flow_id``. Raises KeyError if there is none."""
        for f in self.flows:
            if f.id == flow_id:
                return f
        raise KeyError(flow_id)

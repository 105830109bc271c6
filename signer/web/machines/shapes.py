"""The JSON that machines send and are given, beside what the domain itself says in JSON (drafts, terms, outlets)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from signer.domain.confirmation import Draft, Terms
from signer.domain.machines import Right
from signer.domain.values import Day, Frozen, Hex256, Instant, unprintable

if TYPE_CHECKING:
    from pydantic import BaseModel

Ref = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Cursor = str | None


def printable(text: str) -> str:
    """Refuse text that no register can hold, and no reader can see: NUL, bidi overrides, lone surrogates."""
    if unprintable(text.replace("\n", " ")):
        raise ValueError("has a character that cannot be shown")
    return text


Elsewhere = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(printable)]
"""A reference elsewhere: the ticket of an office system."""


class FindingAnswer(Frozen):
    """One thing that a rule says of a draft; `pointer` leads into the draft, `rule` is the stable id."""

    rule: str
    severity: Literal["violation", "warning", "notice"]
    pointer: str
    message: str
    source: str


class DraftEntry(Frozen):
    """A draft to be kept: its title is for people, the rest is `signer.draft/1`, text as typed."""

    title: Annotated[str, Field(max_length=120)] = ""
    draft: Draft


class DraftRow(Frozen):
    """One draft of a list."""

    ref: Ref
    title: str
    state: Literal["open", "waiting", "sealing", "issued", "discarded"]
    version: int
    changed_at: Instant
    number: str | None


class DraftAnswer(DraftRow):
    """A draft as it is kept now."""

    created_at: Instant
    draft: Draft


class DraftList(Frozen):
    """A part of the drafts, the newest first."""

    items: tuple[DraftRow, ...]
    next: Cursor


class FindingsAnswer(Frozen):
    """Everything that the rules say of a draft now; it can be sent for approval if none is a violation."""

    version: int
    findings: tuple[FindingAnswer, ...]


class ApprovalRow(Frozen):
    """One draft that was sent for approval; `needed_by` is the last day on which its confirmation is of use."""

    ref: Ref
    draft: Ref
    title: str
    state: Literal["waiting", "approved", "issued", "returned", "voided"]
    terms_digest: Hex256
    needed_by: Day
    sent_at: Instant
    decided_at: Instant | None
    external_ref: str | None
    reason: str | None
    number: str | None


class ApprovalAnswer(ApprovalRow):
    """What is to be approved: exactly these terms, whose digest the approver names."""

    terms: Terms
    findings: tuple[FindingAnswer, ...]
    error: str | None


class ApprovalList(Frozen):
    """A part of what was sent for approval, the newest first."""

    items: tuple[ApprovalRow, ...]
    next: Cursor


class Decision(Frozen):
    """
    An approver's word.

    `terms_digest` names the terms that the approver read, `external_ref` the decision elsewhere (the ticket of an
    office system) that stands behind it; both are kept. `reason` is for what is returned.
    """

    decision: Literal["approve", "return"]
    terms_digest: Hex256
    external_ref: Elsewhere
    reason: Annotated[str, Field(max_length=400), AfterValidator(printable)] = ""


class TokenAnswer(Frozen):
    """One token, without itself."""

    ref: Ref
    label: str
    kind: Literal["maker", "exporter", "house"]
    speaks_for: str | None
    rights: tuple[Right, ...]
    made_at: Instant
    ends_at: Instant
    used_at: Instant | None
    revoked_at: Instant | None


class TokenList(Frozen):
    """The tokens of the person who asks, the newest first."""

    items: tuple[TokenAnswer, ...]


class Renewal(Frozen):
    """How many days a new token lasts."""

    days: Annotated[int, Field(ge=1, le=400)] = 90


class NewToken(TokenAnswer):
    """A token that was made just now. `token` is shown this once; asked again with the same key, it is null."""

    token: str | None


SHAPES: tuple[type[BaseModel], ...] = (
    DraftEntry,
    DraftAnswer,
    DraftList,
    FindingsAnswer,
    ApprovalAnswer,
    ApprovalList,
    Decision,
    TokenAnswer,
    TokenList,
    Renewal,
    NewToken,
)

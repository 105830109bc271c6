"""The JSON of receipts: what a person asked for the house, and the signed answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field

from signer.domain.values import Frozen, Instant
from signer.register.checks import Kind
from signer.seal.receipt import MOST_BYTES, Reason, State
from signer.web.machines.shapes import Cursor, Ref

if TYPE_CHECKING:
    from pydantic import BaseModel


class ReceiptRow(Frozen):
    """
    One check that has a receipt: `subject` is what was asked about, `reference` the asker's own, of a case file.

    `answer` is the verdict's code, or how many VINs matched; `jti` the receipt's own id.
    """

    ref: Ref
    kind: Kind
    subject: str
    reference: str
    answer: str
    outcome: str
    jti: str
    asked_at: Instant


class ReceiptAnswer(ReceiptRow):
    """A receipt as it was signed: a compact JWS."""

    receipt: str


class ReceiptList(Frozen):
    """A part of the receipts, the newest first."""

    items: tuple[ReceiptRow, ...]
    next: Cursor


class ReceiptQuestion(Frozen):
    """A receipt that somebody brings: a compact JWS."""

    receipt: Annotated[str, Field(min_length=1, max_length=MOST_BYTES)]


class ReceiptTrust(Frozen):
    """The trust list by which a receipt was judged."""

    sequence: int
    issued: Instant
    test: bool


class ReceiptVerdict(Frozen):
    """
    Whether a receipt is genuine; `claims` are what it says, only where its signature is by a listed key.

    `cannot-tell`: the key is not listed, or is revoked or suspended; or the trust list at hand is over, or older than
    the receipt. It states one moment, and says nothing about today.
    """

    state: State
    reason: Reason | None
    message: str
    signed_by: str | None
    trust_list: ReceiptTrust
    claims: dict[str, Any] | None


SHAPES: tuple[type[BaseModel], ...] = (ReceiptAnswer, ReceiptList, ReceiptQuestion, ReceiptVerdict)
_JWS: Final = "eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiI3SzJNOSJ9.c2lnbmF0dXJl"
_ROW: Final = {
    "ref": "3c5e7f9012b4d6a8",
    "kind": "file",
    "subject": "SHA-256 9f86d081884c7d65",
    "reference": "EL-2026-0417",
    "answer": "GENUINE",
    "outcome": "pass",
    "jti": "7K2M9-4TXQ8-VW3NB",
    "asked_at": "2026-03-02T08:15:00Z",
}
EXAMPLES: Final[dict[type[BaseModel], dict[str, Any]]] = {
    ReceiptAnswer: {**_ROW, "receipt": _JWS},
    ReceiptList: {"items": [_ROW], "next": None},
    ReceiptQuestion: {"receipt": _JWS},
    ReceiptVerdict: {
        "state": "cannot-tell",
        "reason": "KEY_NOT_LISTED",
        "message": "the trust list does not name its key",
        "signed_by": None,
        "trust_list": {"sequence": 7, "issued": "2026-03-01T00:00:00Z", "test": False},
        "claims": None,
    },
}

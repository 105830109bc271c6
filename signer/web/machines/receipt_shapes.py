"""The JSON of receipts: what a person asked for the house, and the signed answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from signer.domain.values import Frozen, Instant
from signer.register.checks import Kind
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


SHAPES: tuple[type[BaseModel], ...] = (ReceiptAnswer, ReceiptList)
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
    ReceiptAnswer: {**_ROW, "receipt": "eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiI3SzJNOSJ9.c2lnbmF0dXJl"},
    ReceiptList: {"items": [_ROW], "next": None},
}

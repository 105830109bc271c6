"""Examples for the API's description: the bodies of verifying, of the samples' first confirmation, and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from signer.web import shapes
from signer.web.machines.confirmation_examples import EXAMPLES
from signer.web.machines.confirmation_shapes import ConfirmationAnswer

if TYPE_CHECKING:
    from pydantic import BaseModel

_NUMBER: Final = "ZNDCB-PJY9V-T636"
_VIN: Final = "L0YSA3B29T0000101"
_AT: Final = "2026-11-22T03:00:00Z"
_EXPORTER: Final = "91650000MA0TH03XX3"
_MAKER: Final = "云舟样例汽车股份有限公司"
_RECEIPT: Final = "eyJhbGciOiJFUzI1NiIsImtpZCI6Ijdh…"
_WINDOW: Final = {"n": 82, "state": "inside", "through": "2027-02-28", "free_from": "2027-03-01"}
_CHECK: Final = {
    "id": "signature",
    "state": "passed",
    "sub_indication": None,
    "text": "Does the signature verify under the seal's certificate? passed",
}
_VERDICT: Final = {
    "code": "VALID",
    "outcome": "pass",
    "subject": "file",
    "test": True,
    "would_be": None,
    "reason": None,
    "number": _NUMBER,
    "issuer": {"name": _MAKER, "uscc": "91440000MA0YX01AAY", "seal_class": "TEST"},
    "sealed_at": _AT,
    "proven_at": _AT,
    "proven_by": "timestamp",
    "checked_at": _AT,
    "policy": "signer-policy/1 test",
    "parts": {"integrity": "passed", "seal": "passed", "standing": "passed"},
    "coverage": {
        "vins": [{"vin": _VIN, "state": "matched", "window": _WINDOW}],
        "extra": [],
        "destination": "equal",
        "exporter": "equal",
    },
    "seal_report": {"indication": "TOTAL-PASSED", "sub_indication": None, "level": "B-LT"},
    "confirmation": EXAMPLES[ConfirmationAnswer]["content"],
    "checks": [_CHECK],
    "receipt": _RECEIPT,
}
_SOURCE: Final = {"name": _NUMBER, "sha256": None, "verdict": {**_VERDICT, "subject": "record", "receipt": None}}
_LICENCE: Final = {"vins": [_VIN], "destination": "KZ", "exporter": _EXPORTER, "applied_on": "2026-11-22"}
_LINE: Final = (
    f"2026-11-22 11:00 (UTC+8) | PASS (TEST): 1 / 1 VIN | KZ | {_EXPORTER} | 2026-11-22 | {_NUMBER} | {_MAKER} | "
    "receipt 7K72-W7XF-7C7Y-V08S"
)
BODIES: Final[dict[type[BaseModel], dict[str, Any]]] = {
    shapes.VerdictAnswer: _VERDICT,
    shapes.LookupQuestion: {"numbers": [_NUMBER], "tail": "000101"},
    shapes.LicenceQuestion: {"numbers": [_NUMBER], **_LICENCE},
    shapes.LicenceAnswer: {
        "outcome": "pass",
        "test": True,
        "matched": 1,
        "asked": 1,
        "rows": [{"vin": _VIN, "state": "matched", "number": _NUMBER, "issuer": _MAKER, "window": _WINDOW}],
        "issuers": [_MAKER],
        **{name: _LICENCE[name] for name in ("destination", "exporter", "applied_on")},
        "checked_at": _AT,
        "line": _LINE,
        "sources": [_SOURCE],
        "receipt": _RECEIPT,
    },
}
FORMS: Final[dict[str, Any]] = {
    "file": "(the bytes of confirmation.pdf)",
    "number": [_NUMBER],
    "vin": [_VIN],
    "destination": "KZ",
    "exporter": _EXPORTER,
    "applied_on": "2026-11-22",
}
"""The fields of forms."""
_FILES: Final = {
    "application/pdf": "%PDF-1.7 …",
    "application/ofd": "PK…",
    "application/zip": "PK…",
    "image/png": "\u2030PNG…",
    "image/jpeg": "ÿØÿ…",
    "text/csv": (
        "vin,state,number,issuer,days,required_through,free_from,outcome,test,checked_at\n"
        f"{_VIN},matched,{_NUMBER},{_MAKER},82,2027-02-28,2027-03-01,pass,TEST,{_AT}\n"
    ),
}


def of_file(kind: str) -> str:
    """Return how a file of a media type begins, as far as text can show it."""
    return _FILES.get(kind, "…")

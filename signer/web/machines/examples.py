"""An example of each body, as in docs/how-to: what the OpenAPI document shows beside every shape."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from signer.web.machines import batch_shapes, outlet_shapes, receipt_shapes, request_examples, shapes, webhook_shapes
from signer.web.machines.confirmation_examples import EXAMPLES
from signer.web.machines.confirmation_shapes import ConfirmationAnswer

if TYPE_CHECKING:
    from pydantic import BaseModel

_REF: Final = "5f0c6a7d9e21b384"
_AT: Final = "2026-03-02T08:15:00Z"
_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_VEHICLE: Final = {
    "vin": "LTEST0000T0000017",
    "brand": "示例牌",
    "model": "SL7000A",
    "registered_on": "2026-01-20",
    "certificate_no": "TEST00000000017",
}
_DRAFT: Final = {
    "schema": "signer.draft/1",
    "exporter": "91650100MA7TEST06M",
    "contract": "A-2026-17",
    "destination": {"country": "KZ"},
    "vehicles": [_VEHICLE],
}
_ROW: Final = {
    "ref": _REF,
    "title": "A-2026-17, Almaty",
    "state": "open",
    "version": 1,
    "changed_at": _AT,
    "number": None,
}
_FINDING: Final = {
    "rule": "vin.check-digit",
    "severity": "violation",
    "pointer": "/vehicles/0/vin",
    "message": "the check digit does not fit the other characters",
    "source": "GB 16735-2019, 5.2",
}
_APPROVAL: Final = {
    "ref": "a1d2c3b4e5f60718",
    "draft": _REF,
    "title": "A-2026-17, Almaty",
    "state": "waiting",
    "terms_digest": _DIGEST,
    "needed_by": "2026-07-18",
    "sent_at": _AT,
    "decided_at": None,
    "external_ref": None,
    "reason": None,
    "number": None,
}
_TOKEN: Final = {
    "ref": "0c1d2e3f40516273",
    "label": "ERP, issuing",
    "kind": "maker",
    "speaks_for": "91310000TEST00001X",
    "rights": ["drafts:read", "drafts:write"],
    "made_at": _AT,
    "ends_at": "2026-05-31T08:15:00Z",
    "used_at": None,
    "revoked_at": None,
}
_TERMS: Final = EXAMPLES[ConfirmationAnswer]["content"]["terms"]


@cache
def _all() -> dict[type[BaseModel], dict[str, Any]]:
    return {
        shapes.DraftEntry: {"title": _ROW["title"], "draft": _DRAFT},
        shapes.DraftAnswer: {**_ROW, "created_at": _AT, "draft": _DRAFT},
        shapes.DraftList: {"items": [_ROW], "next": "MTo0MQ"},
        shapes.FindingsAnswer: {"version": 1, "findings": [_FINDING]},
        shapes.ApprovalList: {"items": [_APPROVAL], "next": None},
        shapes.ApprovalAnswer: {**_APPROVAL, "terms": _TERMS, "findings": [_FINDING], "error": None},
        shapes.Decision: {"decision": "approve", "terms_digest": _DIGEST, "external_ref": "OA-2026-03-0417"},
        shapes.TokenList: {"items": [_TOKEN]},
        shapes.Renewal: {"days": 90},
        shapes.NewToken: {**_TOKEN, "token": "sgnr_test_…"},
        **EXAMPLES,
        **batch_shapes.EXAMPLES,
        **outlet_shapes.EXAMPLES,
        **request_examples.ALL,
        **receipt_shapes.EXAMPLES,
        **webhook_shapes.EXAMPLES,
    }


def of(model: type[BaseModel]) -> dict[str, Any] | None:
    """Return the example of a body, None where there is none yet."""
    return _all().get(model)

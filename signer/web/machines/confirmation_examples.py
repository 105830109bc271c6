"""Examples of the bodies of confirmations, from the samples' first confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from signer.web.machines import confirmation_shapes as shapes

if TYPE_CHECKING:
    from pydantic import BaseModel

_NUMBER: Final = "ZNDCB-PJY9V-T636"
_VIN: Final = "L0YSA3B29T0000101"
_AT: Final = "2026-11-22T03:00:00Z"
_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_MAKER: Final = "91440000MA0YX01AAY"
_EXPORTER: Final = "91650000MA0TH03XX3"
_TERMS: Final = {
    "manufacturer": {
        "legal_name": "云舟样例汽车股份有限公司",
        "uscc": _MAKER,
        "role": "automobile-manufacturer",
        "announcement": {"entry": "道路机动车辆生产企业及产品公告 第000批 样例序号 1", "checked_on": "2026-10-08"},
        "address": "广东省样例市云舟大道1号",
        "contact": "+86 20 0000 0001",
    },
    "exporter": {"legal_name": "天山样例国际贸易有限公司", "uscc": _EXPORTER},
    "contract": "TS-2026-1107",
    "destination": {"country": {"alpha2": "KZ", "alpha3": "KAZ", "name_zh": "哈萨克斯坦", "name_en": "Kazakhstan"}},
    "vehicles": [
        {
            "vin": _VIN,
            "brand": "云舟",
            "model": "YZS6480T1",
            "registered_on": "2026-09-01",
            "certificate_manufacturer": "云舟样例汽车股份有限公司",
            "certificate_no": "SAMPLE-KZ-0101",
        }
    ],
    "outlets": [
        {
            "id": "kz-almaty",
            "name": "Almaty Sample Service Centre",
            "provider": "Sample Motors Kazakhstan LLP",
            "address": "12 Sample Street, Almaty 050000",
            "country": "KZ",
            "scope": ["mechanical"],
            "languages": ["ru", "kk"],
            "authorised_from": "2025-07-01",
        }
    ],
    "commitment": {
        "text_zh": "我公司确认由下列境外售后服务网点提供维修、保养和质量保修服务。",
        "text_en": "We confirm maintenance, repair and warranty service by the overseas outlets named below.",
        "warranty_months": 36,
    },
    "until": "required-through",
    "template": {"version": "1", "languages": ["zh", "en", "ru"]},
    "seal": {"certificate_digest": _DIGEST, "seal_class": "TEST"},
}
_LINE: Final = {"vin": _VIN, "standing": "issued", "ended_at": None, "reason": None, "successor": None}
_ROW: Final = {
    "number": _NUMBER,
    "standing": "issued",
    "reserved_at": _AT,
    "manufacturer": _MAKER,
    "exporter": _EXPORTER,
    "country": "KZ",
    "vehicles": 1,
}
_WITHDRAWAL: Final = {
    "ref": "5f0c6a7d9e21b384",
    "number": _NUMBER,
    "state": "waiting",
    "vins": [_VIN],
    "reason": "sale-fell-through",
    "asked_at": _AT,
    "decided_at": None,
    "external_ref": None,
}
EXAMPLES: Final[dict[type[BaseModel], dict[str, Any]]] = {
    shapes.ConfirmationList: {"items": [_ROW], "next": None},
    shapes.Successor: {"vins": [_VIN]},
    shapes.WithdrawalEntry: {"vins": [_VIN], "reason": "sale-fell-through"},
    shapes.WithdrawalRow: _WITHDRAWAL,
    shapes.WithdrawalList: {"items": [_WITHDRAWAL], "next": None},
    shapes.WithdrawalDecision: {"decision": "agree", "external_ref": "OA-2026-11-0417"},
    shapes.SuspensionAnswer: {"number": _NUMBER, "standing": "suspended", "until": "2026-11-25T03:00:00Z"},
    shapes.ConfirmationAnswer: {
        "number": _NUMBER,
        "standing": "issued",
        "suspended_until": None,
        "until": "2027-02-28",
        "lines": [_LINE],
        "files": [{"kind": "sealed", "sha256": _DIGEST, "size": 131072, "level": "B-T", "made_at": _AT}],
        "content": {
            "schema": "signer.confirmation/1",
            "number": _NUMBER,
            "issued_at": _AT,
            "until": "2027-02-28",
            "terms": _TERMS,
            "terms_digest": _DIGEST,
        },
    },
}
"""What the OpenAPI document shows beside each shape."""

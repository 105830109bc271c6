"""An example of each body of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from signer.web.machines import request_shapes as shapes

if TYPE_CHECKING:
    from pydantic import BaseModel

_REF: Final = "7b1e5a0d4c3f2916"
_VEHICLE: Final = {
    "vin": "LTEST0000T0000017",
    "brand": "示例牌",
    "model": "SL7000A",
    "registered_on": "2026-01-20",
    "certificate_no": "TEST00000000017",
}
_PLACE: Final = {"country": "KZ", "port": "Khorgos", "buyer": ""}
_ROW: Final = {
    "ref": _REF,
    "batch": "2f4d6b8091a3c5e7",
    "state": "asked",
    "outcome": None,
    "maker": "91310000TEST00001X",
    "exporter": "91650100MA7TEST06M",
    "counterpart": "示例汽车股份有限公司",
    "destination": _PLACE,
    "contract": "A-2026-17",
    "vehicle_count": 1,
    "needed_by": "2026-07-18",
    "promised_on": None,
    "supersedes": None,
    "number": None,
    "version": 1,
    "asked_at": "2026-03-02T08:15:00Z",
    "changed_at": "2026-03-02T08:15:00Z",
}
_UNSAID: Final = {"transfer_pending_on": "", "engine_no": "", "colour": "", "energy": "", "battery_code": ""}
_REQUESTED: Final = {
    **_VEHICLE,
    **_UNSAID,
    "certificate_manufacturer": "示例汽车股份有限公司",
    "modified": False,
    "advice": "needed",
    "needed_through": "2026-07-18",
    "free_from": "2026-07-19",
    "standing": None,
    "ended_at": None,
    "successor": None,
}
_SAID: Final = {"side": "exporter", "name": "张样例", "said_at": "2026-03-02T08:15:00Z", "text": "船期为三月二十日。"}
ALL: Final[dict[type[BaseModel], dict[str, Any]]] = {
    shapes.RequestEntry: {
        "destination": {"country": "KZ", "port": "Khorgos"},
        "contract": "A-2026-17",
        "application_planned_on": "2026-03-20",
        "wanted": "Almaty",
        "message": "船期为三月二十日。",
        "vehicles": [_VEHICLE],
    },
    shapes.RedirectionEntry: {"destination": {"country": "UZ"}, "vins": ["LTEST0000T0000017"], "wanted": "Tashkent"},
    shapes.RequestList: {"items": [_ROW], "next": "MTo0MQ"},
    shapes.RequestBatch: {"batch": _ROW["batch"], "items": [_ROW]},
    shapes.RequestAnswer: {
        **_ROW,
        "acceptance": "accepted",
        "application_planned_on": "2026-03-20",
        "wanted": "Almaty",
        "refusal": None,
        "reason": None,
        "draft": None,
        "vehicles": [_REQUESTED],
        "words": [_SAID],
        "changes": [],
    },
    shapes.WordEntry: {"text": "合格证编号请再核对。"},
    shapes.PromiseEntry: {"promised_on": "2026-03-06"},
    shapes.RefusalEntry: {"refusal": "no-outlet", "reason": "当地暂无授权网点，预计六月设立。"},
}
"""The same as in docs/how-to: one vehicle to Kazakhstan."""

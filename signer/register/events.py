"""
Events: the one place that writes down, in the transaction that makes it so, what manufacturers' systems are told.

Nothing is written for a manufacturer that has no webhook for it. Both statements answer nothing, and are compiled
once: they stand in the two transactions of every confirmation.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from sqlalchemy import Integer, String, Text, and_, bindparam, exists, func, insert, literal, select

from signer.domain.webhook import EventType
from signer.register import webhook_tables
from signer.register.columns import At
from signer.register.ready import Ready

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

_hooks, _events, _deliveries = webhook_tables.webhooks, webhook_tables.events, webhook_tables.deliveries
OF_NOTICES: Final[Mapping[str, EventType]] = {
    "confirmation.issued": EventType.ISSUED,
    "confirmation.superseded": EventType.SUPERSEDED,
    "confirmation.withdrawn": EventType.WITHDRAWN,
    "confirmation.suspended": EventType.SUSPENDED,
    "confirmation.resumed": EventType.RESUMED,
}
"""Which notice of the register is told as which event."""
_owner = bindparam("owner", type_=Integer)
_at = bindparam("at", type_=At)
_asks = and_(_hooks.c.manufacturer_id == _owner, _hooks.c.state != "gone", _hooks.c.events.like(bindparam("asked")))
_WRITE = Ready(
    insert(_events).from_select(
        ["manufacturer_id", "type", "data", "made_at"],
        select(_owner, bindparam("type", type_=String), bindparam("data", type_=Text), _at).where(
            exists(select(_hooks.c.id).where(_asks))
        ),
    )
)
_SEND = Ready(
    insert(_deliveries).from_select(
        ["event_id", "webhook_id", "manufacturer_id", "state", "attempts", "next_at"],
        select(
            select(func.max(_events.c.id)).scalar_subquery(),
            _hooks.c.id,
            _hooks.c.manufacturer_id,
            literal("waiting", String),
            literal(0, Integer),
            _at,
        ).where(_asks),
    )
)


def tell(tx: Connection, kind: EventType, *, manufacturer_id: int, at: datetime, **data: str) -> None:
    """Write an event, and a delivery of it for each webhook that asks for its kind; `data` names no person, no VIN."""
    asked = {"owner": manufacturer_id, "at": at, "asked": f"% {kind} %"}
    _WRITE.execute(tx, {**asked, "type": kind.value, "data": _encoded(data)})
    _SEND.execute(tx, asked)


def tell_one(
    tx: Connection, kind: EventType, webhook_id: int, *, manufacturer_id: int, at: datetime, **data: str
) -> int:
    """Write an event for one webhook alone, whatever it asks for, and return the delivery's id."""
    made = {"manufacturer_id": manufacturer_id, "type": kind.value, "data": _encoded(data), "made_at": at}
    event = tx.execute(insert(_events).values(**made).returning(_events.c.id)).scalar_one()
    sent = {"event_id": event, "webhook_id": webhook_id, "manufacturer_id": manufacturer_id, "next_at": at}
    told = insert(_deliveries).values(state="waiting", attempts=0, **sent).returning(_deliveries.c.id)
    return int(tx.execute(told).scalar_one())


def _encoded(data: Mapping[str, str]) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True)

"""What could not be delivered, over all manufacturers: an operator has it sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request

from signer.errors import Conflict
from signer.verification.wording import beijing
from signer.web.portal.account import number_of
from signer.web.portal.frame import HOUSE, OFFICE
from signer.web.portal.office_makers import OPERATORS
from signer.web.problems import Fault

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

HERE: Final = f"{OFFICE}/webhooks"
PER_PAGE: Final = 50
_CHANGED = Fault(
    pointer="",
    code="conflict",
    zh="该记录已在重新发送，或接收方已停用（须由生产企业先恢复），本次操作未执行。",
    en="This is on its way already, or its receiver is gone and the manufacturer has to resume it: nothing was done.",
)


def room(building: Building) -> Room:
    """Return the room."""
    door, frame, hooks = building.doors.room("office_webhooks"), building.frame, building.services.webhooks

    def draw(visit: Visit, *faults: Fault) -> str:
        before = request.args.get("before", "")[:12]
        cursor = int(before) if before.isdecimal() and before.isascii() else None
        found = hooks.dead(most=PER_PAGE + 1, before=cursor)
        return frame.draw(
            "portal/office_webhooks.html",
            visit,
            faults=faults,
            dead=found[:PER_PAGE],
            older=found[PER_PAGE - 1].delivery.id if len(found) > PER_PAGE else 0,
            is_latest=cursor is None,
            may_act=visit.has(*OPERATORS),
            beijing=beijing,
        )

    @door.get(HERE, HOUSE)
    def dead(visit: Visit) -> ResponseReturnValue:
        """Show what was given up."""
        return draw(visit)

    @door.post(f"{HERE}/<delivery>/replay", OPERATORS)
    def replay(visit: Visit, delivery: str) -> ResponseReturnValue:
        """Send one once more."""
        try:
            hooks.replay_dead(number_of(delivery), by=visit.person)
        except Conflict:
            return draw(visit, _CHANGED), 409
        return redirect(f"{HERE}?done=webhook.replayed", code=303)

    return door

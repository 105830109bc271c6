"""One's own account: by what one signs in, where one is signed in, in which language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.web.portal import doors
from signer.web.portal.doors import SIGNED_IN
from signer.web.portal.signing_in import as_json

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building


def room(building: Building) -> Room:
    """Return the room."""
    door, pages = building.doors.room("account"), _Pages(building)
    door.post("/account/challenge", SIGNED_IN)(pages.asked)
    return door


class _Pages:
    """The room's views."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._accounts = building.services.accounts

    def asked(self, visit: Visit) -> ResponseReturnValue:
        """Tell a browser what to ask of one's passkey, for one purpose."""
        return as_json(self._accounts.ask(visit.principal, about=doors.form().get("about", "")))

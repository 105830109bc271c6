"""How the deployment stands: the trust list, the seals of all manufacturers, the settings; for reading only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer import settings as told
from signer.errors import SignerError
from signer.services.seals import nearest_step
from signer.verification.wording import beijing
from signer.web.portal.frame import HOUSE, OFFICE
from signer.web.portal.seals import TONES

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building


def room(building: Building) -> Room:
    """Return the room."""
    door, frame, services = building.doors.room("office_house"), building.frame, building.services

    @door.get(f"{OFFICE}/trust-list", HOUSE)
    def trust_list(visit: Visit) -> ResponseReturnValue:
        """Show the list in use, and what changed since the one before it; where it cannot be believed, why."""
        try:
            kept, changes, fault = services.publishing.history(), services.publishing.changes(), ""
        except SignerError as error:
            kept, changes, fault = (), (), f"{error.code}: {error}"
        return frame.draw(
            "portal/office_trust_list.html",
            visit,
            kept=kept,
            changes=changes,
            fault=fault,
            days_left=(kept[0][0].expires - building.clock()).days if kept else 0,
            tones=TONES,
            beijing=beijing,
        )

    @door.get(f"{OFFICE}/seals", HOUSE)
    def seals(visit: Visit) -> ResponseReturnValue:
        """Show the seals of all manufacturers, those that end first on top."""
        found = sorted(services.seal_keeping.all(), key=lambda seal: (seal.days_left is None, seal.days_left or 0))
        steps = {seal.kept.certificate_digest: nearest_step(seal.days_left) for seal in found}
        return frame.draw("portal/office_seals.html", visit, seals=found, steps=steps, tones=TONES, beijing=beijing)

    @door.get(f"{OFFICE}/settings", HOUSE)
    def settings(visit: Visit) -> ResponseReturnValue:
        """Show what the deployment was told, without secrets."""
        return frame.draw("portal/office_settings.html", visit, settings=told.shown(services.settings))

    return door

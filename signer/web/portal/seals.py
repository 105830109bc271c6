"""The seals: whose, until when, how much used; held at once by one person, for good by two, and lifted again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect

from signer.domain.parties import Role
from signer.domain.trust import SealState
from signer.errors import Conflict
from signer.services.seals import nearest_step
from signer.verification.wording import beijing
from signer.web.portal.doors import MAKERS, form
from signer.web.portal.ledger import LOOKERS
from signer.web.problems import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from signer.services.seals import Shown
    from signer.web.portal.doors import Room, Visit
    from signer.web.portal.rooms import Building

HOLDERS: Final = frozenset({Role.PREPARER, Role.APPROVER})
"""Who may hold a seal at once."""
LIFTERS: Final = frozenset({Role.APPROVER})
TONES: Final = {
    SealState.ACTIVE: "yes",
    SealState.VERIFY_ONLY: "none",
    SealState.SUSPENDED: "open",
    SealState.REVOKED: "no",
}
_UNREAD = Fault(
    pointer="understood", code="required", zh="请先阅读后果并勾选确认", en="read what follows, and tick that you did"
)
_HELD_BY_YOU = Fault(
    pointer="understood",
    code="conflict",
    zh="这枚印章已由您暂停；须由另一人确认，才会一直暂停",
    en="you hold this seal already: another person must agree to make it last",
)
_NOT_HELD = Fault(
    pointer="understood", code="conflict", zh="这枚印章现在的状态不允许这样做", en="its state allows no such thing now"
)


def room(building: Building) -> Room:
    """Return the room."""
    seals, frame, services = building.doors.room("seals"), building.frame, building.services

    @seals.get("/portal/<uscc>/seals", MAKERS)
    def all_seals(visit: Visit) -> ResponseReturnValue:
        """Show every seal of a manufacturer."""
        found = services.seal_keeping.all(visit.uscc)
        steps = {shown.kept.certificate_digest: nearest_step(shown.days_left) for shown in found}
        sees = visit.has(*LOOKERS)
        return frame.draw(
            "portal/seals.html",
            visit,
            seals=found,
            steps=steps,
            tones=TONES,
            sees_audit=sees,
            beijing=beijing,
            paper_until=services.paper.counts_until(visit.uscc),
            paper_required=services.paper.is_required,
        )

    @seals.get("/portal/<uscc>/seals/<digest>", MAKERS)
    def one(visit: Visit, digest: str) -> ResponseReturnValue:
        """Show one seal, and what holding or lifting it would do."""
        return _draw(building, visit, services.seal_keeping.one(digest, manufacturer=visit.uscc))

    @seals.post("/portal/<uscc>/seals/<digest>/suspend", HOLDERS)
    def suspend(visit: Visit, digest: str) -> ResponseReturnValue:
        """Hold a seal, or agree that it stays held."""

        def hold() -> str:
            until = services.ending.suspend_seal(digest, manufacturer=visit.uscc, by=visit.person)
            return "seal.held" if until else "seal.held-on"

        return _change(building, visit, digest, hold, _HELD_BY_YOU)

    @seals.post("/portal/<uscc>/seals/<digest>/lift", LIFTERS)
    def lift(visit: Visit, digest: str) -> ResponseReturnValue:
        """End a seal's suspension."""

        def end() -> str:
            services.ending.lift_seal(digest, manufacturer=visit.uscc, by=visit.person)
            return "seal.lifted"

        return _change(building, visit, digest, end, _NOT_HELD)

    return seals


def _change(
    building: Building, visit: Visit, digest: str, change: Callable[[], str], refused: Fault
) -> ResponseReturnValue:
    """Change a seal's state once its consequences were read; `change` returns the word of what was done."""
    shown = building.services.seal_keeping.one(digest, manufacturer=visit.uscc)
    if form().get("understood") != "yes":
        return _draw(building, visit, shown, _UNREAD)
    try:
        done = change()
    except Conflict:
        return _draw(building, visit, shown, refused)
    return redirect(f"/portal/{visit.uscc}/seals/{digest}?done={done}", code=303)


def _draw(building: Building, visit: Visit, shown: Shown, *faults: Fault) -> str:
    is_held = shown.kept.state is SealState.SUSPENDED
    return building.frame.draw(
        "portal/seal.html",
        visit,
        faults=faults,
        seal=shown,
        beijing=beijing,
        tones=TONES,
        may_hold=visit.has(*HOLDERS) and (is_held or shown.kept.state is SealState.ACTIVE),
        may_lift=visit.has(*LIFTERS) and is_held,
        is_held=is_held,
    )

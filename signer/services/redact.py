"""Forget what is known of people beyond what was sealed, when its time is over; the audit says that it was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.errors import NotFound
from signer.register import audit, parties
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.register.database import Database

REDACTED = "[redacted]"


class Redacting:
    """Redact contact data. Sealed content, approvals and the seal register keep their ids, and never change."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def person(self, person_id: str, *, by: str) -> None:
        """Forget a person's name and roles; the id stays where it stands. NotFound for an unknown id."""
        at = self._clock()
        with self._database.write() as tx:
            person = parties.person_of(tx, person_id)
            parties.save_person(tx, person.model_copy(update={"name": REDACTED}), at=at)
            parties.end_memberships(tx, person_id, scope=Scope.everything("a person is redacted everywhere"))
            audit.note(tx, "person.redacted", actor=by, subject=person_id, at=at, manufacturer_id=None)

    def outlet(self, manufacturer: str, outlet_id: str, *, by: str) -> None:
        """Forget an outlet's telephone, e-mail and hours as they are now; what was sealed with them stays sealed."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, manufacturer)
            found = {outlet.id: outlet for outlet in parties.outlets_of(tx, scope=tenant.scope)}
            if outlet_id not in found:
                raise NotFound(f"no outlet {outlet_id!r} of this manufacturer")
            kept = found[outlet_id].model_copy(update={"phone": None, "email": None, "hours": None})
            parties.save_outlet(tx, kept, scope=tenant.scope, at=at)
            audit.note(tx, "outlet.redacted", actor=by, subject=outlet_id, at=at, manufacturer_id=tenant.id)

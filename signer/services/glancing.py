"""What a manufacturer's people see first: what was issued, what waits, what ends soon; and mails before a seal ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain.parties import Role
from signer.domain.trust import SealState
from signer.domain.values import beijing_day
from signer.domain.webhook import EventType
from signer.register import audit, drafts, events, parties, submissions, suspicions, tally
from signer.register.jobs import unheard
from signer.register.scope import Scope
from signer.services.seals import nearest_step

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.register.database import Database
    from signer.register.tally import Tally
    from signer.services.mailing import Mailing
    from signer.services.seals import SealKeeping, Shown

UNVERIFIED = timedelta(days=90)
"""An outlet whose particulars nobody looked at for so long is named."""
_MOST_LIVE, _MOST_COUNTED = 500, 500
_EVERYBODY = Scope.everything("tallies are kept for everybody at once")
_READERS = frozenset({Role.APPROVER, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One manufacturer at one moment; `ending` are seals in use that end within 90 days, with the step that applies."""

    issued: tuple[Tally, ...]
    waiting: int
    drafts: int
    alarms: int
    seals: int
    outlets: int
    unverified: int
    ending: tuple[tuple[Shown, int], ...]

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was issued and nothing is on its way."""
        return not (self.issued or self.waiting or self.drafts)


class Glancing:
    """Look over a manufacturer's whole work, without reading it all."""

    def __init__(
        self, *, database: Database, seal_keeping: SealKeeping, mailing: Mailing, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._seals = seal_keeping
        self._mailing = mailing
        self._clock = clock

    def glance(self, manufacturer: str) -> Glance:
        """Return what a manufacturer's desk shows. NotFound."""
        at = self._clock()
        today, kept = beijing_day(at), self._seals.all(manufacturer)
        with self._database.read() as tx:
            scope = parties.tenant(tx, manufacturer).scope
            outlets = [one for one in parties.outlets_of(tx, scope=scope) if one.is_authorised(today)]
            states = drafts.counts(tx, scope=scope)
            return Glance(
                issued=tally.of(tx, scope=scope, most=_MOST_LIVE),
                waiting=submissions.waiting_count(tx, scope=scope),
                drafts=states["open"],
                alarms=suspicions.open_count(tx, scope=scope),
                seals=sum(one.state is SealState.ACTIVE for one in kept),
                outlets=len(outlets),
                unverified=sum(one.verified_on is None or today - one.verified_on > UNVERIFIED for one in outlets),
                ending=_ending(kept),
            )

    def tally(self, tell: Callable[[str], None] = unheard) -> str:
        """Count what was issued since the last count; return how much, in words."""
        done = 0
        while True:
            with self._database.write() as tx:
                found = tally.uncounted(tx, scope=_EVERYBODY, most=_MOST_COUNTED)
                tally.count(tx, found, scope=_EVERYBODY)
            done += len(found)
            if len(found) < _MOST_COUNTED:
                return f"{done} counted"
            tell(f"{done} counted")

    def remind(self, _tell: Callable[[str], None] = unheard) -> str:
        """Write to approvers and administrators once at each step (90, 30, 7 days) before a seal ends."""
        at, told = self._clock(), 0
        with self._database.read() as tx:
            tenants = parties.tenants(tx)
        for tenant in tenants:
            for seal, step in _ending(self._seals.all(tenant.manufacturer.uscc)):
                if step and seal.not_after is not None:
                    told += self._remind(tenant, seal, step, at)
        return f"{told} reminded of"

    def _remind(self, tenant: parties.Tenant, seal: Shown, step: int, at: datetime) -> bool:
        subject, event = seal.kept.certificate_digest[:16], f"seal.ends-within-{step}"
        with self._database.write() as tx:
            if audit.last_actor(tx, event, subject=subject, scope=tenant.scope) is not None:
                return False
            audit.note(tx, event, actor="remind", subject=subject, at=at, manufacturer_id=tenant.id)
            maker, until = tenant.manufacturer, f"{seal.not_after:%Y-%m-%d}"
            words = {"maker": maker.legal_name, "seal": subject, "days": str(step), "until": until}
            due = {"seal": seal.kept.certificate_digest, "days": str(step), "until": until}
            events.tell(tx, EventType.SEAL_EXPIRING, manufacturer_id=tenant.id, at=at, **due)
            path = f"/portal/{maker.uscc}/seals/{seal.kept.certificate_digest}"
            self._mailing.queue_for(tx, _READERS, "seal-expiring", scope=tenant.scope, path=path, **words)
        return True


def _ending(kept: tuple[Shown, ...]) -> tuple[tuple[Shown, int], ...]:
    """Return the seals in use that end soon or have ended, each with its step."""
    steps = ((seal, nearest_step(seal.days_left)) for seal in kept if seal.state is SealState.ACTIVE)
    return tuple((seal, step) for seal, step in steps if step is not None)

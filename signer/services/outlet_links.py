"""An outlet answers for its own listing without an account: by a link whose random token is kept as its SHA-256."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain.values import beijing_day, tidy, unprintable
from signer.errors import Conflict, NotFound
from signer.register import outlets, parties
from signer.register.scope import Scope
from signer.services.outlets import entries_of, note, refuse

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from signer.domain.parties import Outlet
    from signer.register.database import Database, Transaction
    from signer.services.mailing import Mailing

_ANYBODY = Scope.everything("an outlet's link is its own proof: it names outlet and manufacturer")
LIVES = timedelta(days=30)
MOST_REMARK = 600
_TOKEN = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What an outlet sees of itself, and whose it is."""

    maker: str
    maker_en: str
    outlet: Outlet
    is_confirmed: bool


class OutletLinks:
    """The outlets' own links."""

    def __init__(
        self,
        *,
        database: Database,
        mailing: Mailing,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._mailing = mailing
        self._clock = clock
        self._bits = bits

    def make(self, maker: str, outlet_id: str, *, by: str) -> str:
        """
        Make a link's token (64 hexadecimal digits), shown once; the one before ends.

        An outlet with an e-mail address is sent the link too. NotFound; Conflict if the outlet is closed.
        """
        at, token = self._clock(), f"{self._bits(256):064x}"
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            entry = entries_of(tx, tenant).get(outlet_id)
            if entry is None:
                raise NotFound("no such outlet of this manufacturer")
            if entry.facts.closed_on is not None:
                raise Conflict("a closed outlet gets no link")
            outlets.set_link(tx, outlet_id, _digest(token), scope=tenant.scope, at=at)
            self._mail(tx, tenant, entry.outlet, token, until=beijing_day(at + LIVES))
            note(tx, tenant, "outlet.link-made", by=by, subject=outlet_id, at=at)
        return token

    def _mail(self, tx: Transaction, tenant: parties.Tenant, outlet: Outlet, token: str, *, until: date) -> None:
        if outlet.email is None:
            return
        language = "zh" if "zh" in outlet.languages and "en" not in outlet.languages else "en"
        name, name_en = tenant.manufacturer.legal_name, tenant.manufacturer.legal_name_en
        words = {"outlet": outlet.name, "maker": name if language == "zh" else name_en or name, "until": str(until)}
        self._mailing.queue(tx, outlet.email, "outlet-link", language, path=f"/outlet-link/{token}", **words)

    def listed(self, token: str) -> Listed:
        """Return what a link shows, changing nothing. NotFound for one that is unknown, replaced, closed or too old."""
        with self._database.read() as tx:
            return self._find(tx, token)[1]

    def confirm(self, token: str) -> None:
        """Record that the outlet finds all right: it was verified today. NotFound."""
        at = self._clock()
        with self._database.write() as tx:
            tenant, listed = self._find(tx, token)
            outlet = listed.outlet.model_copy(update={"verified_on": beijing_day(at)})
            parties.save_outlet(tx, outlet, scope=tenant.scope, at=at)
            outlets.answer(tx, outlet.id, None, scope=tenant.scope, at=at)
            note(tx, tenant, "outlet.confirmed", by=f"outlet:{outlet.id}", subject=outlet.id, at=at)

    def object_to(self, token: str, remark: str) -> None:
        """Keep what the outlet says is wrong, for the manufacturer to see. NotFound, RuleViolation."""
        at, stored = self._clock(), tidy("\n".join(line.strip() for line in remark.splitlines()))
        with self._database.write() as tx:
            tenant, listed = self._find(tx, token)
            if not stored or len(stored) > MOST_REMARK or unprintable(stored.replace("\n", "")):
                refuse("outlet-entry.remark", "remark")
            outlet_id = listed.outlet.id
            outlets.answer(tx, outlet_id, stored, scope=tenant.scope, at=at)
            note(tx, tenant, "outlet.disputed", by=f"outlet:{outlet_id}", subject=outlet_id, at=at)

    def _find(self, tx: Transaction, token: str) -> tuple[parties.Tenant, Listed]:
        row = outlets.by_link(tx, _digest(token), scope=_ANYBODY) if _TOKEN.fullmatch(token) else None
        if row is None or row.link_sent_at is None or self._clock() - row.link_sent_at > LIVES:
            raise NotFound("no such link, or one that has ended")
        tenant = parties.tenant_of(tx, row.manufacturer_id)
        entry = entries_of(tx, tenant).get(row.outlet_id)
        if entry is None:
            raise NotFound("no such link, or one that has ended")
        name = tenant.manufacturer.legal_name
        is_confirmed = row.confirmed_at is not None and row.confirmed_at >= row.link_sent_at
        return tenant, Listed(
            maker=name,
            maker_en=tenant.manufacturer.legal_name_en or name,
            outlet=entry.outlet,
            is_confirmed=is_confirmed and row.remark is None,
        )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("ascii")).digest()

"""An exporter changes a request that waits for an answer; what it was stays, and the manufacturer is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from signer.domain import request_changes, requesting
from signer.domain.request_changes import Version
from signer.domain.requesting import Wish
from signer.domain.values import beijing_day, parse_day, tidy
from signer.errors import Conflict, InvalidInput, NotPermitted, TooManyRequests
from signer.register import exporters, parties, requests
from signer.register.scope import Scope
from signer.services.exporters import company_name
from signer.services.requesting import add_word, askable, member_of, tell_maker

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from signer.domain.parties import Manufacturer, Uscc
    from signer.domain.request_changes import Change
    from signer.register.database import Database, Transaction
    from signer.register.parties import Tenant
    from signer.register.requests import Former, Request, Said
    from signer.services.mailing import Mailing
    from signer.services.requesting import Asker

MOST_A_DAY: Final = 20
"""How often one request may be changed within 24 hours: each is a mail to every preparer."""
_OWN: Final = Scope.everything("an exporter changes its own requests, whichever manufacturer they are for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Editing:
    """A request as it can be changed: which one, whose, in which version, and what it says as a wish."""

    request: Request
    maker: str
    wish: Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What one change made different; who made it, and when."""

    name: str
    changed_at: datetime
    changes: tuple[Change, ...]


class RequestChanging:
    """Change a request. Another exporter's is not there; one that was answered, or goes elsewhere, is not changed."""

    def __init__(self, *, database: Database, mailing: Mailing, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._mailing = mailing
        self._clock = clock

    def begin(self, exporter: Uscc, ref: str) -> Editing:
        """Return a request as it can be changed. NotFound; Conflict if it cannot be."""
        with self._database.read() as tx:
            found, tenant = _open(tx, exporter, ref)
            return Editing(request=found, maker=tenant.manufacturer.legal_name, wish=_wish_of(tx, found, tenant))

    def faults(self, exporter: Uscc, ref: str, wish: Wish) -> tuple[tuple[str, str], ...]:
        """Return what keeps a change from being sent: the field, and what is wrong with it. NotFound, Conflict."""
        with self._database.read() as tx:
            _, tenant = _open(tx, exporter, ref)
            return _faults(tx, wish, tenant, today=beijing_day(self._clock()))

    def change(self, ref: str, wish: Wish, asker: Asker, *, version: int) -> bool:
        """
        Change a request from the version that was shown; tell the manufacturer. False if there was nothing to change.

        InvalidInput with the first fault; NotFound; NotPermitted; Conflict if it was answered or changed meanwhile;
        TooManyRequests.
        """
        at = self._clock()
        with self._database.write() as tx:
            member_of(tx, asker)
            found, tenant = _open(tx, asker.exporter, ref)
            if found.version != version:
                raise Conflict("this request was changed meanwhile")
            if wrong := _faults(tx, wish, tenant, today=beijing_day(at)):
                raise InvalidInput(*wrong[0])
            new = _version(wish, found, tenant.manufacturer, today=beijing_day(at))
            is_other = bool(request_changes.between(found.wish, new))
            if is_other:
                self._refuse_many(tx, found, tenant, at)
                requests.rewrite(tx, found, new, by=asker.person, scope=tenant.scope, at=at)
            if requesting.as_words(wish.message):
                add_word(tx, found, "exporter", wish.message, by=asker.person, at=at)
            if is_other or wish.message.strip():
                kind = "request-changed" if is_other else "request-said"
                tell_maker(tx, self._mailing, ref, kind, tenant, company_name(tx, asker.exporter))
        return is_other

    def _refuse_many(self, tx: Transaction, found: Request, tenant: Tenant, at: datetime) -> None:
        since = at - timedelta(days=1)
        late = [one for one in requests.former(tx, found, scope=tenant.scope) if one.changed_at > since]
        if len(late) >= MOST_A_DAY:
            raise TooManyRequests(f"at most {MOST_A_DAY} changes a day of one request", retry_after_s=3600)


def history(found: Request, former: tuple[Former, ...]) -> tuple[Changed, ...]:
    """Return what each change of a request made different, the oldest first."""
    later = (*(one.wish for one in former[1:]), found.wish)
    return tuple(
        Changed(name=one.name, changed_at=one.changed_at, changes=request_changes.between(one.wish, after))
        for one, after in zip(former, later, strict=False)
    )


def in_turn(found: Request, said: tuple[Said, ...], former: tuple[Former, ...]) -> tuple[Said | Changed, ...]:
    """Return what was said of a request and what was changed in it, the oldest first; what changed before the words."""
    turns: list[Said | Changed] = [*history(found, former), *said]
    return tuple(sorted(turns, key=lambda one: one.changed_at if isinstance(one, Changed) else one.said_at))


def _open(tx: Transaction, exporter: Uscc, ref: str) -> tuple[Request, Tenant]:
    found = requests.get(tx, ref, scope=_OWN, exporter=exporter)
    if found.state != "asked" or found.supersedes is not None:
        raise Conflict("a request that is answered, or asks for another destination, is not changed")
    tenant = parties.tenant_of(tx, found.manufacturer_id)
    known = exporters.acceptance(tx, exporter, scope=tenant.scope)
    if known is not None and known.state == "refused":
        raise NotPermitted(tenant.manufacturer.legal_name)
    return found, tenant


def _wish_of(tx: Transaction, found: Request, tenant: Tenant) -> Wish:
    """Return what a request says as a wish; its last useful day only if it was the exporter's own word."""
    body, place = found.draft, found.draft.destination
    former = requests.former(tx, found, scope=tenant.scope)
    asked_on = beijing_day(former[-1].changed_at if former else found.asked_at)
    computed = requesting.last_useful(body.vehicles, wished=None, today=asked_on)
    return Wish(
        country=place.country,
        port=place.port,
        buyer=place.buyer,
        contract=body.contract,
        planned_on=body.application_planned_on,
        last_day="" if found.needed_by == computed else found.needed_by.isoformat(),
        wanted=found.wanted,
        vehicles=body.vehicles,
    )


def _faults(tx: Transaction, wish: Wish, tenant: Tenant, *, today: date) -> tuple[tuple[str, str], ...]:
    """Return what is wrong with a change: as for a new request, and every vehicle is this manufacturer's."""
    mine = tenant.manufacturer
    makers = (mine, *(maker for maker in askable(tx) if maker.uscc != mine.uscc))
    others = tuple(
        (f"certificate_manufacturer-{place}", "maker.other")
        for place, vehicle in enumerate(wish.vehicles, start=1)
        if len(fitting := requesting.makers_of(vehicle, makers)) == 1 and fitting[0] != mine.uscc
    )
    return (*requesting.faults(wish, makers, today=today), *others)


def _version(wish: Wish, found: Request, maker: Manufacturer, *, today: date) -> Version:
    parted, _ = requesting.part(wish.vehicles, (maker,))
    vehicles = parted[maker.uscc]
    body = requesting.body_of(wish, vehicles, exporter=found.exporter_uscc, maker=found.draft.manufacturer)
    wished = parse_day(requesting.as_day(wish.last_day)) if wish.last_day.strip() else None
    needed_by = requesting.last_useful(vehicles, wished=wished, today=today)
    return Version(body=body, wanted=tidy(wish.wanted), needed_by=needed_by)

"""An exporter's requests: sent to each manufacturer apart, followed, talked about, taken back; and new destinations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from signer.domain import requesting, retyping
from signer.domain.confirmation import DraftDestination, Standing
from signer.domain.number import Number
from signer.domain.parties import Role, country_code
from signer.domain.values import beijing_day, parse_day, tidy, unprintable
from signer.errors import Conflict, InvalidInput, ManufacturerSuspended, NotFound, NotPermitted, TooManyRequests
from signer.register import drafts, exporters, lookup, parties, requests
from signer.register.scope import Scope
from signer.services import aftermath
from signer.services.exporters import company_name
from signer.services.papers import UNSPOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from signer.domain.confirmation import Draft, Terms
    from signer.domain.parties import Manufacturer, Uscc
    from signer.domain.requesting import Wish
    from signer.register.database import Database, Transaction
    from signer.register.parties import Tenant
    from signer.register.requests import Former, Request, Said
    from signer.services.aftermath import Aftermath
    from signer.services.mailing import Mailing

MOST_A_DAY: Final = 100
MOST_WORDS: Final = 200
"""What one side may say to one request in all, so that nobody silences the other."""
MOST_WORDS_A_DAY: Final = 20
"""What an exporter may say to one request within 24 hours: each is a mail to every preparer."""
MOST_TEXT: Final = 1000
_OWN: Final = Scope.everything("an exporter sees its own requests, whichever manufacturer they are for")
_ITS: Final = Scope.everything("an exporter asks about a confirmation that names it")
_LIVE: Final = (Standing.ISSUED, Standing.SUSPENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, for which exporter."""

    exporter: Uscc
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """
    One request as its exporter sees it; `acceptance` is how the manufacturer stands to the exporter.

    `after`: how its confirmation stands by now, None for one that is not issued; `former`: what was asked for before.
    """

    request: Request
    maker: str
    said: tuple[Said, ...]
    former: tuple[Former, ...]
    acceptance: str
    after: Aftermath | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One request of the list, as `Shown`."""

    request: Request
    maker: str
    after: Aftermath | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A confirmation whose cars go elsewhere: its number, manufacturer, terms, and the VINs still in force."""

    number: Number
    maker: str
    terms: Terms
    live: tuple[str, ...]
    is_suspended: bool


class Requesting:
    """The exporter's side. Another exporter's requests are not there."""

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

    def makers(self) -> tuple[Manufacturer, ...]:
        """Return the manufacturers that can be asked: those who may issue, and are not suspended."""
        with self._database.read() as tx:
            return askable(tx)

    def faults(self, wish: Wish) -> tuple[tuple[str, str], ...]:
        """Return what keeps a wish from being sent: the field, and what is wrong with it."""
        return requesting.faults(wish, self.makers(), today=beijing_day(self._clock()))

    def send(self, wish: Wish, asker: Asker, *, also: drafts.Also = drafts.nothing) -> tuple[str, ...]:
        """
        Send a wish as one request to each manufacturer whose vehicles it names; return their references.

        `also` goes with it, with what all of them are found by: the batch. InvalidInput with the first fault;
        NotPermitted if a manufacturer refused this exporter; TooManyRequests.
        """
        at = self._clock()
        today = beijing_day(at)
        with self._database.write() as tx:
            member = member_of(tx, asker)
            makers = askable(tx)
            if wrong := requesting.faults(wish, makers, today=today):
                raise InvalidInput(*wrong[0])
            parted, _ = requesting.part(wish.vehicles, makers)
            self._refuse_many(tx, asker, len(parted), at)
            batch = drafts.draw_ref(self._bits)
            made, message = [], requesting.as_words(wish.message)
            for uscc, vehicles in parted.items():
                tenant = parties.tenant(tx, uscc)
                maker = tenant.manufacturer.legal_name
                body = requesting.body_of(wish, vehicles, exporter=asker.exporter, maker=maker)
                wished = parse_day(requesting.as_day(wish.last_day)) if wish.last_day.strip() else None
                new = requests.New(
                    ref=drafts.draw_ref(self._bits),
                    batch=batch,
                    exporter_uscc=asker.exporter,
                    body=body,
                    wanted=tidy(wish.wanted),
                    needed_by=requesting.last_useful(vehicles, wished=wished, today=today),
                    supersedes=None,
                    asked_by=asker.person,
                )
                made.append(self._add(tx, new, tenant, sign_up=member, message=message, at=at))
            also(tx, batch)
        return tuple(made)

    def _add(
        self, tx: Transaction, new: requests.New, tenant: Tenant, *, sign_up: str, message: str, at: datetime
    ) -> str:
        """Add one request, ask the manufacturer to accept the exporter if it was never asked, and write to it."""
        scope, by = tenant.scope, new.asked_by
        exporters.ask(tx, new.exporter_uscc, sign_up_ref=sign_up, by=by, scope=scope, at=at)
        known = exporters.acceptance(tx, new.exporter_uscc, scope=scope)
        if known is not None and known.state == "refused":
            raise NotPermitted(tenant.manufacturer.legal_name)
        requests.add(tx, new, scope=scope, at=at)
        if message:
            found = requests.get(tx, new.ref, scope=scope)
            requests.say(tx, found, "exporter", message, by=by, scope=scope, at=at)
        tell_maker(tx, self._mailing, new.ref, "request-asked", tenant, company_name(tx, new.exporter_uscc))
        return new.ref

    def _refuse_many(self, tx: Transaction, asker: Asker, more: int, at: datetime) -> None:
        day = timedelta(days=1)
        if requests.asked_since(tx, asker.exporter, at - day, scope=_OWN) + more > MOST_A_DAY:
            raise TooManyRequests(f"at most {MOST_A_DAY} requests a day", retry_after_s=3600)

    def listed(self, exporter: Uscc) -> tuple[Listed, ...]:
        """Return an exporter's requests, the newest first."""
        with self._database.read() as tx:
            names = {one.id: one.manufacturer.legal_name for one in parties.tenants(tx)}
            found = requests.listed(tx, scope=_OWN, exporter=exporter)
            after = self._after(tx, exporter, found)
        return tuple(Listed(request=one, maker=names[one.manufacturer_id], after=after.get(one.ref)) for one in found)

    def part(self, exporter: Uscc, wanted: requests.Part) -> tuple[Listed, ...]:
        """Return a part of an exporter's requests, and one more than asked for."""
        with self._database.read() as tx:
            names = {one.id: one.manufacturer.legal_name for one in parties.tenants(tx)}
            found = requests.part(tx, wanted, scope=_OWN, exporter=exporter)
            after = self._after(tx, exporter, found)
        return tuple(Listed(request=one, maker=names[one.manufacturer_id], after=after.get(one.ref)) for one in found)

    def _after(self, tx: Transaction, exporter: Uscc, found: tuple[Request, ...]) -> dict[str, Aftermath]:
        """Return how issued requests stand by now; nothing is told of makers that deal with the exporter no more."""
        accepted = exporters.makers_that_accepted(tx, exporter, scope=_OWN)
        told = [one for one in found if one.manufacturer_id in accepted]
        untold = {one.ref: aftermath.UNTOLD for one in found if one.state == "issued"}
        return untold | aftermath.of_requests(tx, told, scope=_ITS, at=self._clock(), exporter=exporter)

    def find(self, exporter: Uscc, ref: str) -> Shown:
        """Return one request with all that was said. NotFound, also for another exporter's."""
        with self._database.read() as tx:
            found = requests.get(tx, ref, scope=_OWN, exporter=exporter)
            tenant = parties.tenant_of(tx, found.manufacturer_id)
            known = exporters.acceptance(tx, exporter, scope=tenant.scope)
            return Shown(
                request=found,
                maker=tenant.manufacturer.legal_name,
                said=requests.thread(tx, found, scope=tenant.scope),
                former=requests.former(tx, found, scope=tenant.scope),
                acceptance="asked" if known is None else known.state,
                after=self._after(tx, exporter, (found,)).get(ref),
            )

    def say(self, ref: str, text: str, asker: Asker, *, also: drafts.Also = drafts.nothing) -> None:
        """
        Ask or answer the manufacturer; `also` goes with it.

        InvalidInput, NotFound; Conflict once the request is refused or taken back, or the manufacturer does not deal
        with this exporter; TooManyRequests.
        """
        at = self._clock()
        with self._database.write() as tx:
            member_of(tx, asker)
            found = requests.get(tx, ref, scope=_OWN, exporter=asker.exporter)
            tenant = parties.tenant_of(tx, found.manufacturer_id)
            known = exporters.acceptance(tx, asker.exporter, scope=tenant.scope)
            if found.state in ("refused", "withdrawn") or (known is not None and known.state == "refused"):
                raise Conflict("nobody reads what is said to this request any more")
            add_word(tx, found, "exporter", text, by=asker.person, at=at)
            tell_maker(tx, self._mailing, ref, "request-said", tenant, company_name(tx, asker.exporter))
            also(tx, ref)

    def withdraw(self, ref: str, asker: Asker) -> None:
        """Take a request back that was not answered; a draft made from it stays the manufacturer's. Conflict."""
        at = self._clock()
        with self._database.write() as tx:
            member_of(tx, asker)
            found = requests.get(tx, ref, scope=_OWN, exporter=asker.exporter)
            if found.state not in ("asked", "drafted"):
                raise Conflict(f"this request is {found.state}")
            tenant = parties.tenant_of(tx, found.manufacturer_id)
            told = {"state": "withdrawn", "draft_id": None}
            requests.change(tx, found, "withdrawn", told, by=asker.person, scope=tenant.scope, at=at)
            tell_maker(tx, self._mailing, ref, "request-withdrawn", tenant, company_name(tx, asker.exporter))

    def going(self, exporter: Uscc, typed: str) -> Going:
        """
        Return a confirmation of this exporter's whose cars may go elsewhere.

        NotFound, also for another's, and for one of a manufacturer that has not accepted the exporter.
        """
        with self._database.read() as tx:
            return self._going(tx, exporter, typed)

    def _going(self, tx: Transaction, exporter: Uscc, typed: str) -> Going:
        try:
            number = Number.parse(typed[:40])
        except ValueError as error:
            raise NotFound("no such number") from error
        record = lookup.by_number(tx, number, scope=_ITS, at=self._clock())
        if record is None or record.standing in UNSPOKEN or record.whole.terms.exporter.uscc != exporter:
            raise NotFound("no such confirmation of this exporter")
        terms = record.whole.terms
        maker = parties.tenant(tx, terms.manufacturer.uscc)
        if maker.id not in exporters.makers_that_accepted(tx, exporter, scope=maker.scope):
            raise NotFound("no such confirmation of this exporter")
        live = tuple(line.vin for line in record.lines if line.standing in _LIVE)
        is_suspended = terms.manufacturer.uscc in parties.suspended(tx)
        name = terms.manufacturer.legal_name
        return Going(number=number, maker=name, terms=terms, live=live, is_suspended=is_suspended)

    def redirect(
        self, typed: str, vins: Iterable[str], wish: Wish, asker: Asker, *, also: drafts.Also = drafts.nothing
    ) -> str:
        """
        Ask that chosen cars of a confirmation in force go to another country; return the request's reference.

        `also` goes with it. Nothing changes before the manufacturer has issued the one that supersedes it.
        InvalidInput, NotFound, Conflict; ManufacturerSuspended while it issues nothing.
        """
        at = self._clock()
        if wrong := requesting.text_faults(wish):
            raise InvalidInput(*wrong[0])
        with self._database.write() as tx:
            member = member_of(tx, asker)
            going = self._going(tx, asker.exporter, typed)
            if going.is_suspended:
                raise ManufacturerSuspended("the manufacturer issues nothing at present")
            chosen = frozenset(vins)
            if not chosen or not chosen <= frozenset(going.live):
                raise InvalidInput("vin", "vehicles.none")
            body = _redirected(going, chosen, wish)
            self._refuse_many(tx, asker, 1, at)
            if any(_is_same(one, going.number, chosen) for one in self._open(tx, asker.exporter)):
                raise Conflict("the same is asked already")
            tenant = parties.tenant(tx, going.terms.manufacturer.uscc)
            wished = parse_day(requesting.as_day(wish.last_day)) if requesting.as_day(wish.last_day) else None
            ref = drafts.draw_ref(self._bits)
            new = requests.New(
                ref=ref,
                batch=ref,
                exporter_uscc=asker.exporter,
                body=body,
                wanted=tidy(wish.wanted),
                needed_by=requesting.last_useful(body.vehicles, wished=wished, today=beijing_day(at)),
                supersedes=going.number,
                asked_by=asker.person,
            )
            self._add(tx, new, tenant, sign_up=member, message=requesting.as_words(wish.message), at=at)
            also(tx, ref)
            return ref

    def _open(self, tx: Transaction, exporter: Uscc) -> tuple[Request, ...]:
        return requests.listed(tx, scope=_OWN, exporter=exporter, open_only=True)


def add_word(tx: Transaction, found: Request, side: requests.Side, text: str, *, by: str, at: datetime) -> None:
    """
    Add what one side says to a request. InvalidInput for nothing or too much; Conflict after its 200 words.

    TooManyRequests for an exporter's word too many in a day, whichever form it comes with.
    """
    words = requesting.as_words(text)
    if not 1 <= len(words) <= MOST_TEXT or any(unprintable(line) for line in words.split("\n")):
        raise InvalidInput("text", "text.wrong")
    scope = Scope.of(found.manufacturer_id)
    since = at - timedelta(days=1)
    late = requests.said_count(tx, found, scope=scope, side=side, since=since)
    if side == "exporter" and late >= MOST_WORDS_A_DAY:
        raise TooManyRequests(f"at most {MOST_WORDS_A_DAY} words a day to one request", retry_after_s=3600)
    if requests.said_count(tx, found, scope=scope, side=side) >= MOST_WORDS:
        raise Conflict("this side has said 200 words already")
    requests.say(tx, found, side, words, by=by, scope=scope, at=at)


def tell_maker(tx: Transaction, mailing: Mailing, ref: str, kind: str, tenant: Tenant, company: str) -> None:
    """Write to a manufacturer's preparers about a request."""
    maker = tenant.manufacturer
    path, roles = f"/portal/{maker.uscc}/requests/{ref}", frozenset({Role.PREPARER})
    words = {"maker": maker.legal_name, "company": company}
    mailing.queue_for(tx, roles, kind, scope=tenant.scope, path=path, **words)


def member_of(tx: Transaction, asker: Asker) -> str:
    """Return the sign-up by which a person acts for an exporter. NotPermitted."""
    for one in exporters.of_person(tx, asker.person):
        if one.exporter_uscc == asker.exporter and one.state == "member":
            return one.ref
    raise NotPermitted("this person does not act for this exporter")


def askable(tx: Transaction) -> tuple[Manufacturer, ...]:
    """Return the manufacturers that can be asked: those who may issue, and are not suspended."""
    every, suspended = (tenant.manufacturer for tenant in parties.tenants(tx)), parties.suspended(tx)
    return tuple(maker for maker in every if maker.role == "automobile-manufacturer" and maker.uscc not in suspended)


def _redirected(going: Going, chosen: frozenset[str], wish: Wish) -> Draft:
    """Return the draft that takes chosen cars over for another country, where outlets are chosen anew."""
    code = country_code(tidy(wish.country))
    if code in ("", "CN"):
        raise InvalidInput("country", "country.domestic" if code else "country.unknown")
    if code == going.terms.destination.country.alpha2:
        raise InvalidInput("country", "country.same")
    body = retyping.successor(going.terms, number=going.number, vins=chosen)
    place = DraftDestination(country=code, port=tidy(wish.port), buyer=tidy(wish.buyer))
    vehicles = tuple(vehicle.model_copy(update={"outlets": ()}) for vehicle in body.vehicles)
    planned = requesting.as_day(wish.planned_on)
    told = {"destination": place, "outlets": (), "vehicles": vehicles, "application_planned_on": planned}
    return body.model_copy(update=told)


def _is_same(one: Request, number: Number, chosen: frozenset[str]) -> bool:
    return one.supersedes == number and bool(chosen & {vehicle.vin for vehicle in one.draft.vehicles})

"""Keep a manufacturer's outlets: coverage by destination, entering, closing, verifying; what a draft would get."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain.ledger import Ledger
from signer.domain.outlet_changes import closed_entry, differences
from signer.domain.outlet_entry import Entry, read_entry
from signer.domain.outlet_entry_texts import RULES
from signer.domain.outlet_rules import VERIFIED_DAYS, suggest
from signer.domain.parties import Country, country_code
from signer.domain.reading import read
from signer.domain.values import beijing_day, parse_day, tidy, unprintable
from signer.errors import ChangedMeanwhile, Conflict, NotFound, RuleViolation
from signer.register import audit, outlets, parties

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from signer.domain.confirmation import Draft
    from signer.domain.outlet_choice import Choosing, OutletRule
    from signer.domain.parties import Outlet
    from signer.domain.rule_text import Words
    from signer.register.database import Database, Transaction
    from signer.register.outlets import Listing, Touched

MOST_REASON = 200
MOST_AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An outlet as it stands on a day: `state` is live, not-yet, no-provider, ended or closed."""

    entry: Entry
    state: str
    is_overdue: bool
    listing: Listing | None = None

    @property
    def outlet(self) -> Outlet:
        """What may be printed of it."""
        return self.entry.outlet


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a manufacturer has in one destination, as of a day; `drafts` are open ones that go there."""

    country: str
    live: int = 0
    battery: int = 0
    software: int = 0
    overdue: int = 0
    others: int = 0
    verified_on: date | None = None
    drafts: int = 0

    @property
    def is_gap(self) -> bool:
        """Tell whether an open draft goes where there is no live outlet."""
        return bool(self.drafts and not self.live)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What a draft would get if it named no outlets: by which rule (None: all live ones), the nearest first."""

    rule: OutletRule | None
    outlets: tuple[Outlet, ...]


class Outlets:
    """The outlets of every manufacturer, each handed the USCC of the one that asks."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime], uncovered: Callable[[str], str]) -> None:
        self._database = database
        self._clock = clock
        self._uncovered = uncovered

    def coverage(self, maker: str) -> tuple[Coverage, ...]:
        """Return every destination with outlets, or with open drafts, gaps first and then by code."""
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            kept = self._kept(tx, tenant)
            bodies = outlets.open_drafts(tx, scope=tenant.scope)
        wanted = [_destination(body) for body in bodies]
        countries = {one.outlet.country for one in kept} | set(filter(None, wanted))
        found = [_coverage(code, kept, drafts=wanted.count(code)) for code in countries]
        return tuple(sorted(found, key=lambda one: (not one.is_gap, one.country)))

    def every(self, maker: str, *, country: str = "") -> tuple[Kept, ...]:
        """Return a manufacturer's outlets, of one country or all, live ones first and then by id."""
        with self._database.read() as tx:
            kept = self._kept(tx, parties.tenant(tx, maker))
        mine = (one for one in kept if country in ("", one.outlet.country))
        return tuple(sorted(mine, key=lambda one: (one.state != "live", one.outlet.id)))

    def one(self, maker: str, outlet_id: str) -> Kept:
        """Return one outlet. NotFound, also for another manufacturer's."""
        with self._database.read() as tx:
            return self._one(tx, parties.tenant(tx, maker), outlet_id)

    def add(self, maker: str, typed: Mapping[str, str], *, by: str) -> Outlet:
        """Add an outlet as typed. RuleViolation names every wrong field."""
        at = self._clock()
        entry = self._read(typed, at)
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            if entry.outlet.id in entries_of(tx, tenant):
                refuse("outlet-entry.taken", "id", id=entry.outlet.id)
            save(tx, tenant, entry, at=at)
            note(tx, tenant, "outlet.added", by=by, subject=entry.outlet.id, at=at)
        return entry.outlet

    def change(
        self, maker: str, outlet_id: str, typed: Mapping[str, str], *, by: str, seen: Entry | None = None
    ) -> bool:
        """
        Make an outlet what was typed, and tell whether it differs; with `seen`, only if it is as it was read.

        Raises NotFound, RuleViolation; Conflict if it is closed, ChangedMeanwhile if it is not as it was read.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            before = self._one(tx, tenant, outlet_id).entry
            _refuse_changed(before, seen)
            if before.facts.closed_on is not None:
                raise Conflict("a closed outlet is opened again before it is changed")
            after = self._read({**typed, "id": outlet_id}, at)
            changed = [name for name, _, _ in differences(before, after)]
            if changed:
                save(tx, tenant, after, at=at)
                fields = " ".join(changed)
                note(tx, tenant, "outlet.changed", by=by, subject=outlet_id, at=at, fields=fields)
        return bool(changed)

    def touched(self, maker: str, outlet_id: str) -> tuple[Touched, ...]:
        """Return the confirmations in force that name an outlet: closing it ends none of them. NotFound."""
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            self._one(tx, tenant, outlet_id)
            return outlets.touched(tx, outlet_id, scope=tenant.scope)

    def close(self, maker: str, outlet_id: str, *, on: str, reason: str, by: str, seen: Entry | None = None) -> None:
        """
        Close an outlet from a typed day on, for a reason that the audit keeps; with `seen`, only if it is as read.

        Raises NotFound, RuleViolation; Conflict if it is closed, ChangedMeanwhile if it is not as it was read.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            entry = self._one(tx, tenant, outlet_id).entry
            _refuse_changed(entry, seen)
            if entry.facts.closed_on is not None:
                raise Conflict("this outlet is closed already")
            closed_on, why = _closing(on, reason, entry, beijing_day(at))
            save(tx, tenant, closed_entry(entry, closed_on), at=at)
            told = {"closed_on": str(closed_on), "reason": why}
            note(tx, tenant, "outlet.closed", by=by, subject=outlet_id, at=at, **told)

    def reopen(self, maker: str, outlet_id: str, *, by: str) -> None:
        """Open a closed outlet again, with an authorisation without end. NotFound; Conflict if it is open."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            entry = self._one(tx, tenant, outlet_id).entry
            if entry.facts.closed_on is None:
                raise Conflict("this outlet is open")
            outlet = entry.outlet.model_copy(update={"authorised_until": None})
            save(tx, tenant, Entry(outlet, replace(entry.facts, closed_on=None)), at=at)
            note(tx, tenant, "outlet.reopened", by=by, subject=outlet_id, at=at)

    def verify(self, maker: str, outlet_id: str, *, by: str) -> None:
        """Record that an outlet was verified today, and that what it said is wrong was seen to. NotFound."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            entry = self._one(tx, tenant, outlet_id).entry
            outlet = entry.outlet.model_copy(update={"verified_on": beijing_day(at)})
            parties.save_outlet(tx, outlet, scope=tenant.scope, at=at)
            outlets.settle(tx, outlet_id, scope=tenant.scope, at=at)
            note(tx, tenant, "outlet.verified", by=by, subject=outlet_id, at=at)

    def suggest(self, draft: Draft, maker: str) -> Suggestion:
        """Return what a draft would get if it named no outlets, the nearest first. NotFound."""
        at = self._clock()
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            choosing = outlets.choosing_of(tx, scope=tenant.scope)
            mine = choosing.as_authorised(parties.outlets_of(tx, scope=tenant.scope))
        rule, found = suggest(read(draft, Ledger(), lambda _: ""), mine, choosing, today=beijing_day(at))
        return Suggestion(rule=rule, outlets=found)

    def _read(self, typed: Mapping[str, str], at: datetime) -> Entry:
        entry, findings = read_entry(typed, today=beijing_day(at), uncovered=self._uncovered)
        if entry is None:
            raise RuleViolation(tuple(one for one in findings if one.severity == "violation"))
        return entry

    def _kept(self, tx: Transaction, tenant: parties.Tenant) -> tuple[Kept, ...]:
        today = beijing_day(self._clock())
        listings = outlets.listings(tx, scope=tenant.scope)
        return tuple(_as_kept(entry, listings.get(key), today) for key, entry in entries_of(tx, tenant).items())

    def _one(self, tx: Transaction, tenant: parties.Tenant, outlet_id: str) -> Kept:
        for kept in self._kept(tx, tenant):
            if kept.outlet.id == outlet_id:
                return kept
        raise NotFound("no such outlet of this manufacturer")


def entries_of(tx: Transaction, tenant: parties.Tenant) -> dict[str, Entry]:
    """Return a manufacturer's outlets by id, each with what chooses it."""
    choosing: Choosing = outlets.choosing_of(tx, scope=tenant.scope)
    return {one.id: Entry(one, choosing.of(one)) for one in parties.outlets_of(tx, scope=tenant.scope)}


def save(tx: Transaction, tenant: parties.Tenant, entry: Entry, *, at: datetime) -> None:
    """Insert or change an outlet, and what chooses it."""
    parties.save_outlet(tx, entry.outlet, scope=tenant.scope, at=at)
    outlets.save_facts(tx, entry.outlet.id, entry.facts, scope=tenant.scope, at=at)


def note(
    tx: Transaction, tenant: parties.Tenant, event: str, *, by: str, subject: str, at: datetime, **fields: str
) -> None:
    """Note in the audit what was done to a manufacturer's outlets."""
    audit.note(tx, event, actor=by, subject=subject, at=at, manufacturer_id=tenant.id, **fields)


def refuse(rule: str, field: str, **said: Words) -> None:
    """Refuse one field by a rule of the entry. RuleViolation."""
    raise RuleViolation((RULES[rule].at(f"/{field}", **said),))


def _refuse_changed(found: Entry, seen: Entry | None) -> None:
    if seen is not None and found != seen:
        raise ChangedMeanwhile("the outlet was changed meanwhile")


def _as_kept(entry: Entry, listing: Listing | None, today: date) -> Kept:
    outlet = entry.outlet
    state = "live"
    if entry.facts.closed_on is not None:
        state = "closed" if entry.facts.is_closed(today) else "closing"
    elif outlet.authorised_until is not None and outlet.authorised_until < today:
        state = "ended"
    elif outlet.provider is None:
        state = "no-provider"
    elif today < outlet.authorised_from:
        state = "not-yet"
    age = None if outlet.verified_on is None else (today - outlet.verified_on).days
    is_overdue = state in ("live", "closing", "no-provider") and (age is None or age > VERIFIED_DAYS)
    return Kept(entry=entry, state=state, is_overdue=is_overdue, listing=listing)


def _coverage(country: str, kept: tuple[Kept, ...], *, drafts: int) -> Coverage:
    mine = [one for one in kept if one.outlet.country == country]
    live = [one for one in mine if one.state in ("live", "closing")]
    verified = [one.outlet.verified_on for one in live if one.outlet.verified_on is not None]
    return Coverage(
        country=country,
        live=len(live),
        battery=sum("high-voltage-battery" in one.outlet.scope for one in live),
        software=sum("software-and-diagnosis" in one.outlet.scope for one in live),
        overdue=sum(one.is_overdue for one in mine),
        others=len(mine) - len(live),
        verified_on=max(verified, default=None),
        drafts=drafts,
    )


def _destination(body: str) -> str:
    """Return the country code that a stored draft goes to, or ''."""
    plain = json.loads(body)
    destination = plain.get("destination") if isinstance(plain, dict) else None
    typed = destination.get("country") if isinstance(destination, dict) else None
    code = country_code(typed[:100]) if isinstance(typed, str) else ""
    return "" if code == "CN" else code


def _closing(on: str, reason: str, entry: Entry, today: date) -> tuple[date, str]:
    why, found = tidy(reason), []
    if not why or len(why) > MOST_REASON or unprintable(why):
        found.append(RULES["outlet-entry.reason"].at("/reason"))
    try:
        closed_on = parse_day(tidy(on))
    except ValueError:
        closed_on = None
    begun = entry.outlet.authorised_from
    if closed_on is None or closed_on > today + MOST_AHEAD:
        found.append(RULES["outlet-entry.closing"].at("/closed_on"))
    elif closed_on < begun:
        found.append(RULES["outlet-entry.before"].at("/closed_on", start=str(begun)))
    if found or closed_on is None:
        raise RuleViolation(tuple(found))
    return closed_on, why


def country_names(code: str) -> tuple[str, str]:
    """Return what a country is called in Chinese and English; its code where it is none that we know."""
    try:
        country = Country.of(code)
    except ValueError:
        return code, code
    return country.name_zh, country.name_en

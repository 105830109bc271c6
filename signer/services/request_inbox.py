"""A manufacturer's inbox: exporters to accept, requests to answer by their last useful day, drafts made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signer.domain.parties import Exporter, Role, Uscc
from signer.domain.requesting import REFUSALS
from signer.domain.values import beijing_day, parse_day, tidy, unprintable
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted
from signer.register import drafts, exporters, mails, parties, requests
from signer.services import aftermath
from signer.services.exporters import company_name
from signer.services.importing import promised
from signer.services.requesting import add_word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from signer.domain.confirmation import Draft
    from signer.register.database import Database, Transaction
    from signer.register.exporters import Acceptance, SignUp
    from signer.register.parties import Tenant
    from signer.register.requests import Former, Request, Said, Template
    from signer.services.aftermath import Aftermath
    from signer.services.mailing import Mailing

ANSWERERS: Final = frozenset({Role.PREPARER, Role.ADMIN})
"""Who accepts exporters and answers requests."""
PREPARERS: Final = frozenset({Role.PREPARER})
"""Who makes drafts, from a request as from nothing."""
MOST_TEMPLATES: Final = 50
_MOST_REASON, _MOST_TITLE, _MOST_ANSWER = 400, 80, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """An exporter as a manufacturer is shown it: what it signed up with, and its name on record if that differs."""

    acceptance: Acceptance
    sign_up: SignUp
    recorded: str

    @property
    def is_renamed(self) -> bool:
        """Tell whether the name that it typed is not the one on record."""
        return bool(self.recorded) and self.recorded != self.sign_up.legal_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """
    What waits, by its last useful day, what was answered last, and exporters; `names` by USCC.

    `after`: by reference, how what was issued stands by now.
    """

    waiting: tuple[Request, ...]
    answered: tuple[Request, ...]
    applicants: tuple[Applicant, ...]
    names: Mapping[str, str]
    after: Mapping[str, Aftermath]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One request of a list, with its exporter's name; `after` as in `Shown`."""

    request: Request
    exporter: str
    after: Aftermath | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """
    One request as its manufacturer sees it.

    `after`: how its confirmation stands by now, if it is issued; `former`: what its exporter asked for before.
    """

    request: Request
    applicant: Applicant
    said: tuple[Said, ...]
    former: tuple[Former, ...]
    templates: tuple[Template, ...]
    after: Aftermath | None


class RequestInbox:
    """The manufacturer's side. Another manufacturer's requests are not there."""

    def __init__(
        self, *, database: Database, mailing: Mailing, clock: Callable[[], datetime], bits: Callable[[int], int]
    ) -> None:
        self._database = database
        self._mailing = mailing
        self._clock = clock
        self._bits = bits

    def inbox(self, maker: Uscc) -> Inbox:
        """Return everything of one manufacturer's."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            every = requests.listed(tx, scope=scope)
            waiting = requests.listed(tx, scope=scope, open_only=True)
            known = exporters.acceptances_of(tx, scope=scope)
            names = {one.exporter_uscc: company_name(tx, one.exporter_uscc) for one in known}
            open_refs = {one.ref for one in waiting}
            answered = tuple(one for one in every if one.ref not in open_refs)[:50]
            return Inbox(
                waiting=waiting,
                answered=answered,
                applicants=tuple(_applicant(tx, one) for one in known),
                names=names,
                after=aftermath.of_requests(tx, answered, scope=scope, at=self._clock()),
            )

    def part(self, maker: Uscc, wanted: requests.Part) -> tuple[Listed, ...]:
        """Return a part of a manufacturer's requests, and one more than asked for."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            found = requests.part(tx, wanted, scope=scope)
            names = {uscc: company_name(tx, uscc) for uscc in {one.exporter_uscc for one in found}}
            after = aftermath.of_requests(tx, found, scope=scope, at=self._clock())
        return tuple(Listed(request=one, exporter=names[one.exporter_uscc], after=after.get(one.ref)) for one in found)

    def applicant(self, maker: Uscc, exporter: str) -> Applicant:
        """Return one exporter that asked this manufacturer. NotFound."""
        with self._database.read() as tx:
            return _applicant_of(tx, parties.tenant(tx, maker), exporter)

    def licence(self, maker: Uscc, exporter: str) -> tuple[SignUp, bytes]:
        """Return the licence of an exporter that asked this manufacturer. NotFound."""
        with self._database.read() as tx:
            found = _applicant_of(tx, parties.tenant(tx, maker), exporter).sign_up
            return found, exporters.licence(tx, found.ref)

    def accept(self, maker: Uscc, exporter: str, *, by: str) -> None:
        """Accept an exporter for all its requests; its name comes on record if it has none. NotFound, Conflict."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = self._keeper(tx, maker, by)
            found = _applicant_of(tx, tenant, exporter)
            if found.acceptance.state == "accepted":
                raise Conflict("this exporter was accepted already")
            exporters.settle(tx, found.acceptance, "accepted", by=by, reason="", scope=tenant.scope, at=at)
            if not found.recorded:
                known = Exporter(legal_name=found.sign_up.legal_name, uscc=Uscc(exporter))
                parties.save_exporter(tx, known, at=at)
            self._tell_people(tx, found, "exporter-accepted", tenant, reason="")

    def refuse_exporter(self, maker: Uscc, exporter: str, reason: str, *, by: str) -> None:
        """Refuse an exporter and all its requests that wait. InvalidInput without a reason; NotFound, Conflict."""
        at, why = self._clock(), _reason(reason)
        with self._database.write() as tx:
            tenant = self._keeper(tx, maker, by)
            found = _applicant_of(tx, tenant, exporter)
            if found.acceptance.state == "refused":
                raise Conflict("this exporter was refused already")
            exporters.settle(tx, found.acceptance, "refused", by=by, reason=why, scope=tenant.scope, at=at)
            for one in requests.listed(tx, scope=tenant.scope, exporter=exporter, open_only=True):
                if one.state == "asked":
                    told = {"state": "refused", "draft_id": None, "refusal": "exporter-unknown", "reason": why}
                    told |= {"decided_by": by}
                    requests.change(tx, one, "refused", told, by=by, scope=tenant.scope, at=at)
            self._tell_people(tx, found, "exporter-refused", tenant, reason=why)

    def find(self, maker: Uscc, ref: str) -> Shown:
        """Return one request with all that was said. NotFound."""
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            found = requests.get(tx, ref, scope=tenant.scope)
            return Shown(
                request=found,
                applicant=_applicant_of(tx, tenant, found.exporter_uscc),
                said=requests.thread(tx, found, scope=tenant.scope),
                former=requests.former(tx, found, scope=tenant.scope),
                templates=requests.templates(tx, scope=tenant.scope),
                after=aftermath.of_requests(tx, (found,), scope=tenant.scope, at=self._clock()).get(ref),
            )

    def say(self, maker: Uscc, ref: str, text: str, *, by: str, also: drafts.Also = drafts.nothing) -> None:
        """Ask or answer the exporter; `also` goes with it. InvalidInput, NotFound, Conflict."""
        with self._database.write() as tx:
            tenant = self._keeper(tx, maker, by)
            found = requests.get(tx, ref, scope=tenant.scope)
            add_word(tx, found, "maker", text, by=by, at=self._clock())
            self._tell_asker(tx, found, "request-said", tenant)
            also(tx, ref)

    def promise(self, maker: Uscc, ref: str, day: str, *, by: str, also: drafts.Also = drafts.nothing) -> None:
        """Promise an answer by a day, today or later; `also` goes with it. InvalidInput, NotFound, Conflict."""
        at = self._clock()
        try:
            promised_on = parse_day(day.strip())
        except ValueError as error:
            raise InvalidInput("promised_on", "day.wrong") from error
        if promised_on < beijing_day(at):
            raise InvalidInput("promised_on", "day.wrong")
        with self._database.write() as tx:
            tenant = self._keeper(tx, maker, by)
            found = _open(requests.get(tx, ref, scope=tenant.scope))
            told = {"promised_on": promised_on}
            requests.change(tx, found, "promised", told, by=by, scope=tenant.scope, at=at)
            self._tell_asker(tx, found, "request-promised", tenant, day=promised_on.isoformat())
            also(tx, ref)

    def refuse(
        self,
        maker: Uscc,
        ref: str,
        refusal: str,
        reason: str,
        *,
        by: str,
        version: int | None = None,
        also: drafts.Also = drafts.nothing,
    ) -> None:
        """
        Refuse a request that has no draft; `other` needs words; `also` goes with it. InvalidInput, NotFound.

        Conflict, also if the exporter changed it since the version that was read (None: whichever it is).
        """
        at = self._clock()
        if refusal not in REFUSALS:
            raise InvalidInput("refusal", "refusal.missing")
        why = _reason(reason) if refusal == "other" or reason.strip() else ""
        with self._database.write() as tx:
            tenant = self._keeper(tx, maker, by)
            found = requests.get(tx, ref, scope=tenant.scope)
            if found.state != "asked" or version not in (None, found.version):
                raise Conflict(f"this request is {found.state}, in version {found.version}")
            told = {"state": "refused", "draft_id": None, "refusal": refusal, "reason": why or None, "decided_by": by}
            requests.change(tx, found, "refused", told, by=by, scope=tenant.scope, at=at)
            self._tell_asker(tx, found, "request-refused", tenant)
            also(tx, ref)

    def draft(
        self, maker: Uscc, ref: str, *, by: str, version: int | None = None, also: drafts.Also = drafts.nothing
    ) -> str:
        """
        Make a draft of a request and let the request follow it; return the draft's reference. `also` goes with it.

        By a preparer, as every draft. Conflict unless the exporter is accepted and the request has no draft, or if it
        was changed since the version that was read (None: whichever it is). A correction begins with the commitment of
        what it corrects, any other with the manufacturer's last one.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = self._keeper(tx, maker, by, PREPARERS)
            found = requests.get(tx, ref, scope=tenant.scope)
            known = exporters.acceptance(tx, found.exporter_uscc, scope=tenant.scope)
            is_read = version in (None, found.version)
            if not is_read or found.state != "asked" or known is None or known.state != "accepted":
                raise Conflict("not asked any more, or the exporter is not accepted")
            made = drafts.draw_ref(self._bits)
            title = " · ".join((company_name(tx, found.exporter_uscc), found.draft.destination.country))
            body = _with_promise(tx, found.draft, maker)
            drafts.create(tx, body, ref=made, title=title, by=by, scope=tenant.scope, at=at)
            requests.link(tx, found, made, by=by, scope=tenant.scope, at=at)
            also(tx, made)
        return made

    def of_draft(self, maker: Uscc, draft_ref: str) -> Request | None:
        """Return the request from which a draft was made, None for other drafts."""
        with self._database.read() as tx:
            return requests.of_draft(tx, draft_ref, scope=parties.tenant(tx, maker).scope)

    def waiting_count(self, maker: Uscc) -> int:
        """Return how many requests wait for an answer."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            return sum(one.state == "asked" for one in requests.listed(tx, scope=scope, open_only=True))

    def templates(self, maker: Uscc) -> tuple[Template, ...]:
        """Return the usual answers."""
        with self._database.read() as tx:
            return requests.templates(tx, scope=parties.tenant(tx, maker).scope)

    def keep_template(self, maker: Uscc, title: str, text: str, *, by: str) -> None:
        """Keep a usual answer. InvalidInput, Conflict."""
        shown, words = tidy(title), text.replace("\r\n", "\n").strip()
        if not 1 <= len(shown) <= _MOST_TITLE or unprintable(shown):
            raise InvalidInput("title", "title.wrong")
        if not 1 <= len(words) <= _MOST_ANSWER or any(unprintable(line) for line in words.split("\n")):
            raise InvalidInput("answer", "text.wrong")
        with self._database.write() as tx:
            tenant = self._keeper(tx, maker, by)
            if len(requests.templates(tx, scope=tenant.scope)) >= MOST_TEMPLATES:
                raise Conflict(f"there are {MOST_TEMPLATES} answers already")
            requests.keep_template(tx, shown, words, by=by, scope=tenant.scope, at=self._clock())

    def drop_template(self, maker: Uscc, template_id: int, *, by: str) -> None:
        """Remove a usual answer. NotFound."""
        with self._database.write() as tx:
            tenant = self._keeper(tx, maker, by)
            requests.drop_template(tx, template_id, by=by, scope=tenant.scope, at=self._clock())

    def _keeper(self, tx: Transaction, maker: Uscc, by: str, roles: frozenset[Role] = ANSWERERS) -> Tenant:
        tenant = parties.tenant(tx, maker)
        if not parties.roles_of(tx, by, scope=tenant.scope) & roles:
            raise NotPermitted(f"{by} does not do that for this manufacturer")
        return tenant

    def _tell_asker(self, tx: Transaction, found: Request, kind: str, tenant: Tenant, **words: str) -> None:
        reader = mails.asker_of(tx, found.asked_by, exporter=found.exporter_uscc)
        if reader is None:
            return
        path = f"/exporter/{found.exporter_uscc}/requests/{found.ref}"
        told = {"maker": tenant.manufacturer.legal_name, "company": tenant.manufacturer.legal_name, **words}
        self._mailing.queue(tx, reader.address, kind, reader.language, path=path, **told)

    def _tell_people(self, tx: Transaction, found: Applicant, kind: str, tenant: Tenant, *, reason: str) -> None:
        exporter = found.acceptance.exporter_uscc
        for one in exporters.people(tx, exporter):
            reader = mails.reader_of(tx, one.person_id or "") if one.state == "member" else None
            if reader is not None:
                words = {"maker": tenant.manufacturer.legal_name, "reason": reason}
                path = f"/exporter/{exporter}/requests"
                self._mailing.queue(tx, reader.address, kind, reader.language, path=path, **words)


def tell_issued(tx: Transaction, mailing: Mailing, number: str, tenant: Tenant) -> None:
    """Write to the exporter whose request a new confirmation answers, in the transaction that says so."""
    found = requests.of_number(tx, number, scope=tenant.scope)
    reader = None if found is None else mails.asker_of(tx, found.asked_by, exporter=found.exporter_uscc)
    if found is not None and reader is not None:
        path = f"/exporter/{found.exporter_uscc}/requests/{found.ref}"
        words = {"maker": tenant.manufacturer.legal_name, "number": number}
        mailing.queue(tx, reader.address, "request-issued", reader.language, path=path, **words)


def _open(found: Request) -> Request:
    if found.state not in ("asked", "drafted", "approving"):
        raise Conflict(f"this request is {found.state}")
    return found


def _with_promise(tx: Transaction, body: Draft, maker: Uscc) -> Draft:
    if body.commitment.text_zh.strip():
        return body
    known = promised(tx, {maker}).get(maker)
    return body if known is None else body.model_copy(update={"commitment": known})


def _applicant_of(tx: Transaction, tenant: Tenant, exporter: str) -> Applicant:
    known = exporters.acceptance(tx, exporter, scope=tenant.scope)
    if known is None:
        raise NotFound("no such exporter has asked")
    return _applicant(tx, known)


def _applicant(tx: Transaction, known: Acceptance) -> Applicant:
    recorded = parties.exporter_of(tx, known.exporter_uscc)
    sign_up = exporters.get(tx, known.sign_up_ref)
    return Applicant(acceptance=known, sign_up=sign_up, recorded="" if recorded is None else recorded.legal_name)


def _reason(typed: str) -> str:
    why = tidy(typed.replace("\r\n", " ").replace("\n", " "))
    if not 3 <= len(why) <= _MOST_REASON or unprintable(why):
        raise InvalidInput("reason", "reason.wrong")
    return why

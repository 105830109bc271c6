"""
Approve: send a draft's terms, show them to another person, and seal exactly those, once.

The approval is written down before anything is sealed, and it is the key under which issuing is asked: whoever asks
again, after a crash or a double click, gets the one document of this approval, or none is made.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import structlog

from signer.domain import comparing, rules
from signer.domain import content as encoding
from signer.domain.confirmation import Standing, Terms
from signer.domain.number import Number
from signer.domain.parties import Role
from signer.errors import Conflict, NotFound, NotPermitted, RuleViolation, SignerError
from signer.register import drafts, jobs, lookup, parties, submissions
from signer.register.scope import Scope
from signer.services.gathering import Asking, usable_seal
from signer.services.issue import Approved, ChangedSince, Order
from signer.services.request_inbox import tell_issued

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.comparing import Change
    from signer.domain.confirmation import Draft
    from signer.domain.parties import Uscc
    from signer.errors import Finding
    from signer.register.database import Database, Transaction
    from signer.register.drafts import Kept
    from signer.register.submissions import Submission
    from signer.services.gathering import Gathering
    from signer.services.issue import Issuing
    from signer.services.mailing import Mailing

log = structlog.get_logger()
PATIENCE = timedelta(minutes=1)
"""What is approved for longer and not sealed has lost the process that was sealing it."""
_ALL = Scope.everything("maintenance is for everybody's records")
Outcome = Literal["issued", "changed", "failed", "sealing"]


class StaleTerms(Conflict):
    """What was approved is not what stands here: another version was shown."""

    code = "terms-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of an approval: a number if it was issued, else the words of what stood against it."""

    outcome: Outcome
    number: Number | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """
    An approver's word on one submission: the digest that was shown (hex), and which second factor was shown.

    `factor` is `token` for a word that came by a machine, with its reference elsewhere.
    """

    ref: str
    maker: Uscc
    by: str
    terms_digest: str
    factor: str
    external_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """
    One submission as an approver sees it.

    `findings` are what the rules say now, `now` what changed since it was sent, `since` what changed against `earlier`
    (the submission before, or the confirmation that it supersedes).
    """

    submission: Submission
    terms: Terms
    names: dict[str, str]
    findings: tuple[Finding, ...]
    now: tuple[Change, ...]
    earlier: str
    since: tuple[Change, ...]


class Approving:
    """Send, approve, return; and finish what a crash left between approval and seal."""

    def __init__(
        self,
        *,
        database: Database,
        gathering: Gathering,
        issuing: Issuing,
        mailing: Mailing,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._gathering = gathering
        self._issuing = issuing
        self._mailing = mailing
        self._clock = clock
        self._bits = bits
        self._turn = threading.Lock()

    def send(
        self, ref: str, *, maker: Uscc, by: str, version: int | None = None, also: drafts.Also = drafts.nothing
    ) -> Submission:
        """
        Send an open draft, in the version that was seen, for approval; `also` is done in the same transaction.

        Raises RuleViolation with everything that is wrong, NotFound, NotPermitted, Conflict if it was changed.
        """
        at = self._clock()
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            _refuse_without(tx, by, Role.PREPARER, tenant)
            kept = drafts.get(tx, ref, scope=tenant.scope)
            if kept.head.state != "open" or version not in (None, kept.head.version):
                raise Conflict(f"draft {ref} is {kept.head.state}, or was changed meanwhile")
            terms, _ = self._judged(tx, kept.body, Asking(tenant=tenant, preparer=by), at)
        with self._database.write() as tx:
            return self._put(tx, kept, terms, tenant=tenant, by=by, at=at, also=also)

    def submit(
        self, body: Draft, *, title: str, maker: Uscc, by: str, also: drafts.Also = drafts.nothing
    ) -> Submission:
        """
        Keep a new draft and send it for approval, both or neither; `also` is done in the same transaction.

        Raises RuleViolation with everything that is wrong, NotFound, NotPermitted.
        """
        at, ref = self._clock(), drafts.draw_ref(self._bits)
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            _refuse_without(tx, by, Role.PREPARER, tenant)
            terms, _ = self._judged(tx, body, Asking(tenant=tenant, preparer=by), at)
        with self._database.write() as tx:
            drafts.create(tx, body, ref=ref, title=title, by=by, scope=tenant.scope, at=at)
            kept = drafts.get(tx, ref, scope=tenant.scope)
            return self._put(tx, kept, terms, tenant=tenant, by=by, at=at, also=also)

    def _put(
        self,
        tx: Transaction,
        kept: Kept,
        terms: Terms,
        *,
        tenant: parties.Tenant,
        by: str,
        at: datetime,
        also: drafts.Also,
    ) -> Submission:
        """Let a draft wait for approval of its terms."""
        sent = submissions.Sent(
            ref=drafts.draw_ref(self._bits),
            draft_id=kept.head.id,
            version=kept.head.version,
            terms=encoding.encode_terms(terms).decode(),
            terms_digest=encoding.terms_digest(terms),
            needed_by=min(vehicle.window.through for vehicle in terms.vehicles),
            prepared_by=kept.head.by,
            sent_by=by,
        )
        drafts.set_state(tx, kept, "waiting", by=by, scope=tenant.scope, at=at)
        submissions.add(tx, sent, scope=tenant.scope, at=at)
        also(tx, sent.ref)
        self._ask(tx, sent, kept.head.title, tenant)
        return submissions.get(tx, sent.ref, scope=tenant.scope)

    def _ask(self, tx: Transaction, sent: submissions.Sent, title: str, tenant: parties.Tenant) -> None:
        by, maker = parties.person_of(tx, sent.sent_by).name, tenant.manufacturer
        self._mailing.queue_for(
            tx,
            frozenset({Role.APPROVER}),
            "approval-asked",
            scope=tenant.scope,
            path=f"/portal/{maker.uscc}/approvals/{sent.ref}",
            but=sent.sent_by,
            by=by,
            maker=maker.legal_name,
            title=title,
        )

    def take_back(self, ref: str, *, maker: Uscc, by: str) -> None:
        """Let a waiting submission count no longer; its draft is open again. NotFound, NotPermitted, Conflict."""
        self._end(ref, maker, by, Role.PREPARER, reason=None)

    def send_back(self, ref: str, *, maker: Uscc, by: str, reason: str, also: drafts.Also = drafts.nothing) -> None:
        """Return a submission to its preparer with a reason. NotFound, NotPermitted, Conflict."""
        self._end(ref, maker, by, Role.APPROVER, reason=reason, also=also)

    def part(
        self, maker: Uscc, states: tuple[submissions.State, ...], *, before: int, limit: int
    ) -> tuple[Submission, ...]:
        """Return a part of what was sent, the newest first, and one more than asked for if there is more."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            return submissions.part(tx, scope=scope, states=states, before=before, limit=limit)

    def _end(
        self,
        ref: str,
        maker: Uscc,
        by: str,
        role: Role,
        *,
        reason: str | None,
        also: drafts.Also = drafts.nothing,
    ) -> None:
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            found = submissions.get(tx, ref, scope=tenant.scope)
            _refuse_without(tx, by, role, tenant)
            if found.state != "waiting":
                raise Conflict(f"this is {found.state}")
            if reason is None:
                submissions.void(tx, found, by=by, why="taken-back", scope=tenant.scope, at=at)
            else:
                _refuse_own(found, by)
                submissions.send_back(tx, found, by=by, reason=reason, scope=tenant.scope, at=at)
                self._tell_returned(tx, found, tenant)
            also(tx, ref)
            _free(tx, found, by=by, scope=tenant.scope, at=at)

    def _tell_returned(self, tx: Transaction, found: Submission, tenant: parties.Tenant) -> None:
        maker = tenant.manufacturer
        path = f"/portal/{maker.uscc}/approvals/{found.ref}"
        roles = frozenset({Role.PREPARER})
        words = {"maker": maker.legal_name, "title": found.title}
        self._mailing.queue_for(tx, roles, "returned", scope=tenant.scope, path=path, **words)

    def approve(self, word: Word) -> Answer:
        """
        Take an approver's word and seal exactly what was shown; asked twice, it is one document.

        Nothing is sealed if something changed since it was sent: then it counts no longer. Raises StaleTerms, NotFound,
        NotPermitted, Conflict for one that was decided otherwise; StorageLow before the word is taken.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, word.maker)
            found = submissions.get(tx, word.ref, scope=tenant.scope)
            _refuse_without(tx, word.by, Role.APPROVER, tenant)
            _refuse_own(found, word.by)
            if found.terms_digest.hex() != word.terms_digest:
                raise StaleTerms("the terms that were shown are not those that would be sealed")
            if found.state == "waiting":
                self._issuing.refuse_low()
                kept = drafts.get(tx, found.draft_ref, scope=tenant.scope)
                if kept.head.version != found.version:
                    raise StaleTerms("the draft was changed meanwhile")
                given = submissions.Given(by=word.by, factor=word.factor, external_ref=word.external_ref)
                submissions.approve(tx, found, given, scope=tenant.scope, at=at)
                drafts.set_state(tx, kept, "sealing", by=word.by, scope=tenant.scope, at=at)
                found = submissions.get(tx, word.ref, scope=tenant.scope)
        if found.state == "issued":
            return Answer(outcome="issued", number=_number(found))
        if found.state != "approved":
            raise Conflict(f"this was decided already: {found.state}")
        return self._seal(found, tenant)

    def settle(self, tell: Callable[[str], None] = jobs.unheard) -> tuple[Answer, ...]:
        """Go on with what was approved and lost the process that was sealing it; `tell` hears how far it is."""
        with self._database.read() as tx:
            stale = submissions.sealing(tx, scope=_ALL, before=self._clock() - PATIENCE)
            tenants = [parties.tenant_of(tx, one.manufacturer_id) for one in stale]
        found: list[Answer] = []
        for one, tenant in zip(stale, tenants, strict=True):
            tell(f"{len(found)} of {len(stale)} approvals; at {one.ref}")
            found.append(self._seal(one, tenant))
        return tuple(found)

    def _seal(self, found: Submission, tenant: parties.Tenant) -> Answer:
        """Issue what was approved, and write down what became of it."""
        with self._database.read() as tx:
            body = drafts.version_of(tx, found.draft_ref, found.version, scope=tenant.scope)
        if body is None:
            raise NotFound(f"version {found.version} of draft {found.draft_ref} is not kept")
        order = _order(found, body, tenant)
        try:
            with self._turn:
                issued = self._issuing.issue(order)
        except SignerError as error:
            log.warning("approval.not-sealed", ref=found.ref, code=error.code)
            return self._reconcile(found, order, tenant, error)
        return self._finish(found, issued.number, tenant)

    def _reconcile(self, found: Submission, order: Order, tenant: parties.Tenant, error: SignerError) -> Answer:
        """Find out what an order that failed left behind: a document after all, a number that waits, or nothing."""
        at, words = self._clock(), f"{error.code}: {error}"
        with self._database.write() as tx:  # nobody reserves meanwhile: that needs this approval, and this lock
            now, record = submissions.get(tx, found.ref, scope=tenant.scope), self._issuing.outcome(order)
            if now.state != "approved" or now.decided_at != found.decided_at:
                return _answer(now)
            if record is None and isinstance(error, (Conflict, RuleViolation)):
                told = "" if isinstance(error, ChangedSince) else words
                submissions.void(tx, now, by="signer", why="changed-since", scope=tenant.scope, at=at, words=told)
                _free(tx, now, by="signer", scope=tenant.scope, at=at)
                return Answer(outcome="changed", words=told)
            if record is None or record.standing is Standing.ABANDONED:
                submissions.wait_again(tx, now, error=words, scope=tenant.scope, at=at)
                _free(tx, now, by="signer", scope=tenant.scope, at=at, to="waiting")
                return Answer(outcome="failed", words=words)
            if record.standing is Standing.PENDING:
                return Answer(outcome="sealing", words=words)
        return self._finish(found, record.number, tenant)

    def _finish(self, found: Submission, number: Number, tenant: parties.Tenant) -> Answer:
        at = self._clock()
        with self._database.write() as tx:
            now = submissions.get(tx, found.ref, scope=tenant.scope)
            if now.state == "approved":
                submissions.finish(tx, now, number=number, scope=tenant.scope, at=at)
                kept = drafts.get(tx, now.draft_ref, scope=tenant.scope)
                drafts.set_state(tx, kept, "issued", by=now.decided_by or "", scope=tenant.scope, at=at, number=number)
                tell_issued(tx, self._mailing, str(number), tenant)
        return Answer(outcome="issued", number=number)

    def inbox(self, maker: Uscc) -> tuple[Submission, ...]:
        """Return what waits, the most urgent first: by the earliest day through which a confirmation is needed."""
        with self._database.read() as tx:
            return submissions.waiting(tx, scope=parties.tenant(tx, maker).scope)

    def decided(self, maker: Uscc) -> tuple[Submission, ...]:
        """Return what was decided last."""
        with self._database.read() as tx:
            return submissions.decided(tx, scope=parties.tenant(tx, maker).scope)

    def of_draft(self, maker: Uscc, draft_ref: str) -> tuple[Submission, ...]:
        """Return what was sent of a draft, the newest first."""
        with self._database.read() as tx:
            return submissions.of_draft(tx, draft_ref, scope=parties.tenant(tx, maker).scope)

    def terms(self, maker: Uscc, ref: str) -> Terms:
        """Return the terms of a submission, as they would be sealed. NotFound."""
        with self._database.read() as tx:
            return _terms(submissions.get(tx, ref, scope=parties.tenant(tx, maker).scope))

    def show(self, maker: Uscc, ref: str) -> Shown:
        """Return a submission with everything that an approver has to see. NotFound."""
        at = self._clock()
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            found = submissions.get(tx, ref, scope=tenant.scope)
            terms = _terms(found)
            findings, now = self._since(tx, found, terms, tenant, at)
            earlier, since = self._against(tx, found, terms, tenant, at)
            people = {found.prepared_by, found.sent_by, *filter(None, (found.decided_by,))}
            names = {one: one if one == "signer" else parties.person_of(tx, one).name for one in people}
        return Shown(
            submission=found, terms=terms, names=names, findings=findings, now=now, earlier=earlier, since=since
        )

    def _since(
        self, tx: Transaction, found: Submission, terms: Terms, tenant: parties.Tenant, at: datetime
    ) -> tuple[tuple[Finding, ...], tuple[Change, ...]]:
        """Return what the rules say now, and what would be sealed otherwise than it was sent."""
        body = drafts.version_of(tx, found.draft_ref, found.version, scope=tenant.scope)
        if body is None or found.state in ("issued", "approved"):
            return (), ()
        asking = Asking(tenant=tenant, preparer=found.sent_by)
        try:
            now, findings = self._judged(tx, body, asking, at)
        except RuleViolation as error:
            return error.violations, ()
        return findings, comparing.compare(terms, now)

    def _against(
        self, tx: Transaction, found: Submission, terms: Terms, tenant: parties.Tenant, at: datetime
    ) -> tuple[str, tuple[Change, ...]]:
        """Return what this was compared with (`returned`, or a number), and what changed."""
        older = submissions.before(tx, found, scope=tenant.scope)
        if older is not None:
            return older.state, comparing.compare(_terms(older), terms)
        if terms.supersedes is not None:
            record = lookup.by_number(tx, terms.supersedes, scope=tenant.scope, at=at)
            if record is not None:
                return str(terms.supersedes), comparing.compare(record.whole.terms, terms)
        return "", ()

    def _judged(self, tx: Transaction, body: Draft, asking: Asking, at: datetime) -> tuple[Terms, tuple[Finding, ...]]:
        seal = usable_seal(tx, asking.tenant, at=at)
        given = self._gathering.circumstances(tx, body, asking, seal=seal, at=at)
        return rules.to_terms(body, given), rules.check(body, given)


def _order(found: Submission, body: Draft, tenant: parties.Tenant) -> Order:
    """Return the one order of an approval: its key is the submission and the instant of the approver's word."""
    given_at = "" if found.decided_at is None else found.decided_at.isoformat()
    return Order(
        draft=body,
        manufacturer=tenant.manufacturer.uscc,
        preparer=found.sent_by,
        approver=found.decided_by or "",
        origin="portal",
        key=f"submission {found.ref} {given_at}",
        approved=Approved(found.ref, found.terms_digest),
    )


def _free(
    tx: Transaction, found: Submission, *, by: str, scope: Scope, at: datetime, to: drafts.State = "open"
) -> None:
    kept = drafts.get(tx, found.draft_ref, scope=scope)
    if kept.head.state in ("waiting", "sealing"):
        drafts.set_state(tx, kept, to, by=by, scope=scope, at=at)


def _answer(found: Submission) -> Answer:
    """Return what another process made of an approval."""
    if found.state == "issued":
        return Answer(outcome="issued", number=_number(found))
    return Answer(outcome="changed" if found.state == "voided" else "failed", words=found.error or "")


def _number(found: Submission) -> Number | None:
    return None if found.number is None else Number.parse(found.number)


def _terms(found: Submission) -> Terms:
    return Terms.model_validate_json(found.terms)


def _refuse_own(found: Submission, by: str) -> None:
    if by in (found.sent_by, found.prepared_by):
        raise NotPermitted("who prepared or sent this does not decide on it: that takes a second person")


def _refuse_without(tx: Transaction, person: str, role: Role, tenant: parties.Tenant) -> None:
    parties.person_of(tx, person)
    if role not in parties.roles_of(tx, person, scope=tenant.scope):
        raise NotPermitted(f"{person} is not {role} of this manufacturer")

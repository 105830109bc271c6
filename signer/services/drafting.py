"""A preparer's drafts: begun, saved by several people at once, judged as they are typed, looked at as a page."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain import content as encoding
from signer.domain import retyping, rules
from signer.domain.confirmation import Draft, Standing
from signer.domain.ledger import Ledger
from signer.domain.merging import Clash, merge
from signer.domain.number import Number
from signer.domain.outlet_rules import suggest
from signer.domain.reading import read
from signer.domain.values import parse_day, tidy
from signer.domain.vehicle import Window
from signer.errors import ChangedMeanwhile, Conflict, Misconfigured, NotFound, TooManyRequests, Unavailable
from signer.register import drafts, lookup, parties
from signer.services.gathering import Asking, Gathering, exporter_of, usable_seal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.circumstances import Circumstances
    from signer.domain.confirmation import DraftVehicle, Terms
    from signer.domain.parties import Exporter, Outlet, Uscc
    from signer.errors import Finding
    from signer.register.database import Database, Transaction
    from signer.register.drafts import Kept, State
    from signer.services.engines import Chance, Page, SealBox

_QUIET = timedelta(minutes=10)
"""Within this time the audit is told once that one person works on a draft; the versions tell of each save."""
_WAIT_S = 10.0
_NO_NUMBER = Number.draw(lambda _: 0)
_STATUS = (
    "草稿预览：没有编号，没有用印，不是确认书，不得用于申请出口许可证。",
    "Preview of a draft: no number, no seal. It is not a confirmation and must not be handed in.",
)
_LEFT_OUT = ("有 {count} 辆车资料不全，未列入。", "{count} vehicles are incomplete and left out.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What one person typed into a page that showed a version: the draft and its title, and the title shown."""

    body: Draft
    title: str
    title_shown: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """
    What became of a save: the draft as it is kept now, and what only a person can decide.

    `is_saved` is False for an automatic save that would have moved things on a page somebody is typing in; `before` is
    the draft as it was found, where somebody else had changed it meanwhile.
    """

    kept: Kept
    clashes: tuple[Clash, ...]
    is_saved: bool
    before: Kept | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the rules say about a draft, and what its fields lead to: `suggested` outlets if it names none."""

    findings: tuple[Finding, ...]
    windows: tuple[Window | None, ...]
    exporter: Exporter | None
    exporters: tuple[Exporter, ...]
    outlets: tuple[Outlet, ...]
    suggested: tuple[Outlet, ...]
    maker: str
    has_seal_answer: bool


class Drafting:
    """Keeps drafts of every manufacturer; each call names one by its USCC, and other makers' drafts are not there."""

    def __init__(
        self, *, database: Database, page: Page, seals: SealBox, clock: Callable[[], datetime], chance: Chance
    ) -> None:
        self._database = database
        self._page = page
        self._gathering = Gathering(page=page, seals=seals)
        self._clock = clock
        self._chance = chance
        self._turn = threading.Semaphore(1)

    def listed(
        self, maker: Uscc, *, states: tuple[State, ...], search: str, number: int
    ) -> tuple[tuple[Kept, ...], dict[State, int]]:
        """Return one page of drafts, with the first of the next page if any, and how many are in each state."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            found = drafts.whole_page(tx, scope=scope, states=states, search=search, number=number)
            return found, drafts.counts(tx, scope=scope)

    def part(
        self, maker: Uscc, states: tuple[State, ...], *, search: str, before: int, limit: int
    ) -> tuple[drafts.Head, ...]:
        """Return a part of the drafts, the newest first, and one more than asked for if there is more."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            return drafts.part(tx, scope=scope, states=states, search=search, before=before, limit=limit)

    def begin(
        self, maker: Uscc, *, by: str, body: Draft | None = None, title: str = "", also: drafts.Also = drafts.nothing
    ) -> str:
        """Add a draft, an empty one unless said otherwise, and return its reference; `also` goes with it."""
        with self._database.write() as tx:
            ref = self._begin(tx, parties.tenant(tx, maker), body or Draft(), title, by)
            also(tx, ref)
            return ref

    def replace(self, maker: Uscc, ref: str, body: Draft, *, title: str, version: int, by: str) -> Kept:
        """Put another body in the place of the version that was read. NotFound, ChangedMeanwhile, Conflict."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            kept = drafts.get(tx, ref, scope=tenant.scope)
            if kept.head.version != version:
                raise ChangedMeanwhile(f"draft {ref} was changed meanwhile")
            return drafts.save(tx, kept, body, title=title, by=by, scope=tenant.scope, at=at)

    def _begin(self, tx: Transaction, tenant: parties.Tenant, body: Draft, title: str, by: str) -> str:
        ref, at = drafts.draw_ref(self._chance.bits), self._clock()
        drafts.create(tx, body, ref=ref, title=title, by=by, scope=tenant.scope, at=at)
        return ref

    def copy(self, maker: Uscc, ref: str, *, by: str) -> str:
        """Begin a draft that says what another one says, and return its reference. NotFound."""
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            kept = drafts.get(tx, ref, scope=tenant.scope)
            return self._begin(tx, tenant, kept.body, f"{kept.head.title} (2)" if kept.head.title else "", by)

    def succeed(
        self,
        maker: Uscc,
        typed: str,
        *,
        by: str,
        among: frozenset[str] | None = None,
        also: drafts.Also = drafts.nothing,
    ) -> str:
        """
        Begin a draft that takes over what is still in force of a confirmation, and return its reference.

        With `among`, it takes over only those of its VINs.
        Raises NotFound for a number that is not this manufacturer's; Conflict if nothing of it is in force.
        """
        try:
            number = Number.parse(typed)
        except ValueError as error:
            raise NotFound("no such number") from error
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            record = lookup.by_number(tx, number, scope=tenant.scope, at=self._clock())
            if record is None:
                raise NotFound(f"no confirmation {number} in the register")
            live = {line.vin for line in record.lines if line.standing in (Standing.ISSUED, Standing.SUSPENDED)}
            live &= live if among is None else among
            if not live:
                raise Conflict(f"nothing of {number} is in force")
            body = retyping.successor(record.whole.terms, number=number, vins=live)
            ref = self._begin(tx, tenant, body, "", by)
            also(tx, ref)
            return ref

    def find(self, maker: Uscc, ref: str) -> Kept:
        """Return a draft. NotFound."""
        with self._database.read() as tx:
            return drafts.get(tx, ref, scope=parties.tenant(tx, maker).scope)

    def save(self, maker: Uscc, ref: str, typed: Typed, *, by: str, is_automatic: bool = False) -> Saved:
        """
        Put together what was typed and what was saved since the page was made, and save it.

        Where both changed one field it keeps what was saved before, and a clash names it. An automatic save with a
        clash, or one that would add or remove rows under the typist's hands, saves nothing and says so.
        Raises NotFound, TooLarge; Conflict for a draft that can be changed no more, and for an automatic save of a
        draft that waits for approval: only a person's deliberate save takes that back.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            kept = drafts.get(tx, ref, scope=tenant.scope)
            drafts.refuse_fixed(kept.head)
            if is_automatic and kept.head.state != "open":
                raise Conflict(f"draft {ref} is {kept.head.state}")
            merged = merge(self._base(tx, tenant, kept, typed.version), typed.body, kept.body)
            title, clash = _title(typed, kept.head.title)
            clashes = (*clash, *merged.clashes)
            before = None if typed.version == kept.head.version else kept
            if is_automatic and (clashes or len(merged.draft.vehicles) != len(typed.body.vehicles)):
                return Saved(kept=kept, clashes=clashes, is_saved=False, before=before)
            if merged.draft != kept.body or title != kept.head.title:
                is_noted = not is_automatic or by != kept.head.by or at - kept.head.at > _QUIET
                kept = drafts.save(
                    tx, kept, merged.draft, title=title, by=by, scope=tenant.scope, at=at, is_noted=is_noted
                )
            return Saved(kept=kept, clashes=clashes, is_saved=True, before=before)

    def _base(self, tx: Transaction, tenant: parties.Tenant, kept: Kept, version: int) -> Draft:
        """Return what the page showed; an empty draft where that is not known, so that nothing is taken for old."""
        if version == kept.head.version:
            return kept.body
        return drafts.version_of(tx, kept.head.ref, version, scope=tenant.scope) or Draft()

    def move(self, maker: Uscc, ref: str, state: State, *, by: str, among: frozenset[State]) -> None:
        """Move a draft that is in one of some states to another state. Raises NotFound, Conflict."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            kept = drafts.get(tx, ref, scope=tenant.scope)
            if kept.head.state == state:
                return
            if kept.head.state not in among:
                raise Conflict(f"draft {ref} is {kept.head.state}")
            drafts.set_state(tx, kept, state, by=by, scope=tenant.scope, at=at)

    def judge(self, maker: Uscc, kept: Kept) -> Judged:
        """Return everything that the rules say about a draft now, without an approver."""
        at = self._clock()
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            given, has_seal_answer = self._given(tx, kept, tenant, at)
            used = drafts.exporters_used(tx, scope=tenant.scope)
            return Judged(
                findings=_told(rules.check(kept.body, given), has_seal_answer=has_seal_answer),
                windows=tuple(map(_window, kept.body.vehicles)),
                exporter=exporter_of(tx, kept.body.exporter),
                exporters=parties.exporters_of(tx, used),
                outlets=given.outlets,
                suggested=_suggested(kept.body, given),
                maker=tenant.manufacturer.legal_name,
                has_seal_answer=has_seal_answer,
            )

    def _given(self, tx: Transaction, kept: Kept, tenant: parties.Tenant, at: datetime) -> tuple[Circumstances, bool]:
        """Gather circumstances; without the seal where nobody can say now how it stands (drafts can wait for that)."""
        asking = Asking(tenant=tenant, preparer=kept.head.by)
        seal = usable_seal(tx, tenant, at=at)
        try:
            return self._gathering.circumstances(tx, kept.body, asking, seal=seal, at=at), True
        except (Misconfigured, Unavailable):
            return self._gathering.circumstances(tx, kept.body, asking, seal=None, at=at), False

    def preview(self, maker: Uscc, ref: str) -> bytes | None:
        """
        Return the page of a draft as a PDF that can pass for nothing else, None while too much of it is missing.

        One is made at a time. Raises NotFound, TooManyRequests, RenderFailed.
        """
        at = self._clock()
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            kept = drafts.get(tx, ref, scope=tenant.scope)
            given, _ = self._given(tx, kept, tenant, at)
        terms = rules.shown_terms(kept.body, given)
        if terms is None:
            return None
        return self.preview_terms(terms, left_out=len(kept.body.vehicles) - len(terms.vehicles))

    def preview_terms(self, terms: Terms, *, left_out: int = 0) -> bytes:
        """
        Return the page of terms as a PDF that can pass for nothing else; `left_out` vehicles of theirs are missing.

        One is made at a time. Raises TooManyRequests, RenderFailed.
        """
        status = "\n".join((*_STATUS, *(words.format(count=left_out) for words in _LEFT_OUT if left_out)))
        digest = encoding.terms_digest(terms)
        confirmation = encoding.build(terms=terms, approved_digest=digest, number=_NO_NUMBER, issued_at=self._clock())
        if not self._turn.acquire(timeout=_WAIT_S):
            raise TooManyRequests("another preview is being made", retry_after_s=int(_WAIT_S))
        try:
            return self._page.preview(confirmation, encoded=encoding.encode(confirmation), status=status)
        finally:
            self._turn.release()


def _title(typed: Typed, kept: str) -> tuple[str, tuple[Clash, ...]]:
    mine, shown = drafts.plain(typed.title), drafts.plain(typed.title_shown)
    if mine in (shown, kept):
        return kept, ()
    if shown != kept:
        return kept, (Clash(pointer="/title", mine=mine, theirs=kept),)
    return mine, ()


def _told(findings: tuple[Finding, ...], *, has_seal_answer: bool) -> tuple[Finding, ...]:
    """Return what is worth saying while a draft is typed: not that it must still be approved."""
    unsaid = {"people.approval-needed"} if has_seal_answer else {"people.approval-needed", "seal.missing"}
    return tuple(finding for finding in findings if finding.rule not in unsaid)


def _suggested(draft: Draft, given: Circumstances) -> tuple[Outlet, ...]:
    if any(each.strip() for each in draft.outlets):
        return ()
    return suggest(read(draft, Ledger(), lambda _: ""), given.outlets, given.choosing, today=given.today)[1]


def _window(vehicle: DraftVehicle) -> Window | None:
    try:
        return Window(parse_day(tidy(vehicle.registered_on)))
    except ValueError:
        return None

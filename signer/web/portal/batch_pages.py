"""Draws the page of one batch: its report, what would be sealed, its progress, and what may be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request

from signer import resources
from signer.document import catalogue
from signer.domain.batch import BatchState, ItemState
from signer.domain.parties import Role
from signer.errors import SignerError
from signer.services.engines import TEMPLATE_VERSION
from signer.verification.wording import beijing
from signer.web import languages
from signer.web.portal import batch_view
from signer.web.portal.terms_view import Words, printed

if TYPE_CHECKING:
    from signer.domain.batch import Sample
    from signer.domain.confirmation import Terms
    from signer.register.batches import Head
    from signer.services.batching import Shown
    from signer.web.portal.doors import Visit
    from signer.web.portal.rooms import Building
    from signer.web.problems import Fault

STEERERS: Final = frozenset({Role.PREPARER, Role.APPROVER})
"""Who may pause, go on, cancel: whoever prepares, and whoever approves."""
REFRESH_S: Final = 5
MOST_FAILED: Final = 20
ITEMS_PAGE: Final = 50
_MOST_PLACE: Final = 1_000_000
_IN_FULL: Final = frozenset({BatchState.READY, BatchState.WAITING})
_MOVING: Final = frozenset({BatchState.READING, BatchState.RUNNING, BatchState.HALTED})
_TOLD: Final = {
    BatchState.READY: ("batches.known", "batches.back"),
    BatchState.WAITING: ("batches.known", "batches.sent"),
    BatchState.RUNNING: ("batches.known", "batches.approved", "batches.resumed"),
    BatchState.PAUSED: ("batches.known", "batches.paused"),
    BatchState.CANCELLED: ("batches.known", "batches.cancelled"),
}
"""What may be told above a batch that stands so."""


class BatchPages:
    """Draws pages about batches."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._frame = building.frame
        self._batching = building.services.batching
        self._looking = building.services.batch_looking
        self._accounts = building.services.accounts
        self._template = catalogue.load(resources.templates_dir(), TEMPLATE_VERSION)

    def one(self, visit: Visit, ref: str, *, faults: tuple[Fault, ...] = (), reason: str = "") -> str:
        """Draw one batch; while it moves the page looks again by itself."""
        shown, language = self._batching.find(visit.uscc, ref), languages.chosen()
        head, is_own = shown.head, is_own_of(visit, shown.head)
        whole = self._samples(visit, shown)
        words = self.words()
        return self._frame.draw(
            "portal/batch.html",
            visit,
            faults=faults,
            shown=shown,
            progress=shown.progress,
            names=shown.names,
            view=batch_view.view_of(shown, language),
            samples=[(sample, terms and printed(terms, words)) for sample, terms in whole],
            outlets=batch_view.outlets([terms for _, terms in whole if terms], language),
            countries={sample.country: batch_view.country(sample.country, language) for sample, _ in whole},
            failed=self._failed(visit, head),
            words=words,
            root=head.root.hex() if head.root else "",
            told=_TOLD.get(head.state, ("batches.known",)),
            refresh_s=REFRESH_S if head.state in _MOVING else 0,
            beijing=beijing,
            is_own=is_own,
            may_approve=visit.has(Role.APPROVER) and not is_own,
            may_prepare=visit.has(Role.PREPARER),
            may_steer=visit.has(*STEERERS),
            ways=self._accounts.ways(visit.person),
            about=about(head),
            reason=reason,
        )

    def items(self, visit: Visit, ref: str) -> str:
        """Draw a page of the items: all of them, or those that stand as `?state=` says; `?after=` is a place."""
        head = self._batching.find(visit.uscc, ref).head
        state, after = request.args.get("state", ""), request.args.get("after", 0, type=int)
        states = tuple(one for one in ItemState if one == state)
        found = self._batching.items(
            visit.uscc, ref, states=states, after=min(max(after, 0), _MOST_PLACE), limit=ITEMS_PAGE
        )
        return self._frame.draw(
            "portal/batch_items.html",
            visit,
            head=head,
            items=found[:ITEMS_PAGE],
            has_more=len(found) > ITEMS_PAGE,
            after=after,
            state=states[0] if states else "",
            states=tuple(ItemState),
        )

    def item(self, visit: Visit, ref: str, place: int) -> str:
        """Draw one item in full, as it would be sealed now."""
        head, item = self._batching.find(visit.uscc, ref).head, self._looking.item(visit.uscc, ref, place)
        terms = self._terms(visit, ref, place)
        return self._frame.draw(
            "portal/batch_item.html",
            visit,
            head=head,
            item=item,
            printed=terms and printed(terms, self.words()),
            words=self.words(),
        )

    def words(self) -> Words:
        """Return the labels of the paper in the page's language."""
        language = languages.chosen()
        return Words(self._template.strings[language], language, self._frame.t)

    def _terms(self, visit: Visit, ref: str, place: int) -> Terms | None:
        """Return what would be sealed now; None where what it rests on changed, so that nothing could be."""
        try:
            return self._looking.terms(visit.uscc, ref, place)
        except SignerError:
            return None

    def _samples(self, visit: Visit, shown: Shown) -> list[tuple[Sample, Terms | None]]:
        samples = shown.report.summary.samples if shown.head.state in _IN_FULL else ()
        return [(sample, self._terms(visit, shown.head.ref, sample.place)) for sample in samples]

    def _failed(self, visit: Visit, head: Head) -> tuple[object, ...]:
        if not head.failed:
            return ()
        failed = (ItemState.FAILED,)
        return tuple(self._batching.items(visit.uscc, head.ref, states=failed, limit=MOST_FAILED))[:MOST_FAILED]


def about(head: Head) -> str:
    """Return what a second factor is shown for: this root of this batch, and nothing else."""
    return f"approve batch {head.ref} {head.root.hex()[:16] if head.root else ''}"


def is_own_of(visit: Visit, head: Head) -> bool:
    """Tell whether somebody prepared or sent a batch, and therefore has no word on it."""
    return visit.person in (head.prepared_by, head.sent_by)

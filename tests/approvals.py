"""Drafts that are sent, and words on them: what the tests of approval have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import world as worlds
from world import EMIRATES, PEOPLE, YUNZHOU, World

from signer.domain.drafting import parse_draft
from signer.register import drafts, parties
from signer.services.approving import Answer, Word

if TYPE_CHECKING:
    from signer.domain.parties import Uscc
    from signer.register.submissions import Submission

CHEN, LIN = PEOPLE[YUNZHOU]


def maker(world: World, name: str = YUNZHOU) -> Uscc:
    with world.services.database.read() as tx:
        return parties.tenant(tx, name).manufacturer.uscc


def draft(world: World, plain: Any, *, by: str = CHEN, of: str = YUNZHOU, ref: str = "") -> str:
    """Put a draft on the desk and return its reference."""
    ref = ref or f"{len(world.rows('SELECT id FROM drafts')) + 1:016x}"
    with world.services.database.write() as tx:
        scope = parties.tenant(tx, of).scope
        body = parse_draft(worlds.as_bytes(plain))
        drafts.create(tx, body, ref=ref, title=f"draft {ref[-3:]}", by=by, scope=scope, at=world.at)
    return ref


def edit(world: World, ref: str, plain: Any, *, by: str = CHEN) -> None:
    with world.services.database.write() as tx:
        scope = parties.tenant(tx, YUNZHOU).scope
        kept = drafts.get(tx, ref, scope=scope)
        body = parse_draft(worlds.as_bytes(plain))
        drafts.save(tx, kept, body, title=kept.head.title, by=by, scope=scope, at=world.at)


def sent(world: World, plain: Any = None, *, by: str = CHEN) -> Submission:
    """Send a sample for approval."""
    ref = draft(world, plain or worlds.sample(worlds.KAZAKHSTAN), by=by)
    return world.services.approving.send(ref, maker=maker(world), by=by)


def word(world: World, found: Submission, *, by: str = LIN, digest: str = "") -> Word:
    shown = digest or found.terms_digest.hex()
    return Word(ref=found.ref, maker=maker(world), by=by, terms_digest=shown, factor="totp")


def approve(world: World, found: Submission, *, by: str = LIN, digest: str = "") -> Answer:
    return world.services.approving.approve(word(world, found, by=by, digest=digest))


def state(world: World, found: Submission) -> tuple[str, str]:
    """Return how a submission and its draft stand."""
    query = "SELECT s.state, d.state FROM submissions s JOIN drafts d ON d.id = s.draft_id"
    return world.rows(f"{query} WHERE s.ref = '{found.ref}'")[0]  # type: ignore[return-value]


__all__ = ["CHEN", "EMIRATES", "LIN", "approve", "draft", "edit", "maker", "sent", "state", "word"]

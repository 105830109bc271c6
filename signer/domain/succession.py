"""From one trust list to the next: entries are added and may lose their worth; none is removed, mended or rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.trust import SealState
from signer.domain.values import format_instant
from signer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from signer.domain.trust import TrustEntry, TrustList

_STEPS = {
    SealState.ACTIVE: frozenset(SealState),
    SealState.SUSPENDED: frozenset(SealState),
    SealState.VERIFY_ONLY: frozenset({SealState.VERIFY_ONLY, SealState.REVOKED}),
    SealState.REVOKED: frozenset({SealState.REVOKED}),
}
"""The states that may follow each state; what was withdrawn for good does not come back."""
_FIXED = (
    "purpose",
    "uscc",
    "legal_name",
    "certificate",
    "chain",
    "naming_profile",
    "naming_evidence",
    "seal_class",
    "class_evidence",
    "from_at",
)
_ENDS = ("until_at", "revoked_at", "compromised_from")
"""Instants that may be set, or brought forward, and never put off."""


def refuse_successor(older: TrustList | None, newer: TrustList, *, older_digest: str | None) -> None:
    """Refuse to put a list in the place of another (or of none) unless it follows upon it. Raises InvalidInput."""
    refuse_gap(older, newer, older_digest=older_digest)
    if older is not None:
        refuse_weaker(older, newer)
    known = {entry.certificate_digest: entry.state for entry in older.entries} if older else {}
    for place, entry in enumerate(newer.entries):
        if known.get(entry.certificate_digest) is not entry.state:
            _refuse_unexplained(entry, f"/entries/{place}")


def refuse_gap(older: TrustList | None, newer: TrustList, *, older_digest: str | None) -> None:
    """Refuse a list that does not follow directly upon another, or upon none. Raises InvalidInput."""
    if older is None:
        if newer.sequence == 1 and newer.previous_digest is not None:
            raise InvalidInput("/previous_digest", "the first list follows none")
        return
    if newer.sequence != older.sequence + 1:
        raise InvalidInput("/sequence", f"is {newer.sequence}; after {older.sequence} comes {older.sequence + 1}")
    if newer.previous_digest != older_digest:
        named = "absent" if newer.previous_digest is None else f"{newer.previous_digest[:16]}…"
        raise InvalidInput("/previous_digest", f"is {named}; list {older.sequence} is {str(older_digest)[:16]}…")


def refuse_weaker(older: TrustList, newer: TrustList) -> None:
    """
    Refuse a newer list that takes back what an older one said. Raises InvalidInput, naming the entry and the field.

    Lists may lie between the two.
    """
    for name in ("origin", "test"):
        if getattr(newer, name) != getattr(older, name):
            raise InvalidInput(f"/{name}", f"was {getattr(older, name)!r}: this is another list")
    if newer.issued < older.issued:
        raise InvalidInput("/issued", f"lies before that of list {older.sequence} ({format_instant(older.issued)})")
    places = {entry.certificate_digest: place for place, entry in enumerate(newer.entries)}
    for entry in older.entries:
        place = places.get(entry.certificate_digest)
        if place is None:
            raise InvalidInput("/entries", f"the entry of {_named(entry)} was removed; entries are never removed")
        _refuse_changed(entry, newer.entries[place], f"/entries/{place}")


def _refuse_changed(before: TrustEntry, after: TrustEntry, field: str) -> None:
    for name in _FIXED:
        if getattr(before, name) != getattr(after, name):
            raise InvalidInput(f"{field}/{name}", f"of {_named(before)} was changed; it never changes")
    if after.state not in _STEPS[before.state]:
        raise InvalidInput(f"{field}/state", f"of {_named(before)} goes from {before.state} to {after.state}")
    for name in _ENDS:
        if not _is_sooner(getattr(before, name), getattr(after, name)):
            raise InvalidInput(f"{field}/{name}", f"of {_named(before)} was put off or taken back")
    is_kept = before.state is after.state and before.state is not SealState.ACTIVE
    if is_kept and not _is_sooner(before.state_since, after.state_since):
        raise InvalidInput(f"{field}/state_since", f"of {_named(before)} was put off or taken back")


def _is_sooner(before: datetime | None, after: datetime | None) -> bool:
    """Tell whether an end stays where it was, or comes earlier; none lies later than any."""
    return before is None or (after is not None and after <= before)


def _refuse_unexplained(entry: TrustEntry, field: str) -> None:
    """Refuse a state that does not say since when, and a revocation without its time and reason."""
    if entry.state is not SealState.ACTIVE and entry.state_since is None:
        raise InvalidInput(f"{field}/state_since", f"{entry.state} needs an instant from which it holds")
    if entry.state is SealState.REVOKED and (entry.revoked_at is None or entry.reason is None):
        raise InvalidInput(f"{field}/revoked_at", "a revocation needs revoked_at and a reason")


def differences(older: TrustList | None, newer: TrustList) -> Iterator[str]:
    """Say, a line each, what a list adds to and changes in another; for people who are about to sign or publish it."""
    known = {entry.certificate_digest: entry for entry in older.entries} if older else {}
    for entry in newer.entries:
        before = known.get(entry.certificate_digest)
        if before is None:
            yield f"new {entry.purpose}: {_named(entry)}{_claims(entry)}"
        elif before != entry:
            fields = [name for name in type(entry).model_fields if getattr(before, name) != getattr(entry, name)]
            yield f"{_named(entry)}: " + ", ".join(f"{name} {_shown(entry, name)}" for name in fields)
    if newer.next_root != (older.next_root if older else None):
        yield "the next root is announced" if newer.next_root else "the next root is announced no more"
    if newer.base_url != (older.base_url if older else None):
        yield f"the service answers at: {newer.base_url or 'no address is named'}"
    if newer.revocation_hosts != (older.revocation_hosts if older else ()):
        yield f"revocation is asked of: {', '.join(newer.revocation_hosts) or 'nobody'}"


def _named(entry: TrustEntry) -> str:
    return f"{entry.legal_name} ({entry.certificate_digest[:16]})"


def _claims(entry: TrustEntry) -> str:
    told = (entry.seal_class, entry.naming_profile, entry.naming_evidence, entry.class_evidence)
    return "".join(f", {word}" for word in told if word)


def _shown(entry: TrustEntry, name: str) -> str:
    value = getattr(entry, name)
    return format_instant(value) if hasattr(value, "astimezone") else str(value)

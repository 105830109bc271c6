"""Name what is wrong with a verifier that has no register: its walls, its disk, and how old each issuer's bundle is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer import sandbox
from signer.errors import SignerError
from signer.services.doctor import LIST_WARNING, Symptom
from signer.services.offline import issuers_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from signer.services.log_examining import Health
    from signer.services.shelf import Issuer, Shelf
    from signer.verification.policy import Policy


def examine(shelf: Shelf, *, policy: Policy, at: datetime) -> tuple[Symptom, ...]:
    """Return a symptom for every part; nothing is changed."""
    return (_walls(), *_bundles(shelf, policy, at))


def _walls() -> Symptom:
    missing = [name for name, stood in sandbox.standing_walls().items() if not stood]
    if missing:
        return Symptom("sandbox", "warning", f"{', '.join(missing)}: this kernel lacks them around hostile files")
    return Symptom("sandbox", "ok", "every wall stands around a hostile file")


def _bundles(shelf: Shelf, policy: Policy, at: datetime) -> Iterator[Symptom]:
    try:
        issuers = issuers_of(shelf)
    except SignerError as error:
        yield Symptom("bundles", "error", str(error))
        return
    for issuer in issuers:
        yield _bundle(issuer, policy, at)
        if issuer.trust.expires - at < LIST_WARNING:
            ends = f"{issuer.trust.expires:%Y-%m-%dT%H:%M:%SZ}"
            yield Symptom("trust-list", "warning", f"{issuer.header.origin}: its trust list ends at {ends}")


def _bundle(issuer: Issuer, policy: Policy, at: datetime) -> Symptom:
    header = issuer.header
    told = f"{header.origin}: as of {header.complete_until:%Y-%m-%dT%H:%M:%SZ}"
    health: Health = "ok"
    if header.complete_until > at + policy.clock_skew:
        health, told = "error", f"{told}, which is in the future: clock off?"
    elif at >= header.expires:
        health, told = "error", f"{told}, expired {header.expires:%Y-%m-%dT%H:%M:%SZ}: import a newer one"
    elif at - header.complete_until > policy.longest_gap:
        health, told = "warning", f"{told}: too old for a green answer; import a newer one, or a delta"
    return Symptom("bundles", health, told)

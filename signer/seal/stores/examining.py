"""Look at a key as `signer keys check` and the doctor do: each question on its own, the exact fault, the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from signer.errors import SignerError
from signer.seal import certificates, chain
from signer.seal.stores import outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from signer.domain.trust import TrustEntry, TrustList
    from signer.seal.keys import SealKey

Part = Literal["store", "secrets", "listed", "usage", "algorithm", "validity", "chain", "trial"]
EXPIRY_DAYS = 90


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one part of a key."""

    part: Part
    health: Literal["ok", "warning", "error"]
    detail: str


def examine(
    open_key: Callable[[], SealKey],
    entry: TrustEntry | None,
    trust: TrustList,
    *,
    at: datetime,
    secrets: Callable[[], tuple[Path, ...]],
) -> tuple[Found, ...]:
    """
    Return what was found of a key, in the order in which one would mend it; nothing is changed.

    Opening finds most faults: what cannot be opened is not looked at further. `secrets` gives the files whose
    content opens the key.
    """
    try:
        key = open_key()
    except SignerError as error:
        return (Found("store", "error", str(error)),)
    return (_store(key), *_secrets(secrets), *_certificate(key, at), *_listed(key, entry, trust, at), _trial(key))


def examine_service(
    open_key: Callable[[], SealKey],
    list_fault: Callable[[SealKey], str],
    *,
    usage_fault: Callable[[SealKey], str],
    at: datetime,
    secrets: Callable[[], tuple[Path, ...]],
) -> tuple[Found, ...]:
    """Return what was found of a key of the service, which seals nothing, in the same order; nothing is changed."""
    try:
        key = open_key()
        unlisted = list_fault(key)
    except SignerError as error:
        return (Found("store", "error", str(error)),)
    unfit = usage_fault(key)
    usage = (
        Found("usage", "error", unfit) if unfit else Found("usage", "ok", "the certificate may sign for the service")
    )
    listed = Found("listed", "error", unlisted) if unlisted else Found("listed", "ok", "the trust list names it")
    return (_store(key), *_secrets(secrets), usage, _validity(key, at), listed, _trial(key))


def _store(key: SealKey) -> Found:
    known = key.capabilities
    batch = f", {known.batch_size} signatures a request" if known.batch_size > 1 else ""
    return Found("store", "ok", f"{known.store} opens, {known.scheme.name} with {known.scheme.digest}{batch}")


def _secrets(files: Callable[[], tuple[Path, ...]]) -> Iterator[Found]:
    for path in files():
        if path.stat().st_mode & 0o007:
            yield Found("secrets", "warning", f"{path} is open to everyone: chmod 600 {path}")


def _certificate(key: SealKey, at: datetime) -> Iterator[Found]:
    certificate = key.certificate
    if fault := certificates.seal_usage_fault(certificate):
        yield Found("usage", "error", f"{fault}: ask the authority for a certificate for seals")
    else:
        yield Found("usage", "ok", "the certificate may seal")
    yield _validity(key, at)


def _validity(key: SealKey, at: datetime) -> Found:
    days = (key.certificate.not_after - at).days
    told = f"{days} days left, until {key.certificate.not_after:%Y-%m-%d}"
    if days <= EXPIRY_DAYS:
        return Found("validity", "warning", f"{told}: ask the authority for the next certificate now")
    return Found("validity", "ok", told)


def _listed(key: SealKey, entry: TrustEntry | None, trust: TrustList, at: datetime) -> Iterator[Found]:
    if entry is None:
        digest = key.certificate.digest[:16]
        yield Found("listed", "error", f"the trust list does not name {digest}: publish one that does")
    elif fault := chain_fault(key, entry, trust, at=at):
        yield Found("chain", "error", fault)
    else:
        told = f"{len(entry.chain)} authorities, all on the trust list" if entry.chain else "none: the seal is pinned"
        yield Found("chain", "ok", told)


def chain_fault(key: SealKey, entry: TrustEntry, trust: TrustList, *, at: datetime) -> str:
    """
    Return why the chain of a key's certificate does not hold, or ''.

    All authorities but the root travel in a seal, so that others can check it. Source: ETSI EN 319 142-1, 6.3.
    """
    judged = chain.judge(entry, trust, at=at)
    if not judged.is_good:
        return f"{judged.detail}: publish a trust list with its whole, valid chain"
    held = {member.digest for member in key.chain}
    missing = [link for link in chain.resolve(entry, trust) if not link.is_self_issued and link.digest not in held]
    if missing:
        return f"the chain is incomplete: put the certificate of {missing[0].subject} beside the key"
    return ""


def _trial(key: SealKey) -> Found:
    """Sign a sentence that can be taken for nothing else, and verify it."""
    try:
        signature = key.sign_raw(outside.TRIAL)
    except SignerError as error:
        return Found("trial", "error", str(error))
    if outside.fits(signature, outside.TRIAL, certificate=key.certificate, scheme=key.capabilities.scheme):
        return Found("trial", "ok", "a trial signature verifies by the certificate")
    return Found("trial", "error", "the trial signature is not by the certificate's key: do they belong together?")

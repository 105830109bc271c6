"""
Proof of existence: from now back through the timestamps of a file, each proving what the one before needs.

A timestamp counts if its authority is good now, or was good at the time of a later timestamp that counts and that
holds the proof of it. Source: docs/reference/acceptance-rules.md, rule 9; ETSI EN 319 102-1, 5.6.2 and 5.6.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import rsa

from signer.domain.evidence import State
from signer.domain.trust import SealState
from signer.domain.values import format_instant
from signer.seal import algorithms, chain, revocation
from signer.seal.certificates import Certificate, known, named

if TYPE_CHECKING:
    from signer.domain.evidence import SubIndication
    from signer.domain.trust import TrustEntry, TrustList
    from signer.seal.revocation import Evidence

CLOCK_SKEW: Final = timedelta(minutes=5)
_RSA_3000: Final = 3000
_SHORT_RSA_ENDS: Final = datetime(2031, 1, 1, tzinfo=UTC)
"""Until when RSA below 3,000 bits proves anything. Source: NIST SP 800-131A, revision 3 (draft), 112-bit strength."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """
    A timestamp whose form, imprint and signature are good, by a listed authority.

    `layer` is 0 for the one on the signature, n for that of the n-th revision after the seal.
    """

    entry: TrustEntry
    at: datetime
    layer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a timestamp is worth: nothing if it has a fault, else good by itself or only through a later one."""

    stamp: Stamp
    is_by_itself: bool = False
    sub_indication: SubIndication | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Fault:
    sub_indication: SubIndication | None
    detail: str


def strong_until(certificate: Certificate) -> datetime | None:
    """Return from when on what a certificate's key signed proves nothing by itself, if that is known."""
    key = algorithms.key_of(certificate.parsed)
    return _SHORT_RSA_ENDS if isinstance(key, rsa.RSAPublicKey) and key.key_size < _RSA_3000 else None


def counts_until(entry: TrustEntry, trust: TrustList) -> datetime:
    """Return until when a timestamp of a listed authority counts by itself, if nothing else happens to it."""
    weak = strong_until(known(entry.der))
    ends = (chain.judge(entry, trust, at=entry.from_at).not_after, entry.until_at, weak)
    return min(end for end in ends if end is not None)


def prove(
    stamps: tuple[Stamp, ...], layers: tuple[Evidence, ...], *, trust: TrustList, at: datetime
) -> tuple[Proof, ...]:
    """
    Judge timestamps, and return a proof for each in the same order, which is the order in the file.

    `layers` is the evidence of the seal's own revision and of each after it.
    """
    found: list[Proof] = []
    control: Stamp | None = None
    for stamp in reversed(stamps):
        proof = _prove(stamp, control, layers, trust=trust, at=at)
        if not proof.fault:
            control = stamp
        found.append(proof)
    return tuple(reversed(found))


def _prove(
    stamp: Stamp, control: Stamp | None, layers: tuple[Evidence, ...], *, trust: TrustList, at: datetime
) -> Proof:
    latest = control.at if control else at + CLOCK_SKEW
    who, told = named(known(stamp.entry.der)), format_instant(stamp.at)
    fault: _Fault | None
    if not stamp.entry.is_entitled(stamp.at):
        fault = _Fault("CHAIN_CONSTRAINTS_FAILURE", f"{who} was not entitled at {told}")
    elif stamp.at > latest:
        behind = f"the later timestamp of {format_instant(latest)}" if control else "our clock"
        fault = _Fault("TIMESTAMP_ORDER_FAILURE", f"its time {told} lies ahead of {behind}")
    elif (fault := _fault_now(stamp, layers, trust=trust, at=at)) is None:
        return Proof(stamp=stamp, is_by_itself=True)
    elif control is not None:
        fault = _fault_then(stamp, control, layers, trust=trust)
    return Proof(stamp=stamp, sub_indication=fault.sub_indication, fault=fault.detail) if fault else Proof(stamp=stamp)


def _fault_now(stamp: Stamp, layers: tuple[Evidence, ...], *, trust: TrustList, at: datetime) -> _Fault | None:
    """Return why an authority is not good now; the trust list is the live word on it."""
    if fault := _chain_fault(stamp, trust, at=at):
        return fault
    if stamp.entry.state in (SealState.SUSPENDED, SealState.REVOKED):
        return _held(stamp)
    everything, inside = revocation.union(layers), revocation.union(layers[: stamp.layer + 1])
    said = revocation.judge(revocation.links_of(stamp.entry, trust), everything, at=stamp.at, inside=inside)
    return _Fault(said.sub_indication, said.detail) if said.state is State.FAILED else None


def _fault_then(stamp: Stamp, control: Stamp, layers: tuple[Evidence, ...], *, trust: TrustList) -> _Fault | None:
    """Return why an authority is not proven to have been good at the time of a later timestamp that counts."""
    if fault := _chain_fault(stamp, trust, at=control.at):
        return fault
    entry = stamp.entry
    cut = entry.compromised_from or entry.revoked_at
    is_cut = entry.state is SealState.REVOKED and (cut is None or control.at >= cut)
    if is_cut or entry.state is SealState.SUSPENDED:
        return _held(stamp)
    inside = revocation.union(layers[: stamp.layer + 1])
    later = revocation.union(layers[stamp.layer + 1 : control.layer + 1])
    links = revocation.links_of(entry, trust)
    said = revocation.judge(links, inside, at=control.at, inside=inside, later=later)
    return None if said.state is State.PASSED else _Fault(said.sub_indication, said.detail)


def _held(stamp: Stamp) -> _Fault:
    entry = stamp.entry
    since = f" since {format_instant(entry.state_since)}" if entry.state_since else ""
    told = f"{named(known(entry.der))} is {entry.state.value} on the trust list{since}"
    return _Fault("CHAIN_CONSTRAINTS_FAILURE", told)


def _chain_fault(stamp: Stamp, trust: TrustList, *, at: datetime) -> _Fault | None:
    judged = chain.judge(stamp.entry, trust, at=at)
    if not judged.is_good:
        return _Fault(judged.sub_indication, judged.detail)
    own = known(stamp.entry.der)
    if stamp.at < judged.not_before:
        begun = f"the chain of {named(own)} is valid from {format_instant(judged.not_before)} on"
        return _Fault("NOT_YET_VALID", f"its time {format_instant(stamp.at)} lies before that: {begun}")
    weak = strong_until(own)
    if weak is not None and at >= weak:
        told = f"the key of {named(own)} proves nothing from {format_instant(weak)} on: RSA below {_RSA_3000} bits"
        return _Fault("CRYPTO_CONSTRAINTS_FAILURE_NO_POE", told)
    return None

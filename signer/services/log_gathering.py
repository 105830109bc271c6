"""Gather what the transparency log says of a file: by the proof inside, by one that was brought, by the register."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer.domain import log_leaf
from signer.domain.log_facts import LogHead, ProofFacts
from signer.domain.log_leaf import Leaf, LeafType, ProofRefused
from signer.errors import InvalidInput
from signer.seal import log_trust
from signer.transparency import proofs
from signer.transparency.merkle import ProofInvalid
from signer.transparency.notes import NotSigned

if TYPE_CHECKING:
    from signer.domain.evidence import ContentFacts, FileFacts, SealFacts
    from signer.domain.log_leaf import LogProof
    from signer.domain.number import Number
    from signer.domain.trust import TrustList

MINUTE = timedelta(minutes=1)
_ISSUED = frozenset({LeafType.ISSUED, LeafType.BACKFILL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a proof must be about: the number, the digest, and of what kinds its leaf may be."""

    number: Number | None
    digest: str | None
    types: frozenset[LeafType]


def attached(seal: SealFacts, content: ContentFacts, trust: TrustList) -> ProofFacts | None:
    """Judge the proof inside a file, if there is one: of the intent to issue this very content."""
    if seal.log_proof is None:
        return None
    try:
        data = base64.b64decode(seal.log_proof, validate=True)
    except binascii.Error:
        return ProofFacts(fault="malformed", detail="the attachment is not base64 from the child")
    number = content.confirmation.number if content.confirmation else None
    expected = Expected(number=number, digest=content.content_digest, types=frozenset({LeafType.INTENT}))
    return judge(data, trust, expected)


def brought(data: bytes, file: FileFacts, number: Number | None, trust: TrustList) -> ProofFacts:
    """Judge a proof that somebody has beside a file: that these sealed bytes were issued."""
    return judge(data, trust, Expected(number=number, digest=file.sealed_digest, types=_ISSUED))


def judge(data: bytes, trust: TrustList, expected: Expected) -> ProofFacts:
    """Return what the bytes of a log proof prove by a trust list about what is expected."""
    try:
        proof = log_leaf.parse_proof(data)
    except ProofRefused as error:
        return ProofFacts.model_validate({"fault": error.fault, "detail": error.reason[:400]})
    try:
        leaf = Leaf.parse(proof.leaf_bytes)
        proven = proofs.verify(proof, log_trust.keys(trust, at=leaf.at))
    except NotSigned as error:
        return ProofFacts(fault="log-unknown", detail=error.reason[:400])
    except ProofInvalid as error:
        return ProofFacts(fault="not-in-log", detail=error.reason[:400])
    except InvalidInput as error:
        return ProofFacts(fault="malformed", detail=error.reason[:400])
    head = LogHead(size=proven.signed.checkpoint.size, root=proven.signed.checkpoint.root.hex())
    if not _is_about(proof, expected):
        return ProofFacts(fault="other-leaf", detail=f"a leaf {proof.opening.type} of another confirmation", head=head)
    told = f"leaf {proof.index} of {head.size}, {leaf.at:%Y-%m-%dT%H:%MZ}"
    return ProofFacts(detail=told, at=leaf.at + MINUTE, head=head)


def _is_about(proof: LogProof, expected: Expected) -> bool:
    opening = proof.opening
    return (opening.number, opening.digest) == (expected.number, expected.digest) and opening.type in expected.types

"""Whether a log proof holds: its leaf opened, in the tree of its checkpoint, which a log that counts has signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.log_leaf import Leaf
from signer.errors import InvalidInput
from signer.transparency import checkpoints
from signer.transparency.merkle import ProofInvalid, leaf_hash, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signer.domain.log_leaf import LogProof
    from signer.transparency.checkpoints import Signed
    from signer.transparency.notes import NoteKey


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof proves: the leaf, and the signed checkpoint under which it stands."""

    leaf: Leaf
    signed: Signed


def verify(proof: LogProof, keys: Iterable[NoteKey]) -> Proven:
    """
    Return what a proof proves under the keys of logs and witnesses that count.

    Raises ProofInvalid if the leaf is not what its opening says or not in the tree; NoteRefused if no key of `keys`
    has signed its checkpoint as the log, or one has signed it wrongly.
    """
    signed = checkpoints.open_signed(proof.checkpoint, keys)
    return Proven(prove(proof, signed.checkpoint), signed)


def prove(proof: LogProof, checkpoint: checkpoints.Checkpoint) -> Leaf:
    """Return the leaf that a proof shows to stand under a checkpoint that is trusted already. Raises ProofInvalid."""
    try:
        leaf = Leaf.parse(proof.leaf_bytes)
    except InvalidInput as error:
        raise ProofInvalid("it holds no leaf of this log") from error
    if not proof.opening.opens(leaf):
        raise ProofInvalid("the opening is not what the leaf commits to")
    verify_inclusion(leaf_hash(proof.leaf_bytes), proof.index, checkpoint.size, proof.hashes, root=checkpoint.root)
    return leaf

"""A log proof holds for its leaf under its log's checkpoint, and for nothing else."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signer.domain.log_leaf import LeafType, LogProof, Opening
from signer.transparency import notes, proofs
from signer.transparency.checkpoints import Checkpoint
from signer.transparency.merkle import ProofInvalid
from signer.transparency.notes import NoteKey, NoteRefused
from tests.unit.domain.sample import number
from tests.unit.transparency import trees

if TYPE_CHECKING:
    from signer.errors import InvalidInput

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = NoteKey("log.example", PRIVATE.public_key().public_bytes_raw())
AT = datetime(2026, 11, 30, 9, 5, tzinfo=UTC)
OPENING = Opening(nonce="0a" * 32, type=LeafType.INTENT, number=number("7K3QF9ZC2M8RX"), digest="0b" * 32)
LEAF = OPENING.plain.leaf(tag=b"t" * 32, at=AT)
PLACE, SIZE = 5, 12
TREE = trees.Tree((*map(trees.entry, range(PLACE)), LEAF.encode(), *map(trees.entry, range(PLACE + 1, SIZE))))


def _note(size: int = SIZE, *, origin: str = KEY.name, key: NoteKey = KEY) -> str:
    text = Checkpoint(origin, size, TREE.root(size)).text
    return notes.sign_note(text, name=key.name, key_id=key.id, sign_raw=PRIVATE.sign)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


PROOF = LogProof(
    leaf=_text(LEAF.encode()),
    opening=OPENING,
    index=PLACE,
    path=tuple(map(_text, TREE.inclusion(PLACE, SIZE))),
    checkpoint=_note(),
)


def test_a_proof_shows_its_leaf_under_the_checkpoint() -> None:
    proven = proofs.verify(PROOF, [KEY])
    assert proven.leaf == LEAF
    assert proven.signed.checkpoint.size == SIZE


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"index": PLACE + 1}, ProofInvalid),
        ({"index": SIZE}, ProofInvalid),
        ({"path": PROOF.path[:-1]}, ProofInvalid),
        ({"path": (*PROOF.path, PROOF.path[0])}, ProofInvalid),
        ({"leaf": _text(OPENING.plain.leaf(tag=b"u" * 32, at=AT).encode())}, ProofInvalid),
        ({"leaf": _text(trees.entry(0))}, ProofInvalid),
        ({"opening": OPENING.model_copy(update={"digest": "0c" * 32})}, ProofInvalid),
        ({"checkpoint": _note(SIZE - 1)}, ProofInvalid),
        ({"checkpoint": _note(origin="other.example")}, NoteRefused),
        ({"checkpoint": PROOF.checkpoint.replace("\n12\n", "\n13\n")}, NoteRefused),
        ({"checkpoint": "nothing"}, NoteRefused),
    ],
)
def test_a_changed_proof_shows_nothing(change: dict[str, object], refusal: type[InvalidInput]) -> None:
    with pytest.raises(refusal):
        proofs.verify(PROOF.model_copy(update=change), [KEY])


def test_a_log_that_does_not_count_proves_nothing() -> None:
    other = NoteKey("other.example", KEY.public)
    with pytest.raises(NoteRefused):
        proofs.verify(PROOF, [other])
    with pytest.raises(NoteRefused):
        proofs.verify(PROOF.model_copy(update={"checkpoint": _note(origin="other.example", key=other)}), [KEY])

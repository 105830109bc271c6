"""A log proof verified: parsed, opened, climbed in a tree of 100,000 leaves, its checkpoint verified."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import subtrees
from cases import Case
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sigstore._internal import merkle as sigstore

from signer.domain.log_leaf import LeafType, LogProof, Opening, encode_proof, parse_proof
from signer.domain.number import Number
from signer.transparency import merkle, notes, proofs
from signer.transparency.checkpoints import Checkpoint
from signer.transparency.notes import NoteKey

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAVES, PLACE = 100_000, 77_777


def all_cases() -> Iterator[Case]:
    proven = Proven()
    yield Case(
        name="log.verify",
        ours=proven.verify,
        peer=proven.climb,
        peer_name="sigstore's code climbs the same path, nothing else; the issue's bound is 1 ms",
    )


class Proven:
    """A proof in a large tree."""

    @cached_property
    def _made(self) -> tuple[bytes, NoteKey]:
        private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        key = NoteKey("log.example", private.public_key().public_bytes_raw())
        opening = Opening(nonce="0a" * 32, type=LeafType.INTENT, number=Number("ESJP6-X3FE9-SJ22"), digest="0b" * 32)
        leaf = opening.plain.leaf(tag=bytes(32), at=datetime(2026, 11, 30, tzinfo=UTC)).encode()
        hashes = [merkle.leaf_hash(b"%d" % place) for place in range(LEAVES)]
        hashes[PLACE] = merkle.leaf_hash(leaf)
        read = subtrees.of(hashes).__getitem__
        text = Checkpoint(key.name, LEAVES, merkle.root(LEAVES, read)).text
        proof = LogProof(
            leaf=base64.b64encode(leaf).decode(),
            opening=opening,
            index=PLACE,
            path=tuple(base64.b64encode(each).decode() for each in merkle.inclusion(PLACE, LEAVES, read)),
            checkpoint=notes.sign_note(text, name=key.name, key_id=key.id, sign_raw=private.sign),
        )
        return encode_proof(proof), key

    def verify(self) -> None:
        data, key = self._made
        proofs.verify(parse_proof(data), (key,))

    @cached_property
    def _path(self) -> tuple[bytes, list[bytes], int]:
        proof = parse_proof(self._made[0])
        inner, _ = sigstore._decomp_inclusion_proof(PLACE, LEAVES)
        return sigstore._hash_leaf(proof.leaf_bytes), list(proof.hashes), inner

    def climb(self) -> None:
        leaf, path, inner = self._path
        sigstore._chain_border_right(sigstore._chain_inner(leaf, path[:inner], PLACE), path[inner:])

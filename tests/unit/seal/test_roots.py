"""The root is followed only where it announced its successor, is never gone back to, and is remembered between runs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signer.domain.trust import Purpose
from signer.errors import InvalidInput, Misconfigured, TrustListStale
from signer.seal import roots, trust
from signer.seal.roots import Memory
from tests.pki import AT, World, entry_of

if TYPE_CHECKING:
    from signer.domain.trust import TrustList

LATER = AT + timedelta(days=1)
Key = ec.EllipticCurvePrivateKey


@pytest.fixture(scope="module")
def first(world: World) -> Key:
    return trust.load_signing_key(world.made.list_key_file.read_bytes(), password=world.made.password)


@pytest.fixture(scope="module")
def second() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def third() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def root(key: Key) -> trust.RootKey:
    return trust.root_of(key.public_key())


def signed(world: World, sequence: int, *, by: Key, announcing: Key | None = None, **more: Any) -> bytes:
    text = root(announcing).text if announcing else None
    changes = {"sequence": sequence, "next_root": text, **more}
    return trust.sign(world.trust.model_copy(update=changes), key=by)


def believed(data: bytes, memory: Memory) -> Memory:
    return roots.believe(data, memory, at=LATER)[1]


def test_an_announced_root_is_followed_and_the_old_one_is_over(
    world: World, first: Key, second: Key, third: Key
) -> None:
    memory = believed(signed(world, 1, by=first, announcing=second), Memory(root=root(first)))
    assert (memory.root, memory.announced) == (root(first), root(second))
    memory = believed(signed(world, 2, by=first, announcing=second), memory)
    memory = believed(signed(world, 3, by=second, announcing=third), memory)
    assert (memory.root, memory.announced, memory.retired) == (root(second), root(third), {root(first).digest})
    for sequence in (3, 4, 99):
        with pytest.raises(TrustListStale, match=r"which .* has replaced"):
            believed(signed(world, sequence, by=first), memory)
    memory = believed(signed(world, 4, by=third), memory)
    assert memory.retired == {root(first).digest, root(second).digest}
    assert memory.announced is None


def test_a_root_that_was_not_announced_or_is_announced_no_more_is_refused(
    world: World, first: Key, second: Key, third: Key
) -> None:
    fresh = Memory(root=root(first))
    with pytest.raises(TrustListStale, match="pinned root"):
        believed(signed(world, 1, by=second), fresh)
    announced = believed(signed(world, 1, by=first, announcing=second), fresh)
    with pytest.raises(TrustListStale, match="pinned root"):
        believed(signed(world, 2, by=third), announced)
    taken_back = believed(signed(world, 2, by=first), announced)
    with pytest.raises(TrustListStale, match="pinned root"):
        believed(signed(world, 3, by=second), taken_back)


def test_the_next_root_may_not_go_back_in_sequence(world: World, first: Key, second: Key) -> None:
    memory = believed(signed(world, 5, by=first, announcing=second), Memory(root=root(first)))
    with pytest.raises(TrustListStale, match="older than 5"):
        believed(signed(world, 4, by=second), memory)
    with pytest.raises(TrustListStale, match="another list"):
        believed(signed(world, 5, by=second), memory)


def test_a_root_does_not_come_back_by_announcement(world: World, first: Key, second: Key) -> None:
    memory = believed(signed(world, 1, by=first, announcing=second), Memory(root=root(first)))
    memory = believed(signed(world, 2, by=second), memory)
    with pytest.raises(InvalidInput, match="/next_root"):
        believed(signed(world, 3, by=second, announcing=first), memory)


def test_a_root_s_key_has_no_other_purpose(world: World, first: Key, second: Key) -> None:
    """A certificate of the root's own key on the list, or of the announced one's."""
    for text in ("AAAA", root(second).text[:-4] + "AAAA", root(second).text[4:]):
        with pytest.raises(InvalidInput, match="/next_root"):
            trust.sign(world.trust.model_copy(update={"next_root": text}), key=first)
    seal = world.made.makers[0].certificate
    taken = trust.RootKey(seal.parsed.public_key().public_bytes(*_SPKI))
    with pytest.raises(InvalidInput, match="two purposes: it is a root"):
        trust.sign(world.trust.model_copy(update={"next_root": taken.text}), key=first)


_SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def test_what_was_seen_outlives_the_process(world: World, first: Key, second: Key, third: Key) -> None:
    memory = believed(signed(world, 1, by=first, announcing=second), Memory(root=root(first)))
    memory = believed(signed(world, 2, by=second, announcing=third), memory)
    assert roots.parse(roots.dump(memory), root=root(first)) == memory


def test_a_memory_of_before_roots_were_kept_is_read(first: Key) -> None:
    found = roots.parse(b"12 " + b"a" * 64 + b"\n", root=root(first))
    assert (found.seen, found.root) == (trust.Seen(12, "a" * 64), root(first))
    for wrong in (b"12\n", b"x y\n", b"root AAAA\n", b"\xff"):
        with pytest.raises(Misconfigured, match="cannot be read"):
            roots.parse(wrong, root=root(first))


def test_who_pins_an_unseen_root_means_it_and_who_leaves_a_retired_one_does_not(
    world: World, first: Key, second: Key, third: Key
) -> None:
    memory = believed(signed(world, 1, by=first, announcing=second), Memory(root=root(first)))
    memory = believed(signed(world, 2, by=second), memory)
    assert roots.pinned(memory, root(first)) == memory
    assert roots.pinned(memory, root(second)) == memory
    lost = roots.pinned(memory, root(third))
    assert (lost.root, lost.seen) == (root(third), memory.seen)
    assert believed(signed(world, 3, by=third), lost).root == root(third)
    for key in (first, second):
        with pytest.raises(TrustListStale):
            believed(signed(world, 3, by=key), lost)


def test_a_list_of_another_authority_keeps_its_entries(world: World, stranger: World, first: Key) -> None:
    foreign = entry_of(Purpose.CA, stranger.made.root, "TEST")
    more: TrustList = world.trust.model_copy(update={"entries": (*world.trust.entries, foreign)})
    assert roots.believe(trust.sign(more, key=first), Memory(root=root(first)), at=LATER)[0] == more

"""
Which root's lists a verifier believes: the pinned one's, then that of the root which it announced, and so on.

What was seen is remembered between runs, so that neither an older list nor an older root comes back.
Source: docs/reference/formats.md, the trust list; docs/adr/0019-an-offline-root-and-its-successor.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from signer.errors import InvalidInput, Misconfigured, TrustListStale
from signer.seal import trust as signed

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.trust import TrustList
    from signer.seal.trust import RootKey, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """
    What a verifier keeps of the lists that it believed.

    `root` signs the lists, `announced` may sign the ones after the newest, `retired` are the digests of the roots
    before (SHA-256 of their key info, in hex): they sign nothing any more.
    """

    root: RootKey
    seen: Seen | None = None
    announced: RootKey | None = None
    retired: frozenset[str] = frozenset()


def pinned(memory: Memory, root: RootKey) -> Memory:
    """
    Return the memory under the root that an operator pinned.

    A root that was retired, or is the one in force, changes nothing. One that was never seen is the operator's own
    word, after a root was lost: from then on it alone counts, and the highest list stays what it was.
    """
    if root == memory.root or root.digest in memory.retired:
        return memory
    return Memory(root=root, seen=memory.seen, retired=memory.retired | {memory.root.digest})


def believe(data: bytes, memory: Memory, *, at: datetime) -> tuple[TrustList, Memory]:
    """
    Verify a signed list by the root in force, or by the one that it announced; return it and what to remember.

    Raises InvalidInput or TrustListStale, as `trust.load` does.
    """
    kid = signed.signer_of(data)
    if any(digest.startswith(kid) for digest in memory.retired) and len(kid) == len(memory.root.kid):
        raise TrustListStale(f"signed by the root {kid!r}, which {memory.root.kid!r} has replaced")
    is_next = memory.announced is not None and kid == memory.announced.kid
    root = memory.announced if is_next and memory.announced is not None else memory.root
    trust = signed.load(data, root=root, at=at, highest_seen=memory.seen)
    announced = signed.root_in(trust.next_root, "/next_root") if trust.next_root else None
    newer = Memory(
        root=root,
        seen=signed.Seen(sequence=trust.sequence, digest=signed.digest(data)),
        announced=None if announced == root else announced,
        retired=memory.retired | {memory.root.digest} if is_next else memory.retired,
    )
    if announced is not None and announced.digest in newer.retired:
        raise InvalidInput("/next_root", "was a root before; roots do not come back")
    return trust, newer


def dump(memory: Memory) -> bytes:
    """Return a memory as it is stored: a line for what was seen, for the root, the announced one and the retired."""
    lines = [f"{memory.seen.sequence} {memory.seen.digest}"] if memory.seen else []
    lines.append(f"root {memory.root.text}")
    lines += [f"announced {memory.announced.text}"] if memory.announced else []
    lines += [f"retired {digest}" for digest in sorted(memory.retired)]
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def parse(data: bytes, *, root: RootKey) -> Memory:
    """Read a stored memory; one without a root is of a time when the pinned root was the only one."""
    memory = Memory(root=root)
    try:
        for word, value in (line.split() for line in data.decode("ascii").splitlines()):
            memory = _with(memory, word, value)
    except (ValueError, InvalidInput) as error:
        raise Misconfigured(f"what was seen of the trust list cannot be read: {error}") from error
    return memory


def recall(data: bytes) -> Memory:
    """Read a stored memory that names its root, as every one does by now. Raises Misconfigured."""
    named = [line.removeprefix(b"root ") for line in data.splitlines() if line.startswith(b"root ")]
    if not named:
        raise Misconfigured("what was seen of the trust list names no root")
    return parse(data, root=signed.root_in(named[0].decode("ascii", "replace"), "root"))


def _with(memory: Memory, word: str, value: str) -> Memory:
    if word == "root":
        return replace(memory, root=signed.root_in(value, "root"))
    if word == "announced":
        return replace(memory, announced=signed.root_in(value, "announced"))
    if word == "retired":
        return replace(memory, retired=memory.retired | {value})
    return replace(memory, seen=signed.Seen(sequence=int(word), digest=value))

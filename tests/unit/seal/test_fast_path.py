"""The fast path on files of every kind of key: the facts that the full path finds, and nothing for what is not ours."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from signer.seal import algorithms, fast, sign, validate
from signer.seal.keys import FileKey
from tests.pki import AT, World

if TYPE_CHECKING:
    from signer.seal.sign import Sealed

LATER = AT + timedelta(hours=1)


def by_pss(key: FileKey) -> FileKey:
    """The same RSA key, as one that signs by PSS."""
    return FileKey(key._key, key.certificate, key.chain, scheme=algorithms.RSA_PSS)


@pytest.mark.parametrize("maker", ["hengyuan", "xinghe", "rsa", "rsa-pss", "p384"])
@pytest.mark.parametrize("level", ["B-B", "B-LT"])
def test_a_seal_by_every_kind_of_key_has_the_facts_of_the_full_path(
    world: World, page: bytes, maker: str, level: str
) -> None:
    name = maker.removesuffix("-pss")
    key = by_pss(world.keys[name]) if name != maker else world.keys[name]
    how = (
        {"timestamper": None}
        if level == "B-B"
        else {"timestamper": world.timestamper(), "evidence": world.evidence(name)}
    )
    made = sign.seal(page, key=key, at=AT, **how)
    quick = validate.quickly(made.pdf, world.trust, LATER)
    assert quick.level == level == made.level
    assert quick == validate.whole(made.pdf, world.trust, LATER)


def test_what_is_not_ours_is_left_to_the_full_path(world: World, stranger: World, page: bytes, sealed: Sealed) -> None:
    theirs = sign.seal(page, key=stranger.keys["hengyuan"], timestamper=None, at=AT).pdf
    for file in (b"", b"%PDF-1.7\n%%EOF\n", page, theirs, sealed.pdf[:-1], sealed.pdf + b"\n"):
        with pytest.raises(fast.NotMine):
            fast.examine(file, world.trust, LATER)
    with pytest.raises(fast.NotMine):
        fast.examine(sealed.pdf, stranger.trust, LATER)

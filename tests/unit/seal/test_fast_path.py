"""The fast path on files of every kind of key: the facts that the full path finds, and nothing for what is not ours."""

from __future__ import annotations

import contextlib
import io
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pikepdf
import pytest

from signer.seal import algorithms, archive, cms, der, fast, sign, validate
from signer.seal.fast import value
from signer.seal.keys import FileKey
from tests.pki import AT, World, blank_pdf
from tests.two_paths import Score, gap_of, stamped_anew, structure, substituted

if TYPE_CHECKING:
    from signer.seal.sign import Sealed

LATER = AT + timedelta(hours=1)
DAY = timedelta(days=1)


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


def test_a_value_of_a_known_form_says_what_it_says_read_as_a_whole(world: World, page: bytes) -> None:
    """Each byte of the seal's value and of its token is changed in turn: it is read as by `cms.read`, or not at all."""
    made = sign.seal(page, key=world.keys["hengyuan"], at=AT, timestamper=world.timestamper())
    start, end = gap_of(made.pdf)
    whole = der.read(bytes.fromhex(made.pdf[start:end].decode())).whole
    token = cms.read(whole, content_type=cms.DATA).unsigned[cms.SIGNATURE_TIMESTAMP]
    for data, kind in ((whole, cms.DATA), (token, cms.TST_INFO)):
        alike = 0
        assert value.read(data, content_type=kind).signed == cms.read(data, content_type=kind)
        for place in range(0, len(data), 7):
            changed = data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]
            with contextlib.suppress(ValueError, LookupError, fast.NotMine):
                found = value.read(changed, content_type=kind).signed
                assert found == cms.read(changed, content_type=kind), place
                alike += 1
        assert alike > 20


def test_what_is_not_ours_is_left_to_the_full_path(world: World, stranger: World, page: bytes, sealed: Sealed) -> None:
    theirs = sign.seal(page, key=stranger.keys["hengyuan"], timestamper=None, at=AT).pdf
    for file in (b"", b"%PDF-1.7\n%%EOF\n", page, theirs, sealed.pdf[:-1], sealed.pdf + b"\n"):
        with pytest.raises(fast.NotMine):
            fast.examine(file, world.trust, LATER)
    with pytest.raises(fast.NotMine):
        fast.examine(sealed.pdf, stranger.trust, LATER)


def test_it_knows_archive_copies_that_nobody_compares_any_more(world: World) -> None:
    """Of more than 500 objects the full path does not ask pyHanko to compare revisions."""
    file = large = _large(world)
    for revisions in (1, 2):
        at = AT + revisions * DAY
        how = {"timestamper": world.timestamper(at), "evidence": world.evidence(at=at)}
        file = archive.extend(file, sealed_length=len(large), at=at, **how).pdf
        quick = validate.quickly(file, world.trust, AT + 3 * DAY)
        assert (quick.level, len(quick.archived), quick.sealed_length) == ("B-LTA", revisions, len(large))
        assert quick == validate.whole(file, world.trust, AT + 3 * DAY)


def test_a_revision_that_is_not_written_as_ours_is_left_to_the_full_path(world: World) -> None:
    """Every single byte of it: changed, and then timestamped anew by the listed authority."""
    large, at = _large(world), AT + DAY
    how = {"timestamper": world.timestamper(at), "evidence": world.evidence(at=at)}
    copy = archive.extend(large, sealed_length=len(large), at=at, **how).pdf
    chance, score = random.Random(20261130), Score()
    places = structure(copy, len(large))
    for _ in range(60):
        changed = substituted(copy, places, chance)
        if changed != copy and changed.rindex(b"/Contents <") > len(large):
            told = stamped_anew(changed, world.timestamper(at), at)
            assert not score.compare(told, world.trust, AT + 2 * DAY, "changed and stamped anew")
    assert score.asked > 30


def _large(world: World) -> bytes:
    with pikepdf.open(io.BytesIO(blank_pdf())) as opened:
        numbers = [opened.make_indirect(pikepdf.Dictionary(Number=number)) for number in range(600)]
        opened.Root.PieceInfo = pikepdf.Array(numbers)
        out = io.BytesIO()
        opened.save(out)
    how = {"timestamper": world.timestamper(), "evidence": world.evidence()}
    return sign.seal(out.getvalue(), key=world.keys["hengyuan"], at=AT, **how).pdf

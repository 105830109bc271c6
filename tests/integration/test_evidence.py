"""The evidence bundle: everything to check a paper without us, the same bytes each time, and names that are ours."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import world as worlds
from world import BEICHEN, KAZAKHSTAN, YUNZHOU, World, sample

from signer.domain import content
from signer.domain.number import Number
from signer.errors import NotFound, Unavailable
from signer.seal import trust
from signer.services.evidence import pack
from signer.services.evidence_readme import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = "=cmd|' /C calc'!A0 ../../etc/passwd<script>{number}"


@pytest.fixture(scope="module")
def shelf(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Number, bytes]]:
    """One sealed paper whose contract and buyer have hostile names."""
    world = World(worlds.copy(template_folder, tmp_path_factory.mktemp("evidence") / "data"))
    plain = sample(KAZAKHSTAN)
    plain["contract"] = plain["destination"]["buyer"] = HOSTILE
    issued = world.issue(plain)
    world.services.status_lists.sign()
    world.services.sequencing.run()
    yield world, issued.number, issued.pdf
    world.services.database.close()


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_paper_content_list_and_a_receipt_that_is_about_this_paper(shelf: tuple[World, Number, bytes]) -> None:
    world, number, pdf = shelf
    found = unpacked(world.services.evidence.bundle(number, manufacturer=YUNZHOU))
    assert found[f"{number}.pdf"] == pdf
    assert content.parse(found["confirmation.json"]).number == number
    assert trust.payload_of(found["trust-list.jws"]) == world.services.trust.current(world.at)
    receipt = world.services.receipts.examine(found["receipt.jwt"])
    assert receipt.state == "genuine"
    assert receipt.claims is not None
    told = receipt.claims.model_dump(mode="json")
    assert told["subject"]["sha256"] == hashlib.sha256(pdf).hexdigest()
    assert (told["code"], told["number"]) == ("VALID", number)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_readme_names_every_file_by_its_digest_and_how_to_check_it(
    shelf: tuple[World, Number, bytes], language: str
) -> None:
    world, number, _ = shelf
    found = unpacked(world.services.evidence.bundle(number, manufacturer=YUNZHOU))
    text = found[f"README.{language}.txt"].decode("utf-8-sig")
    named = [name for name in found if not name.startswith("README.")]
    assert len(named) == 8
    for name in named:
        assert f"{hashlib.sha256(found[name]).hexdigest()}  {name}" in text
    for said in ("signer verify --offline", "pdfdetach", "signer receipt receipt.jwt", "TEST", "/verify"):
        assert said in text
    assert "{" not in text


def test_the_same_paper_gives_the_same_bytes_but_for_the_receipt(shelf: tuple[World, Number, bytes]) -> None:
    world, number, _ = shelf
    first = world.services.evidence.bundle(number, manufacturer=YUNZHOU)
    world.at += timedelta(seconds=3)
    one, other = unpacked(first), unpacked(world.services.evidence.bundle(number, manufacturer=YUNZHOU))
    for signed_now in ("receipt.jwt", "record.jwt"):
        assert one.pop(signed_now) != other.pop(signed_now)
    for language in LANGUAGES:  # they name the digests
        assert one.pop(f"README.{language}.txt") != other.pop(f"README.{language}.txt")
    assert one == other
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        kept = {(info.date_time, info.compress_type, info.external_attr >> 16) for info in archive.infolist()}
    assert kept == {((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED, 0o644)}
    assert pack(one) == pack(other)


def test_no_name_in_it_is_anybody_elses(shelf: tuple[World, Number, bytes]) -> None:
    world, number, _ = shelf
    names = set(unpacked(world.services.evidence.bundle(number, manufacturer=YUNZHOU)))
    fixed = {f"README.{language}.txt" for language in LANGUAGES} | {"confirmation.json", "trust-list.jws"}
    fixed |= {"record.jwt", "status-list.jwt", "log-proof.json", "checkpoint.txt", "receipt.jwt"}
    assert names == {f"{number}.pdf", *fixed}


def test_another_manufacturers_paper_and_an_unknown_one_are_not_there(shelf: tuple[World, Number, bytes]) -> None:
    world, number, _ = shelf
    for asked, maker in ((number, BEICHEN), (Number.draw(lambda _: 7), YUNZHOU)):
        with pytest.raises(NotFound):
            world.services.evidence.bundle(asked, manufacturer=maker)


def test_a_busy_machine_gets_no_receipt_that_calls_the_paper_unreadable(
    shelf: tuple[World, Number, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, number, _ = shelf
    unreadable = world.verify(b"%PDF-1.7 nothing")
    assert unreadable.code == "UNREADABLE"
    monkeypatch.setattr(world.services.evidence._verifying, "file", lambda *_: unreadable)
    with pytest.raises(Unavailable):
        world.services.evidence.bundle(number, manufacturer=YUNZHOU)


def test_without_a_key_for_receipts_it_says_that_there_is_none(shelf: tuple[World, Number, bytes]) -> None:
    world, number, _ = shelf
    for path in sorted(world.settings.keys.glob("receipt.*")):
        path.rename(path.with_name(f"away-{path.name}.gone"))
    other = world.another()
    found = unpacked(other.services.evidence.bundle(number, manufacturer=YUNZHOU))
    other.services.database.close()
    assert "receipt.jwt" not in found
    told = " ".join(found["README.en.txt"].decode("utf-8-sig").split())
    assert "or had not come to it at that moment: receipt.jwt" in told

"""The ZIP of a batch holds what is sealed and says what is not, in little memory, and ends when nobody reads on."""

from __future__ import annotations

import csv
import hashlib
import json
import tracemalloc
import zipfile
from datetime import UTC, datetime
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

import pytest

from signer.errors import NotFound, RegisterUnavailable, StorageUnavailable
from signer.services.batch_archive import CSV, JSON, About, Entry, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

AT = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
DONE = About(ref="5f0c6a7d9e21b384", title="十二月", state="done", is_finished=True, root="ab" * 32, made_at=AT)
RUNNING = About(ref=DONE.ref, title=DONE.title, state="running", is_finished=False, root=DONE.root, made_at=AT)


def pdf(place: int) -> bytes:
    return b"%PDF " + place.to_bytes(4, "big") * 50


def sealed(place: int) -> Entry:
    return Entry(
        place=place,
        rows=f"{2 * place}-{2 * place + 1}",
        vins=(f"LTEST0000T{2 * place:07}", f"LTEST0000T{2 * place + 1:07}"),
        state="done",
        number=f"K7Q2M-{place:05}-3PA",
        file_digest=hashlib.sha256(pdf(place)).digest(),
    )


STORE = {hashlib.sha256(pdf(place)).digest(): pdf(place) for place in range(1, 400)}


def reads(digest: bytes) -> bytes:
    if digest not in STORE:
        raise NotFound("no stored file")
    return STORE[digest]


def made(entries: Iterable[Entry], about: About = DONE) -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(b"".join(written(entries, reads=reads, about=lambda: about))))


def told(archive: zipfile.ZipFile) -> tuple[dict[str, Any], list[dict[str, str]]]:
    table = csv.DictReader(StringIO(archive.read(CSV).decode("utf-8-sig"), newline=""))
    return json.loads(archive.read(JSON)), list(table)


def test_every_sealed_file_is_in_it_and_the_manifests_come_last() -> None:
    archive = made(map(sealed, range(1, 301)))
    assert archive.testzip() is None
    assert archive.namelist() == [*(f"K7Q2M-{place:05}-3PA.pdf" for place in range(1, 301)), CSV, JSON]
    whole, rows = told(archive)
    assert (whole["items"], whole["vehicles"], whole["files"], whole["is_finished"]) == (300, 600, 300, True)
    assert [line["place"] for line in whole["list"]] == list(range(1, 301))
    for line, row in zip(whole["list"], rows, strict=True):
        data = archive.read(line["file"])
        assert (line["sha256"], line["size"]) == (hashlib.sha256(data).hexdigest(), len(data))
        assert (row["sha256"], row["number"], row["rows"]) == (line["sha256"], line["number"], line["rows"])


def test_in_the_middle_of_a_batch_it_says_what_is_not_there_yet_and_why() -> None:
    waiting = Entry(place=2, rows="4", vins=("LTEST0000T0000099",), state="waiting")
    failed = Entry(place=3, rows="5", vins=("LTEST0000T0000098",), state="failed", error="=vin.live: 样例")
    archive = made((sealed(1), waiting, failed), RUNNING)
    whole, rows = told(archive)
    assert (whole["state"], whole["is_finished"], whole["files"]) == ("running", False, 1)
    assert [(line["state"], line["file"]) for line in whole["list"]] == [
        ("done", "K7Q2M-00001-3PA.pdf"),
        ("waiting", ""),
        ("failed", ""),
    ]
    assert {(row["batch_state"], row["batch_is_finished"]) for row in rows} == {("running", "no")}
    assert rows[2]["error"] == "'=vin.live: 样例"
    assert whole["list"][2]["error"] == "=vin.live: 样例"


def test_a_batch_of_which_nothing_is_sealed_gives_its_manifests() -> None:
    whole, rows = told(made((), RUNNING))
    assert (whole["list"], rows) == ([], [])


@pytest.mark.parametrize("error", [NotFound("gone"), StorageUnavailable("damaged")])
def test_a_file_that_cannot_be_read_is_left_out_and_named(error: Exception) -> None:
    def lost(digest: bytes) -> bytes:
        if digest == sealed(2).file_digest:
            raise error
        return reads(digest)

    data = b"".join(written(map(sealed, (1, 2, 3)), reads=lost, about=lambda: DONE))
    archive = zipfile.ZipFile(BytesIO(data))
    assert archive.namelist() == ["K7Q2M-00001-3PA.pdf", "K7Q2M-00003-3PA.pdf", CSV, JSON]
    line = told(archive)[0]["list"][1]
    assert (line["file"], line["number"], line["state"]) == ("", "K7Q2M-00002-3PA", "done")
    assert line["error"].startswith("storage-unavailable")


def test_a_register_that_falls_silent_leaves_no_zip_that_looks_whole() -> None:
    def silent() -> Iterator[Entry]:
        yield sealed(1)
        raise RegisterUnavailable("gone")

    taken = bytearray()
    with pytest.raises(RegisterUnavailable):  # noqa: PT012 -- what came before it matters
        for part in written(silent(), reads=reads, about=lambda: DONE):
            taken += part
    assert taken
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(BytesIO(bytes(taken)))


def test_nothing_is_asked_before_it_is_read_and_nothing_after_nobody_reads_on() -> None:
    asked: list[int] = []

    def watched() -> Iterator[Entry]:
        for place in range(1, 300):
            asked.append(place)
            yield sealed(place)

    stream = written(watched(), reads=reads, about=lambda: DONE)
    assert asked == []
    next(stream)
    next(stream)
    assert asked == [1]
    stream.close()  # type: ignore[attr-defined] # as a server does when its client goes away
    assert asked == [1]


def test_memory_does_not_grow_with_the_files() -> None:
    """Five hundred files of 200 kB: 100 MB pass, and one hundredth of that is held."""
    big, digest = bytes(200_000), hashlib.sha256(bytes(200_000)).digest()
    plain = sealed(1)
    entries = (
        Entry(place=n, rows=f"{n}", vins=plain.vins, state="done", number=f"K7Q2M-{n:05}-3PA", file_digest=digest)
        for n in range(500)
    )
    tracemalloc.start()
    taken = sum(map(len, written(entries, reads=lambda _: big, about=lambda: DONE)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken > 100_000_000
    assert peak < 1_000_000

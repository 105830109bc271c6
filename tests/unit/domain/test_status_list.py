"""The status list: the draft's own lists, every form that is refused, and what a list says of a place at an instant."""

from __future__ import annotations

import base64
import json
import random
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.domain import status_list
from signer.domain.confirmation import Standing
from signer.domain.status_list import FRESH, LASTS, TOLERANCE, Doubt, Said, Status, StatusList
from signer.errors import InvalidInput

DRAFT = json.loads((Path(__file__).parents[2] / "vectors" / "status_list_draft.json").read_bytes())["lists"]
AT = datetime(2026, 11, 30, 4, 0, 0, tzinfo=UTC)
BASE = "https://confirm.example.org"
URI = f"{BASE}/.well-known/status/7"
SECOND = timedelta(seconds=1)


def lst_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def made(*statuses: Status, at: datetime = AT) -> StatusList:
    places = status_list.blank(64)
    places[: len(statuses)] = bytes(statuses)
    return status_list.decode(status_list.encode(URI, places, at=at))


@pytest.mark.parametrize("vector", DRAFT, ids=lambda vector: vector["name"])
def test_the_drafts_own_lists_say_what_the_draft_says(vector: dict[str, object]) -> None:
    packed = status_list.expand(str(vector["lst"]))
    read = StatusList(uri=URI, at=AT, expires=AT + LASTS, packed=packed)
    expected = {int(index): value for index, value in dict(vector["statuses"]).items()}  # type: ignore[call-overload]
    assert len(read) == vector["places"]
    assert {index: read.status(index) for index in expected} == expected
    places = bytearray(len(read))
    for index, value in expected.items():
        places[index] = value
    assert status_list.pack(places) == packed
    assert status_list.expand(status_list.compress(packed)) == packed


@given(st.lists(st.sampled_from(Status), min_size=4, max_size=80).map(lambda found: found[: len(found) // 4 * 4]))
def test_every_place_is_read_back_as_it_was_packed(statuses: list[Status]) -> None:
    payload = status_list.encode(URI, bytes(statuses), at=AT)
    read = status_list.decode(payload)
    assert [read.status(index) for index in range(len(read))] == statuses
    assert (read.uri, read.at, read.expires) == (URI, AT, AT + LASTS)


def test_a_list_before_anybody_has_a_place_says_not_now_of_each() -> None:
    assert set(status_list.blank()) == {Status.NOT_NOW}
    assert len(status_list.blank()) == 131_072


def test_a_full_list_is_shorter_than_by_zlibs_highest_level_and_read_by_any_zlib() -> None:
    chance = random.Random(1)
    places = bytearray(chance.choices(tuple(Status), weights=(89, 1, 10, 0.1), k=status_list.SIZE))
    packed = status_list.pack(places)
    lst = status_list.compress(packed)
    assert len(lst) < len(lst_of(zlib.compress(packed, 9)))
    assert zlib.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4))) == packed
    assert len(status_list.compress(status_list.pack(status_list.blank()))) < 300


@pytest.mark.parametrize("index", [-1, 64, 2**31])
def test_there_is_no_place_outside(index: int) -> None:
    with pytest.raises(InvalidInput, match="there is no place"):
        made(Status.IN_FORCE).status(index)
    said = status_list.status_of(made(Status.IN_FORCE), index, AT, code_at=AT)
    assert said == Said(doubt=Doubt.OUT_OF_RANGE, as_of=AT)


WHOLE = zlib.compress(bytes(16))
LSTS = {
    "not base64": "!!!!",
    "standard base64": lst_of(zlib.compress(bytes(range(256)) * 3)).replace("-", "+").replace("_", "/"),
    "padded": lst_of(WHOLE) + "=",
    "not zlib": lst_of(bytes(16)),
    "raw deflate": lst_of(WHOLE[2:-4]),
    "cut off": lst_of(WHOLE[:-1]),
    "something after the end": lst_of(WHOLE + b"\0"),
    "a second stream": lst_of(WHOLE + WHOLE),
    "a wrong checksum": lst_of(WHOLE[:-1] + bytes([WHOLE[-1] ^ 1])),
    "empty": lst_of(zlib.compress(b"")),
    "a bomb": lst_of(zlib.compress(bytes(status_list.MOST_PLACES // 4 + 1))),
    "a large bomb": lst_of(zlib.compress(bytes(50_000_000))),
    "not ASCII": "é",
}


@pytest.mark.parametrize("name", LSTS)
def test_no_other_form_of_a_list_is_read(name: str) -> None:
    with pytest.raises(InvalidInput):
        status_list.expand(LSTS[name])


def changed(**changes: object) -> bytes:
    plain = json.loads(status_list.encode(URI, status_list.blank(8), at=AT)) | changes
    bare = {key: value for key, value in plain.items() if value is not None}
    return json.dumps(bare, separators=(",", ":"), sort_keys=True).encode()


PAYLOADS = {
    "one bit": changed(status_list={"bits": 1, "lst": lst_of(WHOLE)}),
    "no bits": changed(status_list={"lst": lst_of(WHOLE)}),
    "no iat": changed(iat=None),
    "no exp": changed(exp=None),
    "no sub": changed(sub=None),
    "ends before it begins": changed(exp=int(AT.timestamp())),
    "another claim": changed(aud="anybody"),
    "a float": changed(iat=1.5),
    "a truth": changed(iat=True),
    "a key twice": changed().replace(b'{"exp"', b'{"exp":1,"exp"'),
    "blanks": changed().replace(b":", b": ", 1),
    "not JSON": b"{",
    "a list": b"[]",
}


def test_the_one_form_is_read() -> None:
    assert status_list.decode(changed()).uri == URI


@pytest.mark.parametrize("name", PAYLOADS)
def test_no_other_form_of_a_payload_is_read(name: str) -> None:
    with pytest.raises(InvalidInput):
        status_list.decode(PAYLOADS[name])


@pytest.mark.parametrize(
    "uri",
    [
        "https://confirm.example.org.evil.example/.well-known/status/7",
        "https://evil.example/.well-known/status/7",
        "http://confirm.example.org/.well-known/status/7",
        "https://confirm.example.org:8443/.well-known/status/7",
        f"{BASE}/.well-known/status/07",
        f"{BASE}/.well-known/status/0",
        f"{BASE}/.well-known/status/",
        f"{BASE}/.well-known/status/7/",
        f"{BASE}/.well-known/status/7?x=1",
        f"{BASE}/.well-known/status/x/7",
        f"{BASE}/.well-known/status/1234567890",
        f"{BASE}/.well-known/status/７",
    ],
)
def test_a_list_that_lies_elsewhere_is_not_this_services(uri: str) -> None:
    with pytest.raises(InvalidInput, match="is not a list of"):
        status_list.number_of(uri, BASE)


@given(st.integers(1, status_list.MOST_LISTS))
def test_a_list_lies_where_its_number_says(number: int) -> None:
    assert status_list.number_of(status_list.uri_of(BASE, number), BASE) == number
    assert status_list.number_of(status_list.uri_of(BASE + "/", number), BASE + "/") == number


def test_an_older_list_never_takes_the_place_of_a_newer_one() -> None:
    older, newer = made(Status.IN_FORCE), made(Status.ENDED, at=AT + SECOND)
    status_list.refuse_following(None, older)
    status_list.refuse_following(older, newer)
    status_list.refuse_following(newer, newer)
    with pytest.raises(InvalidInput, match="a later one is kept"):
        status_list.refuse_following(newer, older)


def test_two_lists_of_one_instant_that_differ_are_not_both_believed() -> None:
    with pytest.raises(InvalidInput, match="a later one is kept"):
        status_list.refuse_following(made(Status.ENDED), made(Status.IN_FORCE))


def test_a_list_neither_shrinks_nor_takes_anothers_place() -> None:
    kept = made(Status.ENDED)
    shorter = StatusList(uri=URI, at=AT + SECOND, expires=AT + LASTS, packed=kept.packed[:-1])
    other = StatusList(uri=URI[:-1] + "8", at=AT + SECOND, expires=AT + LASTS, packed=kept.packed)
    for newer in (shorter, other):
        with pytest.raises(InvalidInput):
            status_list.refuse_following(kept, newer)


AGES = {
    "now": (AT, None),
    "a day": (AT + FRESH, None),
    "more than a day": (AT + FRESH + SECOND, Doubt.TOO_OLD),
    "just before its end": (AT + LASTS - SECOND, Doubt.TOO_OLD),
    "at its end": (AT + LASTS, Doubt.EXPIRED),
    "clocks apart": (AT - TOLERANCE, None),
    "from the future": (AT - TOLERANCE - SECOND, Doubt.FUTURE),
}


@pytest.mark.parametrize("name", AGES)
def test_age_makes_everything_doubtful_but_what_ended_for_ever(name: str) -> None:
    at, doubt = AGES[name]
    found = made(*Status)
    for status in Status:
        said = status_list.status_of(found, status, at, code_at=AT - SECOND)
        assert said == Said(status=status, doubt=None if status is Status.ENDED else doubt, as_of=AT)


def test_a_list_from_before_the_code_says_nothing_of_it_whatever_its_bits() -> None:
    for status in Status:
        said = status_list.status_of(made(*Status), status, AT, code_at=AT + SECOND)
        assert said == Said(doubt=Doubt.OLDER, as_of=AT)
    assert status_list.status_of(made(*Status), 0, AT, code_at=AT).status is Status.IN_FORCE


def test_without_a_list_nothing_is_said() -> None:
    assert status_list.status_of(None, 0, AT, code_at=AT) == Said(doubt=Doubt.MISSING)


@given(st.sets(st.sampled_from(Standing), min_size=1))
def test_what_a_list_says_is_never_better_than_the_worst_line(standings: set[Standing]) -> None:
    status = status_list.of_standings(standings)
    assert (status is Status.IN_FORCE) == (standings == {Standing.ISSUED})
    if standings & {Standing.PENDING, Standing.SUSPENDED}:
        assert status is Status.NOT_NOW
    if status is Status.ENDED:
        assert standings <= {Standing.WITHDRAWN, Standing.ABANDONED}


def test_a_confirmation_that_ended_for_some_vehicles_only_has_not_ended() -> None:
    assert status_list.of_standings((Standing.ISSUED, Standing.WITHDRAWN)) is Status.REPLACED
    assert status_list.of_standings((Standing.WITHDRAWN, Standing.SUPERSEDED)) is Status.REPLACED
    assert status_list.of_standings(()) is Status.NOT_NOW

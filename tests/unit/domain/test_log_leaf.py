"""Leaves and proofs of the log: one encoding each, opened by one opening, and a tag that only its maker knows."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import cbor2
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from signer.domain import log_leaf
from signer.domain.log_leaf import Leaf, LeafType, LogProof, Opening, ProofRefused
from signer.errors import InvalidInput
from tests.unit.domain.sample import number

NUMBER, OTHER = number("7K3QF9ZC2M8RX"), number("0000000000000")
AT = datetime(2026, 11, 30, 9, 5, 41, tzinfo=UTC)
MAKER = log_leaf.maker_key(b"secret of a test".ljust(32), "91000000MA0TE00019")
TAG = log_leaf.tag(MAKER, 7)
OPENING = Opening(nonce="0a" * 32, type=LeafType.ISSUED, number=NUMBER, digest="0b" * 32, previous="0c" * 32)
LEAF = OPENING.plain.leaf(tag=TAG, at=AT)
PROOF = LogProof(
    leaf=base64.b64encode(LEAF.encode()).decode(),
    opening=OPENING,
    index=5,
    path=(base64.b64encode(bytes(32)).decode(),),
    checkpoint="log.example\n6\n",
)
openings = st.builds(
    Opening,
    nonce=st.binary(min_size=32, max_size=32).map(bytes.hex),
    type=st.sampled_from(LeafType),
    number=st.just(NUMBER),
    digest=st.binary(min_size=32, max_size=32).map(bytes.hex),
    previous=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
)
times = st.datetimes(datetime(2026, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(openings, times, st.binary(min_size=32, max_size=32))
def test_a_leaf_is_the_deterministic_cbor_of_its_fields_and_reads_back(
    opening: Opening, at: datetime, tag: bytes
) -> None:
    leaf = opening.plain.leaf(tag=tag, at=at)
    minutes = int(at.timestamp()) // 60
    assert cbor2.loads(leaf.encode()) == [1, opening.type, minutes, tag, leaf.commitment]
    assert leaf.encode() == cbor2.dumps([1, str(opening.type), minutes, tag, leaf.commitment], canonical=True)
    assert Leaf.parse(leaf.encode()) == leaf


@given(openings, st.binary(min_size=32, max_size=32))
def test_a_commitment_is_what_the_reference_says(opening: Opening, tag: bytes) -> None:
    previous = None if opening.previous is None else bytes.fromhex(opening.previous)
    fields = [str(opening.type), str(opening.number), tag, bytes.fromhex(opening.digest), previous]
    data = b"signer/leaf/1" + bytes.fromhex(opening.nonce) + cbor2.dumps(fields, canonical=True)
    assert opening.commitment(tag) == hashlib.sha256(data).digest()


@pytest.mark.parametrize(
    "change",
    [{"nonce": "0d" * 32}, {"type": LeafType.INTENT}, {"number": OTHER}, {"digest": "0d" * 32}, {"previous": None}],
)
def test_only_its_own_opening_opens_a_leaf(change: dict[str, object]) -> None:
    assert OPENING.opens(LEAF)
    assert not OPENING.model_copy(update=change).opens(LEAF)
    moved = Leaf(type=LEAF.type, at=LEAF.at, tag=log_leaf.tag(MAKER, 8), commitment=LEAF.commitment)
    assert not OPENING.opens(moved)


def _of_minute(minute: int) -> bytes:
    digest = b"\x58\x20" + bytes(32)
    return b"\x85\x01\x66issued\x1a" + minute.to_bytes(4, "big") + digest + digest


EARLY, LATE, BEYOND = map(_of_minute, (65_535, 4_223_371_680, 2**32 - 1))


def test_the_last_minute_of_all_is_one() -> None:
    last = _of_minute(4_223_371_679)
    assert (Leaf.parse(last).encode(), Leaf.parse(last).at.year) == (last, 9999)


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_leaf_is_none_or_is_opened_no_more(place: int, change: int) -> None:
    data = bytearray(LEAF.encode())
    place %= len(data)
    data[place] ^= change
    try:
        found = Leaf.parse(bytes(data))
    except InvalidInput:
        return
    assert found.encode() == bytes(data)
    assert not OPENING.opens(found) or found.at != LEAF.at


@pytest.mark.parametrize(
    "data", [b"", LEAF.encode()[:-1], LEAF.encode() + b"\0", b"\x85\x01", b"\xa0", EARLY, LATE, BEYOND]
)
def test_nothing_else_is_a_leaf(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        Leaf.parse(data)


def test_a_leaf_tells_its_minute_and_neither_second_nor_number() -> None:
    assert LEAF.at == datetime(2026, 11, 30, 9, 5, tzinfo=UTC)
    assert NUMBER.encode() not in LEAF.encode()
    assert OPENING.plain.leaf(tag=TAG, at=AT + timedelta(seconds=18)) == LEAF


def test_two_leaves_of_a_manufacturer_share_no_tag_and_another_key_finds_neither() -> None:
    other = log_leaf.maker_key(b"secret of a test".ljust(32), "91000000MA0TE00027")
    tags = {log_leaf.tag(key, running) for key in (MAKER, other) for running in range(1, 100)}
    assert len(tags) == 198


def test_a_proof_reads_back_byte_for_byte() -> None:
    data = log_leaf.encode_proof(PROOF)
    assert log_leaf.parse_proof(data) == PROOF
    assert json.loads(data)["schema"] == "signer.log-proof/1"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"schema": "signer.log-proof/2"}, "schema-unknown"),
        ({"more": 1}, "malformed"),
        ({"index": -1}, "malformed"),
        ({"index": True}, "malformed"),
        ({"leaf": "AAAB"}, "same"),
        ({"leaf": "AAA="}, "same"),
        ({"leaf": "AAB="}, "malformed"),
        ({"leaf": "AA"}, "malformed"),
        ({"path": ["A" * 43 + "="] * 54}, "malformed"),
        ({"path": ["A" * 42 + "B="]}, "malformed"),
        ({"checkpoint": None}, "malformed"),
        ({"checkpoint": "x" * 33_000}, "malformed"),
        ({"opening": {"nonce": "0a" * 32}}, "malformed"),
    ],
)
def test_what_breaks_the_schema_is_refused_by_name(change: dict[str, object], fault: str) -> None:
    data = rfc8785.dumps(json.loads(log_leaf.encode_proof(PROOF)) | change)
    if fault == "same":
        assert log_leaf.encode_proof(log_leaf.parse_proof(data)) == data
        return
    with pytest.raises(ProofRefused) as refused:
        log_leaf.parse_proof(data)
    assert refused.value.fault == fault


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"{" * 99, b'{"schema":1,"schema":1}', b"0" * 50_000])
def test_what_is_no_proof_is_refused(data: bytes) -> None:
    with pytest.raises(ProofRefused):
        log_leaf.parse_proof(data)
    spaced = json.dumps(json.loads(log_leaf.encode_proof(PROOF))).encode()
    with pytest.raises(ProofRefused, match="canonical"):
        log_leaf.parse_proof(spaced)

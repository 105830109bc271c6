"""Status lists of a million confirmations, one in a hundred ended: all of them packed, compressed and signed."""

from __future__ import annotations

import base64
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pki as pkis
from cases import Case

from signer.domain import status_list
from signer.domain.status_list import Status
from signer.domain.trust import Purpose
from signer.seal import certificates, keys, service_key
from signer.seal import status_list as signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signer.seal.service_key import ServiceKey

MILLION, ROUNDS = 1_000_000, 5
FULL = int(status_list.SIZE * 0.9)
MOST_MS = 500.0
"""What issue 10 states."""


def all_cases() -> Iterator[Case]:
    key, rows = _key(), _rows()
    tokens = _built(rows, key)
    yield Case(
        name="status_list.1m",
        ours=lambda: _median(rows, key),
        peer=lambda: MOST_MS,
        peer_name=f"the bound; ours: {len(tokens)} lists of {MILLION:,} rows, as the register gives them",
        target=1.0,
        unit="ms p50",
    )
    yield Case(
        name="status_list.1m.size",
        ours=lambda: sum(map(len, tokens)) / 1000,
        peer=lambda: len(base64.urlsafe_b64encode(bytes(status_list.SIZE // 4))) * len(tokens) / 1000,
        peer_name="the same lists without compression",
        unit="kB",
    )


def _key() -> ServiceKey:
    made = pkis.make_world(Path(tempfile.mkdtemp(prefix="bench-"))).made
    trust = pkis.trust_list_of(made)
    own = pkis.entry_of(Purpose.STATUS, made.status, "TEST status lists")
    listed = trust.model_copy(update={"entries": (*trust.entries, own)})
    usage = certificates.service_usage_fault
    key = keys.load(made.folder / "status.pem", password=made.password, at=pkis.AT, usage_fault=usage)
    return service_key.admit(key, listed, Purpose.STATUS, at=pkis.AT)


def _rows() -> list[list[tuple[int, int]]]:
    """Return the rows of each list, nine tenths full but for the newest: places at random, one in a hundred ended."""
    chance, found = random.Random(10), []
    for begun in range(0, MILLION, FULL):
        taken = chance.sample(range(status_list.SIZE), min(FULL, MILLION - begun))
        found.append([(place, int(Status.ENDED if chance.random() < 0.01 else Status.IN_FORCE)) for place in taken])
    return found


def _built(rows: list[list[tuple[int, int]]], key: ServiceKey) -> list[bytes]:
    tokens = []
    for number, of_list in enumerate(rows, start=1):
        places = status_list.blank()
        for place, status in of_list:
            places[place] = status
        uri = status_list.uri_of("https://confirm.example.org", number)
        tokens.append(signed.sign(uri, places, key, at=pkis.AT))
    return tokens


def _median(rows: list[list[tuple[int, int]]], key: ServiceKey) -> float:
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        _built(rows, key)
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)

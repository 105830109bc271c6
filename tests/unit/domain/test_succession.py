"""From one trust list to the next nothing is removed, mended or rewritten, and every refusal names entry and field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from signer.domain.confirmation import SealClass
from signer.domain.succession import differences, refuse_successor, refuse_weaker
from signer.domain.trust import Purpose, SealState, TrustEntry, TrustList
from signer.errors import InvalidInput

AT = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
DIGEST = "d" * 64
MAKER = "甲样例汽车股份有限公司"


def entry(letter: str, **changes: Any) -> TrustEntry:
    plain: dict[str, Any] = {
        "purpose": Purpose.PDF_SEAL,
        "legal_name": MAKER,
        "certificate": "AAAA",
        "certificate_digest": letter * 64,
        "naming_profile": "organization",
        "seal_class": SealClass.MAKER,
        "from_at": AT,
    }
    return TrustEntry(**{**plain, **changes})


def listed(*entries: TrustEntry, **changes: Any) -> TrustList:
    plain: dict[str, Any] = {
        "origin": "o",
        "sequence": 1,
        "issued": AT,
        "expires": AT + timedelta(days=30),
        "test": False,
        "entries": entries,
    }
    return TrustList(**{**plain, **changes})


def following(*entries: TrustEntry, **changes: Any) -> TrustList:
    return listed(*entries, **{"sequence": 2, "previous_digest": DIGEST, **changes})


OLD = listed(entry("a"), entry("b"))


def test_a_list_that_adds_and_worsens_may_follow() -> None:
    retired = entry("a", state=SealState.VERIFY_ONLY, state_since=AT, until_at=AT + timedelta(days=1))
    refuse_successor(OLD, following(retired, entry("b"), entry("c")), older_digest=DIGEST)
    refuse_successor(None, OLD, older_digest=None)


REFUSED: dict[str, tuple[TrustList, str]] = {
    "a gap": (following(*OLD.entries, sequence=3), "/sequence: is 3; after 1 comes 2"),
    "the same sequence": (following(*OLD.entries, sequence=1), "/sequence: is 1"),
    "another predecessor": (following(*OLD.entries, previous_digest="e" * 64), "/previous_digest: is eeee"),
    "no predecessor": (following(*OLD.entries, previous_digest=None), "/previous_digest: is absent"),
    "a removed entry": (following(entry("a")), r"the entry of .* \(bbbb.* was removed"),
    "another origin": (following(*OLD.entries, origin="p"), "/origin"),
    "a TEST list after one that is none": (following(*OLD.entries, test=True), "/test"),
    "an earlier date": (following(*OLD.entries, issued=AT - timedelta(days=1)), "/issued"),
    "another name": (following(entry("a", legal_name="乙"), entry("b")), "/entries/0/legal_name"),
    "another class": (following(entry("a"), entry("b", seal_class=SealClass.OFFICIAL)), "/entries/1/seal_class"),
    "an earlier beginning": (following(entry("a", from_at=AT - timedelta(1)), entry("b")), "/entries/0/from_at"),
    "another purpose": (following(entry("a", purpose=Purpose.TSA), entry("b")), "/entries/0/purpose"),
    "a state without its instant": (
        following(entry("a", state=SealState.VERIFY_ONLY), entry("b")),
        "/entries/0/state_since",
    ),
    "a revocation without reason": (
        following(entry("a", state=SealState.REVOKED, state_since=AT, revoked_at=AT), entry("b")),
        "/entries/0/revoked_at",
    ),
    "a new entry that is suspended since never": (
        following(*OLD.entries, entry("c", state=SealState.SUSPENDED)),
        "/entries/2/state_since",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_not_follow_is_refused_by_its_field(name: str) -> None:
    newer, says = REFUSED[name]
    with pytest.raises(InvalidInput, match=says):
        refuse_successor(OLD, newer, older_digest=DIGEST)


def test_the_first_list_follows_none() -> None:
    with pytest.raises(InvalidInput, match="/previous_digest"):
        refuse_successor(None, listed(previous_digest=DIGEST), older_digest=None)


ALLOWED = {
    (before, after)
    for before in SealState
    for after in SealState
    if before in (SealState.ACTIVE, SealState.SUSPENDED)
    or after is before
    or (before, after) == (SealState.VERIFY_ONLY, SealState.REVOKED)
}


@pytest.mark.parametrize("before", SealState)
@pytest.mark.parametrize("after", SealState)
def test_what_was_withdrawn_for_good_does_not_come_back(before: SealState, after: SealState) -> None:
    said = {"state_since": AT, "revoked_at": AT, "reason": "r"}
    older = listed(entry("a", state=before, **said))
    newer = following(entry("a", state=after, **said))
    if (before, after) in ALLOWED:
        refuse_weaker(older, newer)
        return
    with pytest.raises(InvalidInput, match=f"from {before} to {after}"):
        refuse_weaker(older, newer)


@pytest.mark.parametrize("name", ["until_at", "revoked_at", "compromised_from", "state_since"])
def test_an_end_may_come_sooner_and_never_later(name: str) -> None:
    ends = {"state_since": AT, "revoked_at": AT, "reason": "r", "compromised_from": AT, "until_at": AT}
    older = listed(entry("a", state=SealState.REVOKED, **ends))
    for moved, is_allowed in ((AT - timedelta(days=1), True), (AT + timedelta(seconds=1), False), (None, False)):
        newer = following(entry("a", state=SealState.REVOKED, **{**ends, name: moved}))
        if is_allowed:
            refuse_weaker(older, newer)
            continue
        with pytest.raises(InvalidInput, match=name):
            refuse_weaker(older, newer)


def test_what_changes_is_told_a_line_each() -> None:
    newer = following(
        entry("a", state=SealState.VERIFY_ONLY, state_since=AT),
        entry("b"),
        entry("c", naming_profile="pinned", naming_evidence="two saw it"),
        next_root="AAAA",
        revocation_hosts=("ocsp.example",),
    )
    assert list(differences(OLD, newer)) == [
        f"{MAKER} ({'a' * 16}): state verify-only, state_since 2026-11-22T03:00:00Z",
        f"new pdf-seal: {MAKER} ({'c' * 16}), MAKER, pinned, two saw it",
        "the next root is announced",
        "revocation is asked of: ocsp.example",
    ]
    assert list(differences(newer, newer)) == []

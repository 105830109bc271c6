"""Each certificate of a chain is named with its fault: which, what, since when. EN 319 102-1, 5.2.5 and 5.2.6."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from signer.domain.evidence import State
from signer.domain.trust import Purpose, SealState
from signer.seal import chain, existence, revocation
from signer.seal.certificates import named
from signer.seal.revocation import Evidence, links_of
from tests import chains
from tests.chains import AT, ISSUING, ROOT, YEAR

BEFORE, LATER = AT - timedelta(hours=1), AT + timedelta(hours=1)
_UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.1"), b"\x05\x00")
_NAMES = x509.NameConstraints(
    permitted_subtrees=[x509.DirectoryName(chains.name("somebody else"))], excluded_subtrees=None
)
_GENERAL, _CRYPTO = "CERTIFICATE_CHAIN_GENERAL_FAILURE", "CRYPTO_CONSTRAINTS_FAILURE"

FAULTS: dict[str, tuple[dict[str, dict[str, Any]], str, str, str]] = {
    # fault -> what is changed, which certificate is named, EN 319 102-1's word, what is said
    "own expired": ({"own": {"ends": BEFORE}}, "own", "OUT_OF_BOUNDS_NO_POE", "expired 2026-11-25T02:00:00Z"),
    "issuing expired": ({"issuing": {"ends": BEFORE}}, "issuing", "OUT_OF_BOUNDS_NO_POE", "expired 2026-11-25T02:00"),
    "root expired": ({"root": {"ends": BEFORE}}, "root", "OUT_OF_BOUNDS_NO_POE", "expired 2026-11-25T02:00:00Z"),
    "own not yet": ({"own": {"begins": LATER}}, "own", "NOT_YET_VALID", "not valid before 2026-11-25T04:00:00Z"),
    "issuing not yet": ({"issuing": {"begins": LATER}}, "issuing", _GENERAL, "not valid before 2026-11-25T04:00"),
    "root not yet": ({"root": {"begins": LATER}}, "root", _GENERAL, "not valid before 2026-11-25T04:00:00Z"),
    "own never with its issuer": (
        {"own": {"begins": LATER}, "issuing": {"ends": BEFORE}},
        "own",
        "CHAIN_CONSTRAINTS_FAILURE",
        "never valid together",
    ),
    "own by another key": ({"own": {"signed_by": "thief"}}, "own", _GENERAL, "does not verify under 'TEST issuing'"),
    "issuing by another key": (
        {"issuing": {"signed_by": "thief"}},
        "issuing",
        _GENERAL,
        "not verify under 'TEST root'",
    ),
    "own by another name": ({"own": {"issuer": "TEST other", "signed_by": ISSUING}}, "own", _GENERAL, "issuer name"),
    "issuing by another name": (
        {"issuing": {"issuer": "TEST o", "signed_by": ROOT}},
        "issuing",
        _GENERAL,
        "issuer name",
    ),
    "issuing no authority": ({"issuing": {"ca": False, "path_length": None}}, "issuing", _GENERAL, "not an authority"),
    "root no authority": ({"root": {"ca": False}}, "root", _GENERAL, "not an authority's certificate"),
    "issuing may not certify": ({"issuing": {"may_certify": False}}, "issuing", _GENERAL, "may not sign certificates"),
    "root may not certify": ({"root": {"may_certify": False}}, "root", _GENERAL, "may not sign certificates"),
    "root allows nothing below": (
        {"root": {"path_length": 0}},
        "root",
        _GENERAL,
        "allows 0 authorities below it, and 1",
    ),
    "issuing limits names": ({"issuing": {"more": ((_NAMES, True),)}}, "own", _GENERAL, "permitted namespace"),
    "root limits names": ({"root": {"more": ((_NAMES, True),)}}, "issuing", _GENERAL, "permitted namespace"),
    "own says what is not known": ({"own": {"more": ((_UNKNOWN, True),)}}, "own", _GENERAL, "critical extension"),
    "issuing says what is not known": ({"issuing": {"more": ((_UNKNOWN, True),)}}, "issuing", _GENERAL, "critical ext"),
    "issuing key weak": ({"issuing": {"key": "weak"}, "own": {"signed_by": "weak"}}, "issuing", _CRYPTO, "1024 bits"),
    "root key weak": (
        {"root": {"key": "weak", "signed_by": "weak"}, "issuing": {"signed_by": "weak"}},
        "root",
        _CRYPTO,
        "1024",
    ),
    "own by SHA-1": ({"own": {"is_by_sha1": True}}, "own", _CRYPTO, "sha1_ecdsa"),
    "issuing by SHA-1": ({"issuing": {"is_by_sha1": True}}, "issuing", _CRYPTO, "sha1_ecdsa"),
}
_PURPOSES = (Purpose.PDF_SEAL, Purpose.TSA)


@pytest.mark.parametrize("purpose", _PURPOSES)
def test_a_chain_without_fault_is_good(purpose: Purpose) -> None:
    good = chains.made(purpose)
    judged = chain.judge(good.entry, good.trust, at=AT)
    assert (judged.is_good, judged.sub_indication, judged.detail) == (True, None, "")
    assert (judged.not_before, judged.not_after) == (AT - YEAR, AT + YEAR)


@pytest.mark.parametrize("purpose", _PURPOSES)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_certificate_at_fault_is_named_with_its_fault(fault: str, purpose: Purpose) -> None:
    changes, which, word, says = FAULTS[fault]
    if purpose is Purpose.TSA and "more" in changes.get("own", {}):
        stamps = (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING]), True)
        changes = {"own": {"more": (stamps, *changes["own"]["more"])}}
    bad = chains.made(purpose, **changes)
    judged = chain.judge(bad.entry, bad.trust, at=AT)
    assert (judged.is_good, judged.sub_indication) == (False, word)
    assert named(bad.called(which)) in judged.detail
    assert says in judged.detail
    others = {"own", "issuing", "root"} - {which}
    started = [other for other in others if judged.detail.startswith(named(bad.called(other)))]
    assert not started or "never valid together" in judged.detail


def test_the_faults_are_those_of_every_link() -> None:
    assert {which for _, which, _, _ in FAULTS.values()} == {"own", "issuing", "root"}


def test_every_certificate_at_fault_is_named() -> None:
    bad = chains.made(own={"ends": BEFORE}, issuing={"ends": BEFORE - YEAR / 2}, root={"ends": BEFORE})
    judged = chain.judge(bad.entry, bad.trust, at=AT)
    assert judged.detail.count("expired") == 3
    assert all(named(one) in judged.detail for one in (bad.own, bad.issuing, bad.root))
    assert judged.is_only_time


@pytest.mark.parametrize("which", ["issuing", "root"])
def test_an_authority_that_is_not_on_the_list_is_named(which: str) -> None:
    good = chains.made()
    kept = tuple(one for one in good.trust.entries if one.certificate_digest != good.called(which).digest)
    judged = chain.judge(good.entry, good.trust.model_copy(update={"entries": kept}), at=AT)
    assert (judged.is_good, judged.sub_indication) == (False, "NO_CERTIFICATE_CHAIN_FOUND")
    assert good.called(which).digest[:16] in judged.detail
    assert named(good.own) in judged.detail


def test_what_is_kept_of_a_chain_is_neither_its_time_nor_its_list() -> None:
    """The very same entry, under one list and another, today and later: each is an answer of its own."""
    good, late = chains.made(), AT + 2 * YEAR
    shorter = good.trust.model_copy(update={"entries": tuple(e for e in good.trust.entries if e is good.entry)})
    asked = ((good.trust, AT), (shorter, AT), (good.trust, late), (good.trust, AT), (shorter, late))
    found = [chain.judge(good.entry, trust, at=at).sub_indication for trust, at in asked]
    assert found == [None, "NO_CERTIFICATE_CHAIN_FOUND", "OUT_OF_BOUNDS_NO_POE", None, "NO_CERTIFICATE_CHAIN_FOUND"]
    counted = [len(links_of(good.entry, trust)) for trust in (good.trust, shorter, good.trust)]
    assert counted == [2, 0, 2]


def test_a_seal_that_is_not_pinned_needs_a_chain() -> None:
    good = chains.made()
    judged = chain.judge(good.entry.model_copy(update={"chain": ()}), good.trust, at=AT)
    assert (judged.is_good, judged.sub_indication) == (False, "NO_CERTIFICATE_CHAIN_FOUND")
    assert "names no chain" in judged.detail
    pinned = good.entry.model_copy(update={"chain": (), "naming_profile": "pinned"})
    assert chain.judge(pinned, good.trust, at=AT).is_good


# Revocation of each link (5.2.5): who, when, why; and what is not known of whom


def _answers(of: chains.Chain, **about: dict[str, Any]) -> Evidence:
    """Return an answer about each link; `own` and `issuing` say what differs, None that there is none."""
    told = []
    for which, by, signer in (("own", of.issuing, ISSUING), ("issuing", of.root, ROOT)):
        said = about.get(which, {})
        if said is not None:
            told.append(chains.answer(of.called(which), by, signer, **said))
    return Evidence(ocsps=tuple(told))


_KEY = x509.ReasonFlags.key_compromise
REVOKED = {
    "own": ({"own": {"revoked_at": BEFORE, "reason": _KEY}}, "REVOKED", "REVOKED_NO_POE"),
    "issuing": ({"issuing": {"revoked_at": BEFORE, "reason": _KEY}}, "REVOKED_CA_NO_POE", "REVOKED_CA_NO_POE"),
}


@pytest.mark.parametrize("purpose", _PURPOSES)
@pytest.mark.parametrize("which", REVOKED)
def test_a_revoked_link_is_named_with_time_and_reason(which: str, purpose: Purpose) -> None:
    about, inside_word, later_word = REVOKED[which]
    good = chains.made(purpose)
    links, told = links_of(good.entry, good.trust), _answers(good, **about)
    known = revocation.judge(links, told, at=AT, inside=told)
    since = revocation.judge(links, Evidence(), at=AT, inside=Evidence(), later=told)
    assert (known.state, known.sub_indication) == (State.FAILED, inside_word)
    assert (since.state, since.sub_indication) == (State.FAILED, later_word)
    words = f"{named(good.called(which))} was revoked at 2026-11-25T02:00:00Z (keyCompromise)"
    assert words == known.detail == since.detail


def test_what_is_kept_of_evidence_is_of_one_link_and_of_all_that_was_said_of_it() -> None:
    made = chains.made()
    own, issuing = links_of(made.entry, made.trust)
    good, ended = (_answers(made, issuing=None, own=said).ocsps for said in ({}, {"revoked_at": BEFORE}))
    asked = ((own, good), (issuing, good), (own, ()), (own, good + ended), (own, good), (own, ended))
    found = [
        revocation.judge([link], evidence, at=AT, inside=evidence).state
        for link, evidence in ((link, Evidence(ocsps=said)) for link, said in asked)
    ]
    passed, failed, unknown = State.PASSED, State.FAILED, State.UNDETERMINED
    assert found == [passed, unknown, unknown, failed, passed, failed]
    late = revocation.judge([own], Evidence(ocsps=good), at=AT + YEAR, inside=Evidence())
    assert late.state is unknown, "the answers are kept, what they are worth at a time is not"


def test_a_revocation_dated_after_the_answer_that_tells_it_proves_no_order() -> None:
    good = chains.made()
    told = _answers(good, own={"revoked_at": AT, "this": BEFORE})
    said = revocation.judge(links_of(good.entry, good.trust), told, at=AT, inside=told)
    assert said.sub_indication == "REVOKED_NO_POE"


def test_a_revocation_that_was_added_later_harms_only_what_is_not_proven_older() -> None:
    good = chains.made()
    now = _answers(good)
    later = _answers(good, own={"revoked_at": AT + timedelta(seconds=1), "this": LATER})
    links = links_of(good.entry, good.trust)
    assert revocation.judge(links, now, at=AT, inside=now, later=later).state is State.PASSED
    said = revocation.judge(links, now, at=AT + timedelta(seconds=1), inside=now, later=later)
    assert (said.state, said.sub_indication) == (State.FAILED, "REVOKED_NO_POE")


OPEN: dict[str, tuple[dict[str, Any], str, str]] = {
    "no answer about the seal": ({"own": None}, "own", "no answer about"),
    "no answer about its issuer": ({"issuing": None}, "issuing", "no answer about"),
    "a responder that does not know": ({"own": {"status": ocsp.OCSPCertStatus.UNKNOWN}}, "own", "does not know this"),
    "an issuer that is not known": ({"issuing": {"status": ocsp.OCSPCertStatus.UNKNOWN}}, "issuing", "does not know"),
    "an answer out of date": ({"own": {"this": AT - timedelta(days=3)}}, "own", "until 2026-11-23T03:00:00Z"),
    "an issuer's out of date": ({"issuing": {"this": AT - timedelta(days=3)}}, "issuing", "until 2026-11-23T03:00:00Z"),
}


@pytest.mark.parametrize("purpose", _PURPOSES)
@pytest.mark.parametrize("name", OPEN)
def test_what_is_not_known_of_a_link_is_told_of_that_link(name: str, purpose: Purpose) -> None:
    about, which, says = OPEN[name]
    good = chains.made(purpose)
    told = _answers(good, **about)
    said = revocation.judge(links_of(good.entry, good.trust), told, at=AT, inside=told)
    assert (said.state, said.sub_indication) == (State.UNDETERMINED, "TRY_LATER")
    assert named(good.called(which)) in said.detail
    assert says in said.detail


# The timestamp's authority (5.4, 5.6.2): what is wrong with it is told by its name


def _proof(of: chains.Chain, at: Any = AT, *, now: Any = LATER, **entry: Any) -> existence.Proof:
    stamp = existence.Stamp(entry=of.entry.model_copy(update=entry), at=at, layer=0)
    (proof,) = existence.prove((stamp,), (_answers(of),), trust=of.trust, at=now)
    return proof


def test_a_good_authority_proves() -> None:
    assert _proof(chains.made(Purpose.TSA)).is_by_itself


@pytest.mark.parametrize(
    ("entry", "at", "word", "says"),
    [
        ({"state": SealState.SUSPENDED, "state_since": BEFORE}, AT, "CHAIN_CONSTRAINTS_FAILURE", "is suspended on the"),
        ({"state": SealState.REVOKED}, AT, "CHAIN_CONSTRAINTS_FAILURE", "is revoked on the trust list"),
        ({"until_at": BEFORE}, AT, "CHAIN_CONSTRAINTS_FAILURE", "was not entitled at 2026-11-25T03:00:00Z"),
        ({}, LATER + YEAR / 2, "TIMESTAMP_ORDER_FAILURE", "lies ahead of our clock"),
        ({"from_at": AT - 2 * YEAR}, AT - YEAR - timedelta(days=1), "NOT_YET_VALID", "is valid from 2025-11-25"),
    ],
)
def test_an_authority_that_does_not_count_is_named(entry: dict[str, Any], at: Any, word: str, says: str) -> None:
    good = chains.made(Purpose.TSA)
    proof = _proof(good, at, **entry)
    assert proof.sub_indication == word
    assert says in proof.fault
    assert named(good.own) in proof.fault or word == "TIMESTAMP_ORDER_FAILURE"


def test_a_timestamp_younger_than_the_one_after_it_says_so() -> None:
    good = chains.made(Purpose.TSA)
    stamps = tuple(existence.Stamp(entry=good.entry, at=at, layer=n) for n, at in enumerate((LATER, AT)))
    first, second = existence.prove(stamps, (Evidence(), Evidence()), trust=good.trust, at=LATER)
    assert second.is_by_itself
    assert (first.sub_indication, "the later timestamp of 2026-11-25T03:00:00Z" in first.fault) == (
        "TIMESTAMP_ORDER_FAILURE",
        True,
    )

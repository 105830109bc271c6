"""
What is fuzzed, and what must hold of every input.

* `guards`: what is asked before any parser never raises.
* `files`: the judge never raises, and nothing but the very bytes that were sealed (or archived) can be green.
* `values`: what reads CMS, tokens, OCSP answers, CRLs and certificates raises only what it says it raises; a sealed
  file with another value is never green.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.evidence import Form, SealFacts, State
from signer.errors import InvalidInput, TimestampUnavailable
from signer.seal import certificates, cms, der, precheck, revocation, syntax, timestamp, token
from signer.seal.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from ground import Ground

KINDS = ("seal", "token", "ocsp", "crl", "certificate", "syntax", "answer", "read")
_REFUSALS = (
    cms.CmsRefused,
    der.NotDer,
    syntax.SyntaxRefused,
    token.TokenRefused,
    revocation.AnswerRefused,
    InvalidInput,
    TimestampUnavailable,
)
_NOTICES = ("timestamp", "revocation", "archive")
"""What may be open in a file that is green: a notice tells of it."""


class Found(AssertionError):
    """Something does not hold."""


def is_greenable(facts: SealFacts) -> bool:
    """Tell whether a register that holds this record would make these facts green."""
    states = {found.state for found in facts.findings if found.id not in _NOTICES}
    return facts.form is Form.SEALED and states == {State.PASSED}


def guards(ground: Ground, data: bytes) -> None:
    precheck.refusal(data)
    precheck.has_clean_end(data)
    precheck.number_in(data)
    precheck.claims_ours(data, [entry.der for entry in ground.world.trust.entries])


def files(ground: Ground, data: bytes) -> None:
    file = ground.file(data)
    facts = validate(file, ground.world.trust, ground.at)
    if is_greenable(facts) and file not in (ground.sealed, ground.archived):
        raise Found("green, and nobody sealed it")
    SealFacts.model_validate_json(facts.model_dump_json(exclude_none=True))


def values(ground: Ground, data: bytes) -> None:
    kind, value = KINDS[data[0] % len(KINDS)] if data else "read", data[1:]
    try:
        _READERS[kind](ground, value)
    except _REFUSALS:
        return


def _seal(ground: Ground, value: bytes) -> None:
    file = ground.with_value(value)
    facts = validate(file, ground.world.trust, ground.at)
    if is_greenable(facts) and file != ground.sealed:
        raise Found("green under another value")
    cms.read(value, content_type=cms.DATA)


def _token(ground: Ground, value: bytes) -> None:
    signature = cms.read(ground.value, content_type=cms.DATA).signature
    if not token.is_by_another(value, authorities=[ground.world.made.tsa]):
        found = token.check(value, imprint_of=signature, authorities=[ground.world.made.tsa])
        listed = {entry.der for entry in ground.world.trust.entries}
        if value != ground.token and listed.issuperset(found.embedded):
            raise Found("a token that nobody gave")
    token.check_foreign(value, imprint_of=signature)


def _ocsp(ground: Ground, value: bytes) -> None:
    revocation.read(value, ground.link, kind="ocsp")


def _crl(ground: Ground, value: bytes) -> None:
    revocation.read(value, ground.link, kind="crl")


def _certificate(_ground: Ground, value: bytes) -> None:
    read = certificates.load(value)
    _ = read.subject, read.is_test, read.key_bits, read.key_digest, read.is_self_issued


def _syntax(_ground: Ground, value: bytes) -> None:
    read, _ = syntax.read(value)
    again, _ = syntax.read(syntax.write(read))
    if not syntax.is_same(read, again):
        raise Found("what is written is not what was read")
    syntax.read_object(value, 0)


def _answer(_ground: Ground, value: bytes) -> None:
    timestamp._token_of(value, name="nobody")


def _read(_ground: Ground, value: bytes) -> None:
    whole = der.read(value).whole
    der.children(der.only(whole, der.SEQUENCE).body)


_READERS: dict[str, Callable[[Ground, bytes], None]] = {
    "seal": _seal,
    "token": _token,
    "ocsp": _ocsp,
    "crl": _crl,
    "certificate": _certificate,
    "syntax": _syntax,
    "answer": _answer,
    "read": _read,
}
TARGETS: dict[str, Callable[[Ground, bytes], None]] = {"guards": guards, "files": files, "values": values}


def seeds(ground: Ground, name: str) -> list[bytes]:
    """Return the corpus that a target begins with."""
    if name == "values":
        known = [bytes((KINDS.index(kind),)) + value for kind, value in ground.values()]
        return [*known, bytes((KINDS.index("syntax"),)) + next(iter(ground.objects.values()))]
    recipes = list(ground.recipes())
    return recipes if name == "files" else list(dict.fromkeys(map(ground.file, recipes)))

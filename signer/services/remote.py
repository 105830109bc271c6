"""Another deployment's API, asked as one of its machines: keep a draft and send it for approval, follow it, verify."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from signer.domain.number import Number
from signer.domain.verdict import EXITS, Code, Colour, Verdict
from signer.errors import Finding, InvalidInput, RuleViolation, SignerError, Unavailable
from signer.outbound import NotReached
from signer.verification import wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signer.domain.evidence import Asked
    from signer.domain.json_text import Json
    from signer.outbound import Answer, Client
    from signer.verification.wording import Language

_JSON: Final = "application/json"
_PDF: Final = "application/pdf"
_MOST_FILE: Final = 60_000_000
_STRANGE: Final = "the answer is none of signer's"
_TOLD_BY_CHECKS: Final = frozenset(
    {Code.WITHDRAWN, Code.SUPERSEDED, Code.PARTLY_SUPERSEDED, Code.NOT_COVERED, Code.VALID_WITH_NOTICE}
)
"""Their sentences name days, notices or values that stand in the checks alone."""
_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class RemoteRefused(SignerError):
    """Another deployment refused what was asked; its own code stands first."""

    code = "remote-refused"


class _Told(BaseModel):
    """What is read of an answer; what else it holds is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Fault(_Told):
    pointer: str = ""
    code: str = ""
    message: str = ""


class _Problem(_Told):
    type: str
    title: str = ""
    detail: str = ""
    errors: tuple[_Fault, ...] = ()


class _Finding(_Told):
    rule: str
    severity: Annotated[str, Field(pattern="^(violation|warning|notice)$")]
    pointer: str
    message: str
    source: str


class Waiting(_Told):
    """A draft that was sent for approval, as it stands: `number` once it is issued, `error` where sealing failed."""

    ref: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    state: str
    needed_by: str
    terms_digest: str
    number: Number | None = None
    reason: str | None = None
    error: str | None = None
    findings: tuple[_Finding, ...] = ()

    @property
    def told(self) -> tuple[Finding, ...]:
        """What the rules say of it, in the language that was asked for."""
        return tuple(
            Finding(
                rule=one.rule,
                severity="warning" if one.severity == "warning" else "notice",
                pointer=one.pointer,
                zh=one.message,
                en=one.message,
                source=one.source,
            )
            for one in self.findings
        )


class _Check(_Told):
    state: str
    text: str


class Judged(_Told):
    """A verdict: `plain` is the whole answer."""

    code: Code
    test: bool
    number: Number | None
    checks: tuple[_Check, ...]
    plain: dict[str, object]

    def exit_code(self, *, allow_test: bool) -> int:
        """Return the exit code of the command line, as for a verdict of one's own."""
        code = EXITS[self.code.colour]
        return EXITS[Colour.GREY] if code == 0 and self.test and not allow_test else code

    def sentence(self, language: Language) -> str:
        """Return what it says, whole; nothing where its checks' texts do, or where it tells more than we know of."""
        if self.code in _TOLD_BY_CHECKS:
            return ""
        kept = {name: self.plain[name] for name in Verdict.model_fields if name in self.plain}
        try:
            verdict = Verdict.model_validate_json(json.dumps({**kept, "coverage": {}, "checks": []}))
        except ValidationError:
            return ""
        return wording.sentence(verdict, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """One deployment, by its address; `token` speaks for whoever asks, none is needed to verify."""

    client: Client
    url: str
    token: str
    language: Language

    def __post_init__(self) -> None:
        """Refuse an address over which a token would be read by others. InvalidInput."""
        parts = urlsplit(self.url)
        if self.token and parts.scheme != "https" and parts.hostname not in _HERE:
            raise InvalidInput("--remote", "a token goes by https only, or to this computer")

    def submit(self, draft: Json, *, title: str, key: str) -> Waiting:
        """Keep a draft and send it for approval, both or neither; asked again with one key, it is done once."""
        body = json.dumps({"title": title, "draft": draft}, ensure_ascii=False).encode()
        headers = {"Content-Type": _JSON, "Idempotency-Key": key}
        return _waiting(self._post("/confirmations", body, headers))

    def follow(self, ref: str) -> Waiting:
        """Return how what was sent for approval stands by now."""
        return _waiting(self._get(f"/approvals/{ref}", _JSON))

    def file(self, number: Number) -> bytes:
        """Return an issued confirmation's PDF."""
        return self._get(f"/confirmations/{number}/file", _PDF).body

    def verify(self, data: bytes, asked: Asked) -> Judged:
        """Return the verdict on a file."""
        told = [("lang", self.language), *(("vin", vin) for vin in asked.vins)]
        told += [("destination", asked.destination)] if asked.destination else []
        told += [("exporter", asked.exporter)] if asked.exporter else []
        told += [("applied_on", asked.applied_on.isoformat())] if asked.applied_on else []
        answer = self._post(f"/verify?{urlencode(told)}", data, {"Content-Type": _PDF})
        try:
            plain = json.loads(answer.body)
            return Judged.model_validate({**plain, "plain": plain})
        except (ValueError, TypeError) as error:
            raise Unavailable(_STRANGE) from error

    def _get(self, path: str, accept: str) -> Answer:
        try:
            answer = self.client.get(self._at(path), accept=accept, headers=self._headers(), most=_MOST_FILE)
        except NotReached as error:
            raise Unavailable(f"{self.url}: {error}") from error
        return _kept(answer)

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            answer = self.client.post(self._at(path), body, headers={**self._headers(), **headers}, most=_MOST_FILE)
        except NotReached as error:
            raise Unavailable(f"{self.url}: {error}") from error
        return _kept(answer)

    def _at(self, path: str) -> str:
        return f"{self.url.rstrip('/')}/api/v1{path}"

    def _headers(self) -> dict[str, str]:
        spoken: dict[str, str] = {"Accept-Language": self.language}
        return {**spoken, "Authorization": f"Bearer {self.token}"} if self.token else spoken


def _kept(answer: Answer) -> Answer:
    """Return an answer that tells what was asked for. RuleViolation, Unavailable, RemoteRefused."""
    if answer.status in (200, 201):
        return answer
    try:
        problem = _Problem.model_validate_json(answer.body)
    except ValidationError as error:
        raise Unavailable(f"the answer is {answer.status}, and none of signer's") from error
    code = problem.type.rpartition("/")[2]
    if code == "rule-violation":
        raise RuleViolation(tuple(map(_violation, problem.errors)))
    faults = "".join(f"; {one.pointer or '/'}: {one.message} [{one.code}]" for one in problem.errors)
    words = f"{code}: {problem.detail or problem.title}{faults}"
    raise Unavailable(words) if answer.status in (429, 503) else RemoteRefused(words)


def _violation(fault: _Fault) -> Finding:
    return Finding(
        rule=fault.code, severity="violation", pointer=fault.pointer, zh=fault.message, en=fault.message, source=""
    )


def _waiting(answer: Answer) -> Waiting:
    try:
        return Waiting.model_validate_json(answer.body)
    except ValidationError as error:
        raise Unavailable(_STRANGE) from error

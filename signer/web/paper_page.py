"""
`/v`: the page that verifies the signed code on paper in the reader's browser, and what it may do there.

One file with everything in it: it asks nobody, and does the same when it was saved and is opened without a network.
How it judges: docs/reference/paper-page.md; why it is so: ADR 0048.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from signer.domain.parties import country_name
from signer.domain.trust import Purpose
from signer.domain.values import format_instant
from signer.domain.verdict import Code
from signer.seal.certificates import Certificate
from signer.verification import wording
from signer.web import headers
from signer.web.languages import NAMES, TAGS, TONGUES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from signer.domain.trust import TrustEntry, TrustList
    from signer.services.trust import TrustSource
    from signer.web.languages import Phrases, Tongue

PATH: Final = "/v"
LASTS: Final = timedelta(hours=1)
"""How long a browser may keep the page without asking again: so long may it believe a key revoked meanwhile."""
SHARED: Final = (
    *("outcome.fail", "outcome.review", "content.number", "content.maker", "content.exporter", "content.destination"),
    *("content.until", "content.no-until", "not-proven.title", "not-proven.licence", "not-proven.car"),
    *("not-proven.outlets", "site.language", "site.name", "test.panel", "verdict.details", "verdict.print"),
)
"""What the page says in the words of the others; the rest begins with `v.`."""
CODES: Final = (Code.CODE_INVALID, Code.UNKNOWN_SEAL, Code.INDETERMINATE, Code.PAST_END, Code.PAPER_GENUINE)
"""What the page may answer."""
_PRINTED: Final = ("HK", "MO", "TW")
"""Destinations whose printed names are not those that browsers know."""
_KID_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class PaperPage:
    """The page as it is served or saved, and what it may do: nothing but run its own script."""

    html: bytes
    policy: str

    @property
    def digest(self) -> str:
        """SHA-256 of the page, in hex: by it a saved one is told from a changed one."""
        return hashlib.sha256(self.html).hexdigest()


class Drawing:
    """Draws the page over a trust list, always in all languages: which one is read is for the browser to say."""

    def __init__(self, folder: Path, *, phrases: Mapping[Tongue, Phrases], base_url: str) -> None:
        self._base = base_url.rstrip("/")
        self._phrases = phrases
        self._script, self._style = (_lean(folder / "paper" / name) for name in ("page.js", "page.css"))
        self._template = Environment(
            loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        ).get_template("paper/page.html")

        self._kept: tuple[TrustList, PaperPage] | None = None

    def draw(self, trust: TrustList) -> PaperPage:
        """Return the page with the paper keys of a list: the same bytes for the same list, drawn once in its time."""
        if self._kept is None or self._kept[0] is not trust:
            self._kept = (trust, self._draw(trust))
        return self._kept[1]

    def _draw(self, trust: TrustList) -> PaperPage:
        policy = (
            f"default-src 'none'; script-src {_named(self._script)}; style-src {_named(self._style)}; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        )
        html = self._template.render(
            t=self._phrases["zh"],
            tongues=[
                {"tag": TAGS[tongue], "direction": self._phrases[tongue].direction, "t": self._phrases[tongue]}
                for tongue in TONGUES
            ],
            base=self._base,
            policy=policy,
            style=Markup(self._style),  # noqa: S704 (a file of ours)
            script=Markup(self._script),  # noqa: S704 (a file of ours)
            list=_embedded(self._told(trust)),
            words=_embedded({tongue: self._said(tongue) for tongue in TONGUES}),
        )
        return PaperPage(html.encode(), policy)

    def _told(self, trust: TrustList) -> dict[str, object]:
        return {
            "origin": trust.origin,
            "sequence": trust.sequence,
            "issued": format_instant(trust.issued),
            "expires": format_instant(trust.expires),
            "test": trust.test,
            "base": self._base,
            "keys": [_key(entry) for entry in trust.of(Purpose.PAPER)],
        }

    def _said(self, tongue: Tongue) -> dict[str, object]:
        phrases = self._phrases[tongue]
        texts: dict[str, object] = {key: phrases(key) for key in SHARED}
        return {
            **texts,
            **phrases.beginning("v."),
            "codes": {code.value: wording.banner(code, phrases.speech) for code in CODES},
            "printed": {code: country_name(code, tongue) for code in _PRINTED},
            "name": NAMES[tongue],
            "tag": TAGS[tongue],
            "dir": phrases.direction,
        }


def _key(entry: TrustEntry) -> dict[str, str | None]:
    """Return what the page must know of a key; since when it is in its state: always, if none is told."""
    spki = Certificate(entry.der).key_info
    since = entry.revoked_at or entry.state_since or entry.from_at
    return {
        "kid": hashlib.sha256(spki).hexdigest()[:_KID_DIGITS],
        "spki": base64.b64encode(spki).decode("ascii"),
        "uscc": entry.uscc,
        "name": entry.legal_name,
        "from": format_instant(entry.from_at),
        "until": format_instant(entry.until_at) if entry.until_at else None,
        "state": entry.state.value,
        "since": format_instant(since),
    }


def _embedded(value: object) -> Markup:
    """Return JSON that may stand in an element of script: no `<` can end it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 (no tag can begin in it)


def _lean(path: Path) -> str:
    """Return a script or style without what only its readers need: indents, and lines of comment."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _named(text: str) -> str:
    """Return how a policy names an inline script or style. Source: CSP level 3, 2.3.1."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def blueprint(drawing: Drawing, trust: TrustSource, *, clock: Callable[[], datetime]) -> Blueprint:
    """Return the page's route."""
    made = Blueprint("paper_page", __name__)

    @made.get(PATH)
    def page() -> Response:
        """Hand out the page; what stands behind `#` in its address never arrives here."""
        at = clock()
        current = trust.current(at)
        drawn = drawing.draw(current)
        response = Response(drawn.html, mimetype="text/html")
        response.headers["Content-Security-Policy"] = f"{drawn.policy}; frame-ancestors 'none'"
        response.set_etag(drawn.digest[:32])
        headers.may_keep(min(LASTS, current.expires - at))
        response.make_conditional(request)
        return response

    return made

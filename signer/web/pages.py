"""The pages, drawn: each from one template, with the same frame, in the reader's language."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import render_template, request
from jinja2 import StrictUndefined
from markupsafe import Markup, escape

from signer.domain.parties import ALPHA3, country_name
from signer.seal.precheck import MOST_BYTES
from signer.verification import wording
from signer.web import intake, languages, problems, sheets, telling, view
from signer.web.portal import cookies
from signer.web.problem_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import TypeAlias

    from flask import Flask

    from signer.domain.evidence import Asked
    from signer.domain.verdict import Verdict
    from signer.services.licence import Answer
    from signer.services.receipts import Receipt
    from signer.settings import Settings
    from signer.verification.wording import Speech
    from signer.web.asking import Form
    from signer.web.intake import Upload
    from signer.web.languages import Tongue
    from signer.web.problems import Fault, Problem

    AsOf: TypeAlias = Callable[[], tuple[tuple[str, datetime], ...]]

_PLACES = frozenset({"files", "destination", "exporter", "applied_on"})
_FORMS = ("/verify", "/car")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """The same page in another language."""

    tag: str
    name: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every page has around it."""

    language: Tongue
    tag: str
    direction: str
    name: str
    is_test: bool
    host: str
    others: tuple[Other, ...]
    path: str
    offline: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """
    The same pages behind a sign-in: where their forms lead, and what the frame around them shows (`values`).

    `reference` is the asker's own, of a case file; `kept` the reference of the check in the history.
    """

    action: str
    values: Mapping[str, object]
    reference: str = ""
    kept: str = ""


class Pages:
    """Draws pages for one application."""

    def __init__(
        self,
        app: Flask,
        *,
        phrases: dict[Tongue, languages.Phrases],
        settings: Settings,
        as_of: AsOf | None = None,
    ) -> None:
        self._phrases = phrases
        self._as_of = as_of
        self._is_test = settings.mode == "test"
        self._host = settings.base_url.partition("://")[2].rstrip("/")
        app.jinja_env.undefined = StrictUndefined
        app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
        app.jinja_env.filters.update(
            groups=groups,
            whole_dates=whole_dates,
            beijing=wording.beijing,
            marked=marked,
            problem_title=lambda code: problems.describe(code, self._t().speech)[0],
        )
        app.jinja_env.globals["static"] = _static_addresses(Path(app.static_folder or ""))

    def form(
        self, filled: Form, faults: tuple[Fault, ...] = (), *, had_files: bool = False, inside: Inside | None = None
    ) -> str:
        """Draw the form, with what was typed and what is wrong with it."""
        t = self._t()
        told = [(fault.pointer if fault.pointer in _PLACES else "box", fault.text(t.speech)) for fault in faults]
        wrong = {place: [text for at, text in told if at == place] for place, _ in told}
        return self._draw(
            "form.html",
            **(_around(inside) | {"faults": told, "wrong": wrong}),
            form=filled,
            had_files=had_files,
            countries=countries(t.language),
            most_bytes=MOST_BYTES,
            most_files=intake.MOST_FILES,
        )

    def verdict(
        self,
        verdict: Verdict,
        *,
        asked: Asked,
        filled: Form,
        upload: Upload | None = None,
        receipt: Receipt | None = None,
        inside: Inside | None = None,
    ) -> str:
        """Draw a verdict."""
        shown = view.of(verdict, self._t(), asked=asked, upload=upload, receipt=receipt)
        return self._draw("verdict.html", **_around(inside), view=shown, form=filled)

    def licence(
        self, answer: Answer, filled: Form, *, receipt: Receipt | None = None, inside: Inside | None = None
    ) -> str:
        """Draw the table of a licence."""
        t = self._t()
        return self._draw(
            "licence.html",
            **_around(inside),
            answer=answer,
            country=t.country(answer.question.destination),
            form=filled,
            colour=view.outcome_colour(answer.outcome),
            line=telling.licence_line(answer, t.speech, receipt=receipt),
            receipt=view.receipt_of(receipt),
            checked=t.instant(answer.checked_at),
            csv_href=view.csv_href(sheets.licence_csv(answer, t.speech)),
            csv_name=sheets.NAME,
            verdict_title=view.title,
            window_words=view.window_words,
        )

    def without_us(self) -> str:
        """Draw the page on verifying without this service."""
        return self._draw("without_us.html")

    def problem(self, problem: Problem, again_s: int | None) -> str:
        """Draw an error; `again_s`: in how many seconds it may be gone."""
        is_portal = request.path.startswith(("/portal", "/account"))
        return self._draw("problem.html", problem=problem, again_s=again_s, is_portal=is_portal)

    def problem_kind(self, code: str) -> str:
        """Draw the page that explains a kind of problem."""
        title, detail = problems.describe(code, self._t().speech)
        return self._draw("problem_kind.html", code=code, status=KINDS[code].status, title=title, detail=detail)

    def phrases(self, language: Tongue) -> languages.Phrases:
        """Return the fixed texts in a language."""
        return self._phrases[language]

    def speech(self) -> Speech:
        """Return what this request's page is told in."""
        return self._t().speech

    def _t(self) -> languages.Phrases:
        return self._phrases[languages.chosen() if cookies.speaks_two(request.path) else languages.spoken()]

    def _draw(self, template: str, **values: object) -> str:
        return self.draw(template, **values)

    def draw(self, template: str, **values: object) -> str:
        """Draw a page of a template, in the request's language, with the frame that every page has."""
        t = self._t()
        is_behind, speaks_two = cookies.is_place(request.path), cookies.speaks_two(request.path)
        path = request.path if request.method == "GET" or is_behind or request.path in _FORMS else "/verify"
        frame = Frame(
            language=t.language,
            tag=languages.TAGS[t.language],
            direction=t.direction,
            name=languages.NAMES[t.language],
            is_test=self._is_test,
            host=self._host,
            others=_others(t.language, path, languages.LANGUAGES if speaks_two else languages.TONGUES),
            path=path,
            offline=tuple((origin, t.instant(at)) for origin, at in self._as_of()) if self._as_of else (),
        )
        return render_template(template, t=t, frame=frame, **values)


def _around(inside: Inside | None) -> dict[str, object]:
    return {"inside": inside, **(inside.values if inside else {})}


def groups(vin: str) -> tuple[str, ...]:
    """Return a VIN in groups of 3, 6 and 8, as people read it aloud; anything else whole."""
    return (vin[:3], vin[3:9], vin[9:]) if len(vin) == 17 else (vin,)


def whole_dates(text: str) -> Markup:
    """Return text in which no date is broken over two lines."""
    return Markup("").join(  # each piece is escaped or a date
        Markup('<span class="date">{}</span>').format(piece) if _DATE.fullmatch(piece) else escape(piece)
        for piece in _DATE.split(text)
    )


def marked(text: str) -> Markup:
    """Return text in which what stands between backticks is code."""
    return Markup("").join(  # each piece is escaped
        Markup('<code class="breaks" dir="ltr" translate="no">{}</code>').format(piece) if place % 2 else escape(piece)
        for place, piece in enumerate(text.split("`"))
    )


def _others(mine: Tongue, path: str, all_: tuple[Tongue, ...]) -> tuple[Other, ...]:
    """Return where the same page is in other languages: with what else was asked for in its address."""
    kept = [pair for pair in request.args.items(multi=True) if pair[0] != "lang"] if path == request.path else []
    return tuple(
        Other(
            tag=languages.TAGS[tongue],
            name=languages.NAMES[tongue],
            href=f"{path}?{urlencode([*kept, ('lang', tongue)])}",
        )
        for tongue in all_
        if tongue != mine
    )


@cache
def countries(language: Tongue) -> tuple[tuple[str, str], ...]:
    """Return code and name of every destination, by name; for typing ahead."""
    return tuple(sorted(((code, country_name(code, language)) for code in ALPHA3), key=lambda pair: pair[1]))


def _static_addresses(folder: Path) -> dict[str, str]:
    """Return the address of every static file, which changes with its content."""
    return {
        path.name: f"/static/{path.name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
        for path in sorted(folder.iterdir())
        if path.is_file()
    }

"""The public pages: verify, how to verify without us, what a problem means. No account, no cookie, no state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, request

from signer.errors import InvalidInput
from signer.web import answers, intake, proxies
from signer.web.asking import Form, understand
from signer.web.problem_kinds import KINDS
from signer.web.problems import Fault, Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from werkzeug.datastructures import MultiDict
    from werkzeug.wrappers import Response

    from signer.services.answering import Answering
    from signer.web.pages import Pages

_MOST_BODY = intake.MOST_TOTAL + intake.OVERHEAD


def blueprint(services: Answering, pages: Pages, *, clock: Callable[[], datetime]) -> Blueprint:
    """Return the public pages."""
    public = Blueprint("public", __name__)

    @public.get("/")
    def home() -> Response:
        """Lead to the one page that needs no account."""
        return redirect("/verify", code=302)

    @public.get("/verify")
    def form() -> str:
        """Show the empty form, or one with a number from a printed code."""
        return pages.form(Form(box=request.args.get("number", "")[:40]))

    @public.post("/verify")
    def verify() -> tuple[str, int] | str:
        """Answer a filled-in form with a verdict, a table, or the form with what is wrong."""
        return _verified(services, pages, at=clock())

    @public.get("/verify/without-us")
    def without_us() -> str:
        """Tell how to verify a file without this service."""
        return pages.without_us()

    @public.get("/problems/<code>")
    def problem(code: str) -> str:
        """Explain a kind of problem."""
        if code not in KINDS:
            abort(404)
        return pages.problem_kind(code)

    return public


def _verified(services: Answering, pages: Pages, *, at: datetime) -> tuple[str, int] | str:
    values, uploads = _read_form()
    filled = form_of(values)
    if values.get("step") == "edit":
        return pages.form(filled)
    try:
        wanted = understand(filled, uploads, at=at)
        answered = answers.answer(services, wanted, network=proxies.network(services.settings))
        return answers.drawn(pages, answered, filled)
    except Refused as error:
        return pages.form(filled, error.faults, had_files=bool(uploads)), 422
    except InvalidInput as error:
        fault = Fault(pointer="box", code=error.code, zh=error.reason, en=error.reason)
        return pages.form(filled, (fault,), had_files=bool(uploads)), 422


def _read_form() -> tuple[MultiDict[str, str], tuple[intake.Upload, ...]]:
    intake.refuse_type(intake.MULTIPART, intake.FORM)
    with intake.limited(_MOST_BODY):
        return request.form, intake.uploads("files")


def form_of(values: MultiDict[str, str]) -> Form:
    """Return the form as it was filled in, each field bounded."""
    return Form(
        box=values.get("box", ""),
        destination=values.get("destination", "")[:200],
        exporter=values.get("exporter", "")[:200],
        applied_on=values.get("applied_on", "")[:40],
    )

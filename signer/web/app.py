"""The web application over the use cases: routes, walls, limits. One factory, nothing global."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify
from flask_openapi.models.info import Info
from flask_openapi.models.license import License
from flask_openapi.models.schema import Schema
from flask_openapi.models.server import Server
from flask_openapi.openapi import OpenAPI

from signer import resources, wiring
from signer.errors import Busy
from signer.web import (
    api,
    car,
    documented,
    guide_pages,
    headers,
    intake,
    languages,
    log,
    paper_page,
    problems,
    public,
    published,
    readiness,
    turns,
)
from signer.web.guests import Guests
from signer.web.json_provider import StrictJson
from signer.web.machines import entry as machines
from signer.web.pages import Pages
from signer.web.portal import entry
from signer.web.shapes import Health, Version

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from flask import Flask, Response

    from signer.services.answering import Answering
    from signer.web.pages import AsOf

_SCHEMA_PLACE = "#/components/schemas/{model}"
_STATIC_SECONDS = 3600


class _Application(OpenAPI):
    """Flask with its description; every function of ours is a plain one, and none is asked for each request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function as it is."""
        return func


def create_app(services: Answering, *, clock: Callable[[], datetime] = wiring.now, as_of: AsOf | None = None) -> Flask:
    """
    Return the WSGI application over these services.

    `as_of`: whose bundles it speaks by, and of when, where no register is asked; every page says so.
    """
    settings, folder = services.settings, resources.templates_dir() / "web"
    app = _Application(
        "signer.web",
        info=Info(title="signer", version=wiring.VERSION, license=License(name="Apache-2.0", identifier="Apache-2.0")),
        servers=[Server(url=settings.base_url)],
        validation_error_model=problems.Problem,
        security_schemes={"token": documented.TOKEN},
        doc_ui=False,
        static_folder=str(folder / "static"),
        static_url_path="/static",
        template_folder=str(folder),
    )
    app.openapi_version = "3.1.0"
    app.json = StrictJson(app)
    app.request_class = intake.BoundedRequest
    app.config.update(
        MAX_CONTENT_LENGTH=intake.MOST_JSON,
        MAX_FORM_MEMORY_SIZE=intake.OVERHEAD,
        MAX_FORM_PARTS=intake.MOST_PARTS,
        SEND_FILE_MAX_AGE_DEFAULT=_STATIC_SECONDS,
    )
    phrases = languages.read_phrases(folder / "strings")
    pages = Pages(app, phrases=phrases, settings=settings, as_of=as_of)
    app.extensions["signer.pages"] = pages
    headers.install(app, https=settings.base_url.startswith("https:"))
    problems.install(app, base_url=settings.base_url, phrases=phrases, page=pages.problem)
    app.before_request(_refuse_without_turn)
    app.register_api(api.blueprint(services, phrases, guests=_guests(app, services), clock=clock))
    app.register_blueprint(public.blueprint(services, pages, clock=clock))
    app.register_blueprint(_about(app, services))
    if isinstance(services, wiring.Services):
        app.register_blueprint(car.blueprint(services, pages))
        entry.install(app, services, pages, clock=clock)
        machines.install(app, services, clock=clock)
        app.register_api(published.api(services.trust, clock=clock))
        app.register_blueprint(published.blueprint(services.trust, services.status_lists, settings, clock=clock))
        app.register_blueprint(log.blueprint(services.logbook))
        watched = readiness.blueprint(
            settings, doctor=services.doctor, room=services.room, observing=services.observing
        )
        app.register_blueprint(watched)
        drawing = paper_page.Drawing(folder, phrases=phrases, base_url=settings.base_url)
        app.register_blueprint(paper_page.blueprint(drawing, services.trust, clock=clock))
    app.components_schemas.update(_components())
    app.register_blueprint(guide_pages.blueprint(app, pages, base_url=settings.base_url))
    app.components.examples = documented.examples_of_problems()
    return app


def _refuse_without_turn() -> None:
    """Refuse a request for which no turn was to be had, in the words of its client. Raises Busy."""
    try:
        turns.refuse()
    except Busy:
        intake.drain()
        raise


def _guests(app: Flask, services: Answering) -> Guests:
    """Return who is known where no account is needed: machines by their tokens, where there is a register."""
    if not isinstance(services, wiring.Services):
        return Guests(services.settings)
    return Guests(services.settings, known=lambda: machines.guest(app), inspecting=services.inspecting)


@cache
def _components() -> dict[str, Schema]:
    """Return the schemas of all models that the API's description names, and of those they refer to, by name."""
    found: dict[str, Any] = {}
    for shape in (*documented.SHAPES, *machines.SHAPES):
        schema = shape.model_json_schema(ref_template=_SCHEMA_PLACE, mode="serialization")
        found |= schema.pop("$defs", {}) | {shape.__name__: schema}
    return {name: Schema.model_validate(schema) for name, schema in found.items()}


def _about(app: OpenAPI, services: Answering) -> Blueprint:
    about = Blueprint("about", __name__)

    @about.get("/api/v1/openapi.json")
    def openapi() -> Response:
        """Describe the API."""
        return jsonify(app.api_doc)

    @about.get("/healthz")
    def healthz() -> Response:
        """Tell that the process answers; nothing else is asked."""
        return jsonify(Health().model_dump(mode="json"))

    @about.get("/version")
    def version() -> Response:
        """Tell which code answers, over which schema, and in which mode."""
        told = Version(version=wiring.VERSION, mode=services.settings.mode, commit=resources.commit())
        if isinstance(services, wiring.Services):
            code = services.observing.code()
            told = told.model_copy(update={"renderers": dict(code.renderers), "migration": code.migration})
        return jsonify(told.model_dump(mode="json"))

    return about

"""
The API: verify a file, look up a record, check a licence. Every verdict is 200; cookies are ignored.

No account is needed; a token that is sent is looked at, and refused unless it is good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, current_app, jsonify, request
from flask_openapi.blueprint import APIBlueprint

from signer.domain.values import beijing_day
from signer.seal.precheck import MOST_BYTES
from signer.services.licence import Question
from signer.services.lookups import MOST_NUMBERS
from signer.web import answers, bodies, documented, intake, languages, sheets, telling
from signer.web.answers import OfLicence
from signer.web.asking import FileAsked, LicenceAsked, RecordAsked
from signer.web.fields import Faults, Typed, asked, digest, no_day, number, signed_code, tail
from signer.web.problems import Fault, Refused
from signer.web.shapes import LicenceQuestion, LookupQuestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from werkzeug.datastructures import MultiDict

    from signer.domain.evidence import Asked
    from signer.services.answering import Answering
    from signer.verification.wording import Speech
    from signer.web.answers import Answered
    from signer.web.guests import Guest, Guests
    from signer.web.languages import Phrases, Tongue

_SINGLE = ("destination", "exporter", "applied_on")
_COMPARE = frozenset({"vin", "lang", *_SINGLE})
_LANGUAGE = Fault(
    pointer="/lang",
    code="lang.unknown",
    zh=f"须为：{', '.join(languages.TONGUES)}",
    en=f"is one of: {', '.join(languages.TONGUES)}",
)
_OF_GUESTS = frozenset({"reference"})


def blueprint(
    services: Answering, phrases: dict[Tongue, Phrases], *, guests: Guests, clock: Callable[[], datetime]
) -> APIBlueprint:
    """Return the routes under /api/v1 that need no account."""
    api = APIBlueprint("api", __name__, url_prefix="/api/v1")

    def speech() -> Speech:
        return phrases[languages.answered()].speech

    def answered(guest: Guest, wanted: FileAsked | RecordAsked | LicenceAsked) -> Answered:
        found = answers.answer(services, wanted, network=guest.counted)
        guests.remember(guest, found)
        return found

    @api.before_request
    def _refuse_other_language() -> None:
        named = request.args.get("lang", languages.TONGUES[0])
        if named not in languages.TONGUES:
            raise Refused("invalid-input", (_LANGUAGE,))

    @api.post("/verify", **documented.VERIFY)
    def verify() -> Response:
        """Verify one file."""
        guest = guests.admit()
        return _told(answered(guest, _verify_request()), speech())

    @api.post("/lookups", **documented.LOOKUPS)
    def look_up() -> Response:
        """Look up a record without its file."""
        guest = guests.admit()
        return _told(answered(guest, RecordAsked(look_up=_lookup_request())), speech())

    @api.post("/licence-checks", **documented.LICENCE_CHECKS)
    def check_licence() -> Response:
        """Check an export licence against its confirmations."""
        guest = guests.admit()
        return _told(answered(guest, LicenceAsked(question=_licence_request(clock()))), speech())

    return api


def _told(found: Answered, speech: Speech) -> Response:
    if isinstance(found, OfLicence):
        return _licence_response(found, speech)
    return jsonify(telling.verdict_json(found.verdict, speech, found.receipt))


def _verify_request() -> FileAsked:
    if request.mimetype in intake.FILES:
        data = intake.file_body()
        return FileAsked(upload=intake.Upload(name="", data=data), asked=_compare(request.args, _COMPARE | _OF_GUESTS))
    if not request.mimetype and not request.content_length:
        raise Refused("no-file")
    intake.refuse_type(intake.MULTIPART)
    with intake.limited(MOST_BYTES + intake.OVERHEAD):
        files = intake.uploads("file")
    _refuse_other_parts()
    compare = _compare(request.form, _COMPARE)
    if not files:
        raise Refused("no-file")
    if len(files) > 1:
        raise Refused("invalid-input", (_only_one("file"),))
    return FileAsked(upload=files[0], asked=compare)


def _refuse_other_parts() -> None:
    faults = Faults()
    for name in request.files:
        if name != "file":
            _unknown(name, faults)
    faults.refuse()


def _compare(values: MultiDict[str, str], known: Iterable[str]) -> Asked:
    """Read what to compare with; an unknown name is refused: a misspelt one would compare nothing."""
    faults = Faults()
    typed = _typed(values, known, faults)
    found = asked(typed, faults)
    faults.refuse()
    return found


def _typed(values: MultiDict[str, str], known: Iterable[str], faults: Faults) -> Typed:
    for name in values:
        if name not in known:
            _unknown(name, faults)
    many = [name for name in _SINGLE if len(values.getlist(name)) > 1]
    if many:
        raise Refused("invalid-input", tuple(_only_one(name) for name in many))
    if not values.get("applied_on", "-").strip():  # a program that forgot the date does not mean today
        no_day(faults, "/applied_on")
    return Typed(
        vins=tuple(vin for vin in values.getlist("vin") if vin.strip()),
        destination=values.get("destination", ""),
        exporter=values.get("exporter", ""),
        applied_on=values.get("applied_on", ""),
    )


def _unknown(name: str, faults: Faults) -> None:
    faults.add(f"/{bodies.escape(name[:60])}", "field.unknown", "没有此字段", "there is no such field")


def _only_one(name: str) -> Fault:
    return Fault(pointer=f"/{name}", code="field.repeated", zh="只能有一个", en="may stand only once")


def _lookup_request() -> telling.LookUp:
    body = bodies.parse(LookupQuestion, intake.json_body())
    faults = Faults()
    numbers = [number(text, faults, f"/numbers/{place}") for place, text in enumerate(body.numbers)]
    typed = Typed(
        vins=body.vins,
        destination=body.destination or "",
        exporter=body.exporter or "",
        applied_on=body.applied_on or "",
        at=lambda name: "/" + name.replace("vin/", "vins/"),
    )
    if len(numbers) > MOST_NUMBERS:
        faults.add(
            "/numbers",
            "field.many",
            f"一次最多 {MOST_NUMBERS} 个编号",
            f"at most {MOST_NUMBERS} numbers at once",
            most=MOST_NUMBERS,
        )
    compare, tail_, digest_ = asked(typed, faults), tail(body.tail, faults), digest(body.sha256, faults)
    if body.code is not None and (body.numbers or body.tail or body.sha256):
        faults.add("/code", "code.alone", "印刷码须单独查询", "is asked about alone")
    code = signed_code(body.code, faults)
    faults.refuse()
    return telling.LookUp(
        numbers=tuple(text for text in numbers if text), tail=tail_, digest=digest_, code=code, asked=compare
    )


def _licence_request(at: datetime) -> Question:
    if request.mimetype == intake.JSON:
        return _licence_from_json(at)
    intake.refuse_type(intake.MULTIPART)
    with intake.limited(intake.MOST_TOTAL + intake.OVERHEAD):
        files = intake.uploads("file")
    _refuse_other_parts()
    faults = Faults()
    typed = _typed(request.form, _COMPARE | {"number"}, faults)
    return _question(typed, tuple(request.form.getlist("number")), files, faults, at)


def _licence_from_json(at: datetime) -> Question:
    body = bodies.parse(LicenceQuestion, intake.json_body())
    typed = Typed(
        vins=body.vins,
        destination=body.destination,
        exporter=body.exporter,
        applied_on=body.applied_on or "",
        at=lambda name: "/" + name.replace("vin/", "vins/"),
    )
    return _question(typed, body.numbers, (), Faults(), at)


def _question(
    typed: Typed, numbers: tuple[str, ...], files: tuple[intake.Upload, ...], faults: Faults, at: datetime
) -> Question:
    found = [number(text, faults, f"/number/{place}") for place, text in enumerate(numbers)]
    compare = asked(typed, faults)
    for name, value in (("vin", compare.vins), ("destination", typed.destination), ("exporter", typed.exporter)):
        if not value:
            faults.add(typed.at(name), "field.missing", "此项必填", "is needed")
    if not files and not numbers:
        faults.add("/file", "field.missing", "请提供至少一个文件或编号", "give at least one file or number")
    faults.refuse()
    return Question(
        vins=compare.vins,
        destination=compare.destination or "",
        exporter=compare.exporter or "",
        applied_on=compare.applied_on or beijing_day(at),
        files=tuple((file.name, file.data) for file in files),
        numbers=tuple(text for text in found if text),
    )


def _licence_response(found: OfLicence, speech: Speech) -> Response:
    if (
        request.accept_mimetypes.best_match(["application/json", sheets.MIME], default="application/json")
        == sheets.MIME
    ):
        response = current_app.response_class(sheets.licence_csv(found.answer, speech), mimetype=sheets.MIME)
        response.headers["Content-Disposition"] = f'attachment; filename="{sheets.NAME}"'
        return response
    return jsonify(telling.licence_json(found.answer, speech, found.receipt))

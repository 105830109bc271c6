"""What a person asked with the one form: a file, a record, or a licence; every wrong field is named at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from signer.domain.values import beijing_day
from signer.services.licence import Question
from signer.web import box
from signer.web.fields import Faults, Typed, asked
from signer.web.telling import LookUp

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.evidence import Asked
    from signer.web.intake import Upload

_TEXT_ENDINGS = (".csv", ".txt", ".tsv")
_ENCODINGS = ("utf-8-sig", "gb18030")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The form as it was filled in; kept, so that nothing has to be typed twice. `error` names fields with faults."""

    box: str = ""
    destination: str = ""
    exporter: str = ""
    applied_on: str = ""

    @property
    def is_compared(self) -> bool:
        """Tell whether one of the folded fields was filled in."""
        return bool(self.destination or self.exporter or self.applied_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAsked:
    """Verify this file, and compare."""

    upload: Upload
    asked: Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAsked:
    """Look this up."""

    look_up: LookUp


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceAsked:
    """Check this licence."""

    question: Question


Wanted = FileAsked | RecordAsked | LicenceAsked


def understand(form: Form, uploads: tuple[Upload, ...], *, at: datetime) -> Wanted:
    """Return what a filled-in form asks for. Raises Refused naming everything that stands in the way."""
    sheets = tuple(upload for upload in uploads if _is_text(upload))
    files = tuple(upload for upload in uploads if not _is_text(upload))
    contents = box.read("\n".join((form.box, *(_text(sheet.data) for sheet in sheets))))
    faults = Faults()
    _strays(contents, faults)
    exporter = form.exporter or next(iter(contents.exporters), "")
    if len(contents.exporters) > 1:
        faults.add("box", "box.exporters", "一次只能查一家出口企业", "only one exporter at a time")
    typed = Typed(
        vins=contents.vins,
        destination=form.destination,
        exporter=exporter,
        applied_on=form.applied_on,
        at=lambda name: "box" if name.startswith("vin") else name,
    )
    wanted = asked(typed, faults)
    kind = _kind(contents, files)
    _missing(kind, contents, wanted, faults)
    faults.refuse()
    return _made(kind, contents, files, wanted, at)


Kind = Literal["nothing", "file", "digest", "tail", "covered", "licence", "code"]


def _kind(contents: box.Contents, files: tuple[Upload, ...]) -> Kind:
    if len(files) + len(contents.numbers) + len(contents.codes) > 1:
        return "licence"
    if contents.codes:
        return "code"
    if files:
        return "file"
    if contents.numbers:
        by_tail = bool(contents.tails) and not contents.vins
        return "tail" if by_tail or not contents.vins else "covered"
    return "digest" if contents.digests else "nothing"


def _made(kind: Kind, contents: box.Contents, files: tuple[Upload, ...], wanted: Asked, at: datetime) -> Wanted:
    if kind == "file":
        return FileAsked(upload=files[0], asked=wanted)
    if kind == "licence":
        question = Question(
            vins=wanted.vins,
            destination=wanted.destination or "",
            exporter=wanted.exporter or "",
            applied_on=wanted.applied_on or beijing_day(at),
            files=tuple((file.name, file.data) for file in files),
            numbers=contents.numbers,
            codes=contents.codes,
        )
        return LicenceAsked(question=question)
    if kind == "code":
        return RecordAsked(look_up=LookUp(code=contents.codes[0], asked=wanted))
    if kind == "digest":
        return RecordAsked(look_up=LookUp(digest=contents.digests[0].lower()))
    tail = contents.tails[0] if contents.tails and not contents.vins else None
    if kind == "covered" and not (wanted.destination and wanted.exporter):
        tail = contents.vins[0]
    return RecordAsked(look_up=LookUp(numbers=contents.numbers, tail=tail, asked=wanted))


def _missing(kind: Kind, contents: box.Contents, wanted: Asked, faults: Faults) -> None:
    if kind == "nothing":
        _nothing(contents, faults)
    elif kind == "tail" and not contents.tails:
        faults.add(
            "box",
            "box.number-alone",
            "只有编号不够：请再输入其中一个车辆识别代号，或其后六位",
            "a number alone is not enough: add one of its VINs, or the last six characters of one",
        )
    elif kind == "licence" or (kind == "covered" and len(wanted.vins) > 1):
        _need_licence_fields(wanted, faults)


def _need_licence_fields(wanted: Asked, faults: Faults) -> None:
    if not wanted.vins:
        faults.add("box", "box.no-vins", "请输入许可证上的全部车辆识别代号", "give every VIN of the licence")
    if not wanted.destination:
        faults.add("destination", "field.missing", "请填写目的国", "give the destination")
    if not wanted.exporter:
        faults.add("exporter", "field.missing", "请填写出口企业的统一社会信用代码", "give the exporter's USCC")


def _nothing(contents: box.Contents, faults: Faults) -> None:
    if contents.vins or contents.tails or contents.exporters:
        faults.add(
            "box",
            "box.no-number",
            "还需要确认书的编号，或其 PDF 文件",
            "the confirmation's number, or its PDF, is needed as well",
        )
    elif not contents.strays:
        faults.add(
            "files",
            "box.empty",
            "请选择 PDF 文件，或输入编号和车辆识别代号",
            "choose a PDF, or type a number and a VIN",
        )


def _strays(contents: box.Contents, faults: Faults) -> None:
    known = bool(contents.numbers or contents.vins or contents.digests or contents.codes)
    for stray in contents.strays:
        if stray.meant:
            zh, en = _near_words(stray)
            faults.add("box", f"box.{stray.meant}", zh, en, **_values(stray))
        elif not known:
            faults.add(
                "box",
                "box.unknown",
                f"第 {stray.line} 行看不懂：{stray.text}",
                f"line {stray.line} is not understood: {stray.text}",
                **_values(stray),
            )


def _values(stray: box.Stray) -> dict[str, object]:
    return {"line": stray.line, "text": stray.text, "length": stray.length}


def _near_words(stray: box.Stray) -> tuple[str, str]:
    place_zh, place_en = f"第 {stray.line} 行“{stray.text}”：", f'line {stray.line}, "{stray.text}": '
    if stray.meant == "number":
        return (
            f"{place_zh}编号有一位输错（校验位不符）",
            f"{place_en}a character of the number was mistyped (its check does not fit)",
        )
    if stray.meant == "uscc":
        return f"{place_zh}统一社会信用代码有一位输错", f"{place_en}a character of the USCC was mistyped"
    return (
        f"{place_zh}车辆识别代号须为 17 位，此处为 {stray.length} 位",
        f"{place_en}a VIN has 17 characters, this has {stray.length}",
    )


def _is_text(upload: Upload) -> bool:
    return upload.name.lower().endswith(_TEXT_ENDINGS) and not upload.data.startswith(b"%PDF-")


def _text(data: bytes) -> str:
    """Decode a pasted sheet: UTF-8 with or without byte order mark, else GB18030; what fits neither shows it."""
    for encoding in _ENCODINGS:
        try:
            return data[: box.MOST_TEXT].decode(encoding)
        except UnicodeDecodeError:
            continue
    return data[: box.MOST_TEXT].decode("gb18030", errors="replace")

"""An appended revision has something run when the file is opened, shown, closed or printed, or when one clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic
from spliced import annotated, body, catalogue, places, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

ACTIONS = (
    b"/S /JavaScript /JS (app.alert\\(1\\))",
    b"/S /Launch /F (calc.exe)",
    b"/S /URI /URI (https://signer.example/)",
    b"/S /SubmitForm /F (https://signer.example/) /Flags 4",
    b"/S /GoToE /T << /R /C /N (confirmation.json) >>",
    b"/S /ImportData /F (another.fdf)",
    b"/S /Hide /T (Seal) /H true",
)


def make(genuine: Genuine) -> Iterator[bytes]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        script = {"/S": generic.pdf_name("/JavaScript"), "/JS": generic.pdf_string("app.alert(1)")}
        action = generic.DictionaryObject({generic.pdf_name(key): value for key, value in script.items()})
        writer.root[generic.pdf_name("/OpenAction")] = action
        writer.update_root()

    yield genuine.updated(change)
    file = genuine.pdf
    at = places(file)
    for action in ACTIONS:
        yield updated(file, {at.root: catalogue(file, at, {b"OpenAction": b"<< %b >>" % action})})
    script = b"<< %b >>" % ACTIONS[0]
    yield updated(file, {at.root: catalogue(file, at, {b"AA": b"<< /WC %b /WP %b >>" % (script, script)})})
    for number in (at.page, at.field):
        yield updated(file, {number: body(file, number)[:-2] + b"/AA << /O %b /Fo %b >> >>" % (script, script)})
    link = b"<< /Type /Annot /Subtype /Link /Rect [0 0 600 900] /A << %b >> >>" % ACTIONS[1]
    yield updated(file, {at.page: annotated(file, at, at.size), at.size: link})

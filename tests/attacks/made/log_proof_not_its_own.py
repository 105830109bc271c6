"""The log proof inside is another file's, none at all, changed, or there twice; each time sealed by the real key."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pikepdf
from genuine import saved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine

NAME = "log-proof.json"


def make(genuine: Genuine) -> Iterator[bytes]:
    with pikepdf.open(io.BytesIO(genuine.other.pdf)) as opened:
        others = opened.attachments[NAME].get_file().read_bytes()
    with pikepdf.open(io.BytesIO(genuine.pdf)) as opened:
        own = opened.attachments[NAME].get_file().read_bytes()
    key = genuine.ours.seal("yunzhou")
    for data in (others, b"{}", b"", own.replace(b'"index":', b'"index":1'), own + b"\n", b"[" * 60_000):
        yield genuine.resealed(key, saved(genuine.page, lambda pdf, data=data: replace(pdf, data)))
    yield genuine.resealed(key, saved(genuine.page, double))


def replace(pdf: pikepdf.Pdf, data: bytes) -> None:
    """Put other bytes in the place of the proof, and change nothing else."""
    specification = pikepdf.AttachedFileSpec(pdf, data, filename=NAME, mime_type="application/json")
    specification.relationship = pikepdf.Name.Supplement
    content = pdf.attachments["confirmation.json"]
    pdf.attachments[NAME] = specification
    pdf.Root.AF = pikepdf.Array([content.obj, specification.obj])


def double(pdf: pikepdf.Pdf) -> None:
    """Attach the proof a second time."""
    names, specification = pdf.Root.Names.EmbeddedFiles.Names, pdf.attachments[NAME].obj
    names.append(pikepdf.String(NAME))
    names.append(specification)
    pdf.Root.AF.append(specification)

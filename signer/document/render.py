"""Render a confirmation: one PDF/A-3a and PDF/UA-1 file, its content attached, its field for the seal empty."""

from __future__ import annotations

import os
import threading
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import typst

from signer.document import catalogue, finish, fonts, page, sources
from signer.errors import SignerError

if TYPE_CHECKING:
    from pathlib import Path

    from signer.document.catalogue import Template
    from signer.document.page import Extras, Symbol
    from signer.domain.confirmation import Confirmation

STANDARDS: tuple[typst.PDFStandard, ...] = ("a-3a", "ua-1")


class RenderFailed(SignerError):
    """The page could not be made; most often a character that no font has."""

    code = "render-failed"


class Renderer:
    """
    Makes PDFs of confirmations, one compiler per process and thread, kept.

    A compiler may not be used by two threads, and none survives a fork: each is made where it is first
    used, never before. Set RAYON_NUM_THREADS=1 in the environment: pages are too small to share out.
    """

    def __init__(self, templates: Path, *, symbol: Symbol) -> None:
        """Keep where the templates are and how a QR symbol is made (`paper.symbol`, of level Q)."""
        self._symbol = symbol
        self._local = threading.local()
        self._template = lru_cache(maxsize=8)(partial(catalogue.load, templates))
        self._digest = lru_cache(maxsize=8)(lambda version: catalogue.digest_of(self._template(version)))

    def renderer_digest(self, version: str) -> bytes:
        """Return the digest of all that decides the bytes except the data (32 bytes), kept with each confirmation."""
        return self._digest(version)

    def render(
        self, confirmation: Confirmation, *, encoded: bytes, base_url: str, extras: Extras = page.NO_EXTRAS
    ) -> bytes:
        """
        Return the unsealed PDF; the same arguments give the same bytes.

        `encoded` is the canonical content, attached as it is. Raises RenderFailed, TemplateBroken.
        """
        template = self._template(confirmation.terms.template.version)
        shown = page.build(
            template, confirmation, encoded=encoded, base_url=base_url, symbol=self._symbol, extras=extras
        )
        pdf = self._compile(template, shown)
        return finish.finish(pdf, picture_alt=shown.seal_alt, tooltip=shown.seal_alt)

    def print_form(self, confirmation: Confirmation, *, encoded: bytes, base_url: str, sealed_digest: bytes) -> bytes:
        """
        Return the same page to be sealed elsewhere: no field, nothing attached, no picture of a seal, and it says so.

        `sealed_digest` is SHA-256 of S. The same arguments give the same bytes. Raises RenderFailed, TemplateBroken.
        """
        template = self._template(confirmation.terms.template.version)
        extras = page.Extras(print_of=sealed_digest)
        shown = page.build(
            template, confirmation, encoded=encoded, base_url=base_url, symbol=self._symbol, extras=extras
        )
        return finish.without_field(self._compile(template, shown))

    def preview(self, confirmation: Confirmation, *, encoded: bytes, base_url: str, status: str) -> bytes:
        """
        Return the page of a draft, marked on every page: no number, code, seal, field or attachment.

        `status` says under the title what it is. Raises RenderFailed, TemplateBroken.
        """
        template = self._template(confirmation.terms.template.version)
        extras = page.Extras(is_draft=True, status=status, watermark=page.DRAFT_WATERMARK)
        shown = page.build(
            template, confirmation, encoded=encoded, base_url=base_url, symbol=self._symbol, extras=extras
        )
        return finish.without_field(self._compile(template, shown))

    def _compile(self, template: Template, shown: page.Page) -> bytes:
        own = {file.name: file.data for file in shown.attachments} | {
            "data.json": shown.data,
            "setup.json": shown.setup,
        }
        root, files = sources.of_process(os.getpid()).of(template)
        try:
            pdf = self._compiler().compile(input=files | own, root=root, pdf_standards=list(STANDARDS))  # type: ignore[type-var]
        except typst.TypstError as error:
            raise RenderFailed(f"{error.message} {' '.join(error.hints)}".strip()) from error
        if not isinstance(pdf, bytes):
            raise RenderFailed("no single file came out")
        return pdf

    def _compiler(self) -> typst.Compiler:
        kept: tuple[int, typst.Compiler] | None = getattr(self._local, "kept", None)
        if kept is None or kept[0] != os.getpid():
            compiler = typst.Compiler(font_paths=_fonts(os.getpid()), ignore_system_fonts=True)
            kept = self._local.kept = (os.getpid(), compiler)
        return kept[1]


@lru_cache(maxsize=1)
def _fonts(_process: int) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=list(fonts.folders()))

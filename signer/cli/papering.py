"""`signer paper-page`: the page that verifies codes on paper, as a file for offices without a network."""

from __future__ import annotations

from pathlib import Path

import click

from signer import resources, settings, wiring
from signer.cli.house import write
from signer.domain.trust import Purpose
from signer.domain.values import format_instant
from signer.errors import TrustListStale
from signer.services.trust import TrustSource
from signer.web import languages
from signer.web.paper_page import Drawing


@click.command("paper-page")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def paper_page(file: Path) -> None:
    """
    Write the page that verifies codes on paper into FILE, for offices without a network; tell its SHA-256.

    It is what `/v` serves. It counts until its trust list expires: make it anew each week.
    """
    chosen, at = settings.load(), wiring.now()
    trust = TrustSource(chosen).current(at)
    if trust.is_expired(at):
        raise TrustListStale(f"the trust list expired at {format_instant(trust.expires)}: a page of it answers nothing")
    folder = resources.templates_dir() / "web"
    drawing = Drawing(folder, phrases=languages.read_phrases(folder / "strings"), base_url=chosen.base_url)
    page = drawing.draw(trust)
    write(file, page.html)
    keys = len(trust.of(Purpose.PAPER))
    click.echo(f"{file}: {keys} paper keys of trust list {trust.sequence}, until {format_instant(trust.expires)}")
    click.echo(f"SHA-256 {page.digest}")

"""Real pages with their signed code, to be printed: of a sample with one vehicle and of one with twenty."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import paper_keys
import printing
import pypdfium2
import world as worlds

from signer.document.page import Extras, SignedCode
from signer.document.render import Renderer
from signer.domain import content
from signer.paper import task
from signer.paper.symbol import matrix
from signer.register import lookup
from signer.register.scope import Scope
from signer.resources import templates_dir

if TYPE_CHECKING:
    from PIL import Image

    from signer.domain.scan import Scan

SIZES = (1, 20)


def sheets(world: worlds.World, vehicles: int) -> tuple[Image.Image, str]:
    """Return the sheet that has the code, as printed, and the code's text."""
    plain = worlds.fresh(worlds.RUSSIA, vehicles)
    plain["vehicles"] = plain["vehicles"][:vehicles]
    number = world.issue(plain).number
    (claims,) = paper_keys.claims_of(world, number)
    code = paper_keys.make(world.at).sign(claims)
    with world.services.database.read() as tx:
        record = lookup.by_number(tx, number, scope=Scope.everything("a test"), at=world.at)
    assert record is not None
    renderer = Renderer(templates_dir(), symbol=partial(matrix, level="Q"))
    pdf = renderer.render(
        record.whole,
        encoded=content.encode(record.whole),
        base_url=paper_keys.BASE,
        extras=Extras(signed_codes=(SignedCode(code),)),
    )
    with pypdfium2.PdfDocument(pdf) as document:
        pages = len(document)
    drawn = (printing.rendered(pdf, page) for page in range(pages - 1, -1, -1))
    return next(
        sheet for sheet in drawn if code in texts(task.search(printing.printed(sheet, "scan-300", seed=0)))
    ), code


def texts(scan: Scan) -> set[str]:
    """Return the texts of all symbols."""
    return {one.text for one in scan.symbols}


def read(sheet: Image.Image, code: str, kind: printing.Kind, count: int) -> int:
    """Return how many of so many pictures of a sheet give its code."""
    return sum(code in texts(task.search(printing.printed(sheet, kind, seed=seed))) for seed in range(count))

"""Two attachments have the name of the content: one in a further leaf, in an appended tree, or under the same name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pikepdf
from genuine import saved
from spliced import body, places, stream, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    file = genuine.pdf
    at = places(file)
    root = body(file, at.root)
    proof = rb"((?:\(log\\055proof\\056json\) \d+ 0 R )?)"
    named = re.search(rb"/Names \[ \(confirmation\\056json\) (\d+) 0 R " + proof + rb"\]", root)
    assert named is not None
    specification = b"<< /Type /Filespec /F (confirmation.json) /UF (confirmation.json) /AFRelationship /Data /EF %b >>"
    other = {
        at.size: specification % (b"<< /F %d 0 R /UF %d 0 R >>" % (at.size + 1, at.size + 1)),
        at.size + 1: stream(b"{}", b"/Type /EmbeddedFile"),
    }
    both = b"/Names [ (confirmation.json) %b 0 R (confirmation.json) %d 0 R %b]" % (named[1], at.size, named[2])
    kids = b"/Kids [ << %b >> << /Names [ (confirmation.json) %d 0 R ] >> ]" % (named.group(), at.size)
    for told in (both, kids):
        yield updated(file, {**other, at.root: root.replace(named.group(), told)})

    def prepare(pdf: pikepdf.Pdf) -> None:
        names = pdf.Root.Names.EmbeddedFiles.Names
        specification = pikepdf.AttachedFileSpec(pdf, b"{}", filename="confirmation.json")
        specification.relationship = pikepdf.Name.Data
        names.append(pikepdf.String("confirmation.json"))
        names.append(specification.obj)

    yield genuine.resealed(genuine.ours.seal("yunzhou"), saved(genuine.page, prepare))

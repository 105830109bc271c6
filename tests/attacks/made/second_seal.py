"""The listed key seals a second time, over the first seal: in a new field, or in one of the same name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forged import listed
from spliced import annotated, body, formed, places, updated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genuine import Genuine


def make(genuine: Genuine) -> Iterator[bytes]:
    for name in (b"Seal2", b"Seal"):
        file = genuine.pdf
        at = places(file)
        field = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (%b) /F 132 /Rect [0 0 0 0] /P %d 0 R /V %d 0 R >>"
        value = body(file, at.signature)
        gap = re.search(rb"<[0-9A-F]+>", value)
        assert gap is not None
        root, page = formed(file, at, at.size), annotated(file, at, at.size)
        made = updated(
            file,
            {at.root: root, at.page: page, at.size: field % (name, at.page, at.size + 1), at.size + 1: value},
        )
        start = made.index(gap.group(), len(file))
        end = start + len(gap.group())
        ranged = re.compile(rb"/ByteRange \[[^]]*\] *").search(made, end)
        assert ranged is not None
        told = b"/ByteRange [0 %d %d %d]" % (start, end, len(made) - end)
        made = made[: ranged.start()] + told.ljust(len(ranged.group())) + made[ranged.end() :]
        digits = listed(genuine).over(made[:start] + made[end:]).hex().upper().encode()
        yield made[: start + 1] + digits.ljust(end - start - 2, b"0") + made[end - 1 :]

"""The offline bundle, for who verifies where nobody can be asked: officers and operators."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final

from flask import Response, request
from flask_openapi.models.tag import Tag

from signer.domain.machines import Right
from signer.domain.values import format_instant
from signer.errors import Unavailable
from signer.services.bundling import name_of
from signer.web.machines.describing import Doc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from signer.domain.machines import Caller
    from signer.services.bundling import Lent
    from signer.web.machines.gate import Gate
    from signer.web.machines.rooms import House

_TAG = Tag(name="bundles", description="What the register says, for verifiers that cannot ask it.")
BINARY: Final = "application/octet-stream"
_PART: Final = 65_536


def install(gate_: Gate, house: House) -> None:
    """Add the operations."""
    bundling = house.services.bundling

    @gate_.get(
        "/bundles/offline",
        Right.BUNDLES_READ,
        doc=Doc(
            summary="Fetch the offline bundle",
            text=(
                "Whole, signed, at most an hour old and good for seven days. With the ETag of the last one in "
                "If-None-Match the answer is 304 for as long as that one is the present one. Each one that is taken is "
                "in the audit."
            ),
            tag=_TAG,
            files=(BINARY,),
            problems=("unavailable",),
        ),
    )
    def get_bundle(caller: Caller) -> Response:
        lent = bundling.present()
        if request.if_none_match.contains(lent.name):
            response = Response(status=304)
        else:
            bundling.note_taken(lent, by=caller.by)
            response = _poured(lent)
        response.set_etag(lent.name)
        response.last_modified = lent.header.complete_until
        return response


class _Source:
    """An open file that is read in parts, and closed by whoever sends it, or else when nobody holds it any more."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        return iter(partial(self._file.read, _PART), b"")

    def close(self) -> None:
        self._file.close()

    __del__ = close


def _poured(lent: Lent) -> Response:
    """Answer with the bytes of a bundle; the file that was opened stays what it was, whatever takes its place."""
    file = lent.path.open("rb")
    source, size = _Source(file), os.fstat(file.fileno()).st_size
    if lent.name != name_of(file):
        raise Unavailable("the bundle was made again just now")
    file.seek(0)
    response = Response(source, mimetype=BINARY, direct_passthrough=True)
    response.content_length = size
    name = f"{format_instant(lent.header.complete_until).replace(':', '')}.bundle"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response

"""Read requests within limits: files in memory only, never on disk, never longer or slower than allowed."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import IO, TYPE_CHECKING

from flask import Request, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout

from signer.errors import TooLarge
from signer.seal.precheck import MOST_BYTES
from signer.web import deadlines, turns
from signer.web.problems import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.datastructures import FileStorage

OVERHEAD = 300_000
"""What fields and part headers may add to the files."""
MOST_FILES = 20
MOST_TOTAL = 60_000_000
MOST_JSON = 64_000
MOST_PARTS = 300
BODY_SECONDS = 120
"""How long a body may take to arrive: 20 MB at 170 kB/s."""
MULTIPART, FORM, PDF, JSON = (
    "multipart/form-data",
    "application/x-www-form-urlencoded",
    "application/pdf",
    "application/json",
)
FILES = (PDF, "application/ofd", "image/png", "image/jpeg")
"""What a raw body may call itself: a PDF, or an official copy in another form. Nothing depends on which."""
_MOST_NAME = 120
_MOST_DRAINED = 100_000_000
_DRAIN_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file that arrived: its name, shown and never used as a path, and its bytes."""

    name: str
    data: bytes


class BoundedRequest(Request):
    """A request whose files stay in memory, within `max_content_length`."""

    def _load_form_data(self) -> None:
        """Read a form; BadRequest for a part without a name (RFC 7578, section 4.2), which nothing here could mean."""
        super()._load_form_data()
        if None in self.form or None in self.files:
            raise BadRequest

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        del total_content_length, content_type, filename, content_length
        return BytesIO()


def refuse_type(*allowed: str) -> None:
    """Refuse a body of another type, or one that is compressed. Raises Refused."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity") or request.mimetype not in allowed:
        raise Refused("unsupported-media-type")


@contextmanager
def limited(most_bytes: int) -> Iterator[None]:
    """
    Read the body inside this block: at most so many bytes, within the time allowed.

    Raises RequestTimeout, RequestEntityTooLarge; before the latter it reads on for a while, so that a browser that
    is still sending gets to see the answer.
    """
    request.max_content_length = most_bytes
    try:
        with turns.given_up(), _within(BODY_SECONDS):
            yield
            _refuse_more()
    except RequestEntityTooLarge:
        drain()
        raise


def _refuse_more() -> None:
    """Refuse a body of unknown length that goes on after the cap: Werkzeug cuts it there without a word."""
    if request.content_length is None and request.environ["wsgi.input"].read(1):
        raise RequestEntityTooLarge


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Stop waiting for a client after so many seconds, by closing its side of the connection. Raises RequestTimeout."""
    sock = request.environ.get("gunicorn.socket")
    late = threading.Event()

    def stop() -> None:
        late.set()
        if isinstance(sock, socket.socket):
            sock.shutdown(socket.SHUT_RD)

    try:
        with deadlines.MINDED.over(seconds, stop):
            yield
    except Exception:
        if late.is_set():
            raise RequestTimeout from None
        raise
    if late.is_set():
        raise RequestTimeout


def drain() -> None:
    """Read what a client still sends and throw it away, for a while: a browser that is sending sees no answer."""
    if (request.content_length or 0) > _MOST_DRAINED:
        return
    stream, left = turns.unmeasured(), _MOST_DRAINED
    with suppress(OSError, RequestTimeout), turns.given_up(), _within(_DRAIN_SECONDS):
        while left > 0 and (chunk := stream.read(min(left, 65_536))):
            left -= len(chunk)


def json_body(most_bytes: int = MOST_JSON) -> bytes:
    """Return a JSON body unread. Raises Refused, RequestEntityTooLarge."""
    refuse_type(JSON)
    with limited(most_bytes):
        return request.get_data()


def file_body() -> bytes:
    """Return a raw file. Raises Refused, RequestEntityTooLarge."""
    refuse_type(*FILES)
    with limited(MOST_BYTES):
        return request.get_data()


def uploads(field: str, *, most: int = MOST_FILES) -> tuple[Upload, ...]:
    """Return the files of a form's field; an empty file input of a browser is none. Raises TooLarge."""
    parts = [part for part in request.files.getlist(field) if part.filename is not None]
    if len(parts) > most:
        raise TooLarge(f"{len(parts)} files; at most {most}")
    found = tuple(_upload(part) for part in parts)
    return tuple(upload for upload in found if upload.name or upload.data)


def _upload(part: FileStorage) -> Upload:
    data = part.stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise TooLarge(f"more than {MOST_BYTES} bytes")
    return Upload(name=plain_name(part.filename or ""), data=data)


def plain_name(name: str) -> str:
    """Return a file's name as it may be shown: the last part only, printable, bounded."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in last)[:_MOST_NAME]

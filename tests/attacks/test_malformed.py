"""Files that are malformed as in public validators' suites: each has an answer, in time, and never a green one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from signer.domain.verdict import Outcome

if TYPE_CHECKING:
    from genuine import Genuine

MOST_SECONDS = 6.0
_PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
_FIELD = b"<</FT/Sig/T(Seal)/V 5 0 R>>"


def simple(objects: list[bytes], trailer: bytes = b"/Root 1 0 R") -> bytes:
    """Return a file of these objects, with a table that fits."""
    data, offsets = bytearray(b"%PDF-1.7\n"), []
    for place, each in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (place, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count, start = len(objects) + 1, len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Size %d %b>>\n" % (count, table, count, trailer)
    return bytes(data + b"startxref\n%d\n%%%%EOF\n" % start)


def page(catalogue: bytes = b"", *more: bytes) -> bytes:
    """Return a file of one page whose catalogue says more."""
    return simple([b"<</Type/Catalog/Pages 2 0 R%b>>" % catalogue, _PAGES, b"<</Type/Page/Parent 2 0 R>>", *more])


def signed(value: bytes) -> bytes:
    """Return a file with our field and a signature that says this."""
    return page(b"/AcroForm<</Fields[4 0 R]>>", _FIELD, b"<</Type/Sig/Filter/Adobe.PPKLite%b>>" % value)


def stream(words: bytes) -> bytes:
    return page(b"/Metadata 4 0 R", b"<</Length 3%b>>stream\nxyz\nendstream" % words)


PLAIN = page()
START = PLAIN.index(b"xref\n0")
FILES = {
    **{
        f"filter {word!r}": stream(b"/Filter " + word)
        for word in (b"/LZWDecode", b"/JBIG2Decode", b"/Crypt", b"/RunLengthDecode", b"5", b"[5]", b"<<>>")
    },
    **{
        f"SubFilter {word!r}": signed(b"/SubFilter %b/ByteRange[0 10 20 30]/Contents<3080>" % word)
        for word in (b"/adbe.x509.rsa_sha1", b"/ETSI.RFC3161", b"/adbe.pkcs7.sha1", b"/Odd", b"(string)", b"null")
    },
    **{
        f"ByteRange {word!r}": signed(b"/SubFilter/ETSI.CAdES.detached/Contents<00>/ByteRange " + word)
        for word in (b"[0 10 20]", b"[]", b"5", b"[-1 -1 -1 -1]", b"[0 1.5 2 3]", b"[(a) /b null true]", b"5 0 R")
    },
    **{
        f"Contents {word[:8]!r}": signed(b"/SubFilter/ETSI.CAdES.detached/ByteRange[0 9 20 30]/Contents " + word)
        for word in (b"<>", b"<30841fffffff00>", b"<" + b"a0803080" * 4000 + b">", b"<" + b"30" * 3000 + b">", b"(x)")
    },
    **{
        f"startxref {word!r}": PLAIN.replace(b"startxref\n%d" % START, b"startxref\n" + word)
        for word in (b"-5", b"9" * 30, b"0", b"abc", b"", "٣".encode())
    },
    "XFA": page(b"/AcroForm<</XFA 4 0 R/Fields[]>>", b"<</Length 5>>stream\n<xdp>\nendstream"),
    "names in UTF-16": page(b"/AcroForm<</Fields[4 0 R]>>", b"<</FT/Sig/T<feffd800>/V<</Type/Sig/Contents<00>>>>>"),
    "a field its own parent": page(b"/AcroForm<</Fields[4 0 R]>>", b"<</FT/Sig/T(a)/Parent 4 0 R/Kids[4 0 R]>>"),
    "a length that is itself": page(b"/Metadata 4 0 R", b"<</Length 4 0 R>>stream\nx\nendstream"),
    "filters by the hundred": stream(b"/Filter[" + b"/FlateDecode " * 500 + b"]"),
    "roots in a circle": simple([b"2 0 R", b"1 0 R"]),
    "no root": simple([b"<<>>"], b""),
    "information that is a number": page().replace(b"/Root 1 0 R", b"/Root 1 0 R/Info 5"),
    "a table before itself": PLAIN.replace(b"trailer\n<<", b"trailer\n<</Prev %d " % START),
    "a hybrid table": PLAIN.replace(b"trailer\n<<", b"trailer\n<</XRefStm %d " % START),
    "a hybrid table before the file": PLAIN.replace(b"trailer\n<<", b"trailer\n<</XRefStm -9 "),
    "a table of minus five": PLAIN.replace(b"xref\n0 4", b"xref\n-5 4"),
    "a table too long": PLAIN.replace(b"xref\n0 4", b"xref\n0 99999"),
    "a size that is text": PLAIN.replace(b"/Size 4", b"/Size (x)"),
    "only a header": b"%PDF-",
    "header and end": b"%PDF-1.7\n%%EOF",
    "zeros": b"%PDF-1.7" + bytes(100_000) + b"%%EOF",
    "UTF-16": "%PDF-1.7".encode("utf-16"),
    "brackets without end": page(b"/X " + b"(" * 200_000),
    "fields without end": page(b"/AcroForm<</Fields[" + b"4 0 R " * 20_000 + b"]>>", b"<</FT/Tx/T(a)>>"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_malformed_file_is_answered_in_time_and_proves_nothing(genuine: Genuine, name: str) -> None:
    begun = time.monotonic()
    verdict = genuine.world.verify(FILES[name])
    assert time.monotonic() - begun < MOST_SECONDS
    assert verdict.outcome in (Outcome.FAIL, Outcome.NONE)
    assert verdict.reason not in ("CHILD_DIED", "TOO_SLOW")
    assert verdict.confirmation is None

"""
The document security store: revocation evidence inside the sealed revision, in one form, written and read.

No VRI: nothing that names a signature can be there before the signature is. Every stream is unfiltered DER.
Source: docs/adr/0013-revocation.md; ETSI EN 319 142-1, 5.4; ISO 32000-2, 12.8.4.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyhanko.pdf_utils import generic

from signer.seal.revocation import MOST_BYTES, Evidence

if TYPE_CHECKING:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.reader import PdfFileReader

KEY: Final = "/DSS"
_TYPE: Final = "/Type"
_ARRAYS: Final = ("/Certs", "/OCSPs", "/CRLs")
MOST_STREAMS: Final = 16


class DssRefused(ValueError):
    """A DSS has not the form that it must have."""


def write(writer: IncrementalPdfFileWriter, evidence: Evidence) -> None:
    """Add a DSS to the revision that is being written; evidence that is empty adds nothing."""
    store = generic.DictionaryObject()  # type: ignore[no-untyped-call]  # pyHanko's
    store[generic.pdf_name(_TYPE)] = generic.pdf_name(KEY)
    for name, blobs in zip(_ARRAYS, (evidence.certificates, evidence.ocsps, evidence.crls), strict=True):
        if blobs:
            streams = (writer.add_object(generic.StreamObject(stream_data=data)) for data in blobs)
            store[generic.pdf_name(name)] = generic.ArrayObject(streams)
    if len(store) > 1:
        writer.root[generic.pdf_name(KEY)] = writer.add_object(store)
        writer.update_root()  # type: ignore[no-untyped-call]  # pyHanko's


def read(reader: PdfFileReader) -> Evidence | None:
    """Return the evidence of a document, or None if it has no DSS. Raises DssRefused."""
    if KEY not in reader.root:
        return None
    store = reader.root[KEY]
    if not isinstance(store, generic.DictionaryObject) or store.get(_TYPE) not in (None, KEY):
        raise DssRefused("the DSS is no dictionary of its type")
    if unknown := sorted(str(key) for key in set(store) - {_TYPE, *_ARRAYS}):
        raise DssRefused(f"the DSS holds {', '.join(unknown)[:80]}")
    certificates, ocsps, crls = (_streams(store, name) for name in _ARRAYS)
    return Evidence(certificates, ocsps, crls)


def _streams(store: generic.DictionaryObject, name: str) -> tuple[bytes, ...]:
    if name not in store:
        return ()
    array = store[name]
    if not isinstance(array, generic.ArrayObject) or not 1 <= len(array) <= MOST_STREAMS:
        raise DssRefused(f"{name} is no array of 1 to {MOST_STREAMS} streams")
    return tuple(_stream(array[place], name) for place in range(len(array)))


def _stream(stream: generic.PdfObject, name: str) -> bytes:
    if not isinstance(stream, generic.StreamObject) or set(stream) - {"/Length"}:
        raise DssRefused(f"{name} holds something other than plain streams")
    data: bytes = stream.encoded_data
    if len(data) > MOST_BYTES:
        raise DssRefused(f"a stream in {name} has more than {MOST_BYTES} bytes")
    return data

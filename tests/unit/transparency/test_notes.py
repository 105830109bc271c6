"""Signed notes and checkpoints: what known keys signed is read, everything else is refused or ignored."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from signer.transparency import checkpoints, notes
from signer.transparency.checkpoints import Checkpoint
from signer.transparency.notes import Kind, NoteKey, NoteRefused

GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_NOTE = (
    f"{GO_TEXT}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpR"
    "Zb6KE6RyyBwJnAM=\n"
)
"""The example of the format's first implementation, in the Go project: its key is published, and proves nothing."""
ORIGIN = "log.example/2026"
AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
CHECKPOINT = Checkpoint(ORIGIN, 42, bytes(range(32)))


def _private(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"\0")[:32])


def _key(name: str, *, of: str | None = None, kind: Kind = Kind.ED25519) -> NoteKey:
    return NoteKey(name, _private(of or name).public_key().public_bytes_raw(), kind)


LOG, OTHER, WITNESS = _key(ORIGIN), _key("other.example/log"), _key("witness.example/w1", kind=Kind.COSIGNATURE)


def _signed(text: str, key: NoteKey = LOG) -> str:
    return notes.sign_note(text, name=key.name, key_id=key.id, sign_raw=_private(key.name).sign)


def _line(text: str, key: NoteKey) -> str:
    return _signed(text, key).removeprefix(f"{text}\n")


def _cosigned(text: str, key: NoteKey = WITNESS, at: datetime = AT) -> str:
    return notes.cosignature(text, key=key, at=at, sign_raw=_private(key.name).sign)


NOTE = _signed(CHECKPOINT.text)


def test_the_note_of_the_first_implementation_is_read_and_made_alike() -> None:
    key = notes.parse_key(GO_KEY)
    assert notes.open_note(GO_NOTE, [key]).text == GO_TEXT
    sign = Ed25519PrivateKey.from_private_bytes(GO_SEED).sign
    assert notes.sign_note(GO_TEXT, name=key.name, key_id=key.id, sign_raw=sign) == GO_NOTE
    assert key.text == GO_KEY


def test_the_example_of_the_checkpoint_specification_is_read() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    note = (
        f"{text}\n\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q"
        "1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    found, lines = notes.split(note)
    assert checkpoints.parse(found).size == 20_852_163
    assert checkpoints.parse(found).text == text
    assert [name for name, _ in lines] == ["example.com/behind-the-sofa"]


def test_a_checkpoint_reads_back_under_its_logs_key() -> None:
    signed = checkpoints.open_signed(NOTE, [OTHER, LOG])
    assert (signed.checkpoint, signed.by, signed.witnesses) == (CHECKPOINT, LOG, ())


def test_a_witness_tells_when_it_saw_a_checkpoint_and_strangers_are_ignored() -> None:
    note = NOTE + _cosigned(CHECKPOINT.text) + _line(CHECKPOINT.text, OTHER)
    signed = checkpoints.open_signed(note, [LOG, WITNESS])
    assert [(each.key.name, each.at) for each in signed.witnesses] == [(WITNESS.name, AT)]
    assert checkpoints.open_signed(note, [LOG]).witnesses == ()


def test_a_witness_alone_makes_no_checkpoint_and_neither_does_another_logs_key() -> None:
    with pytest.raises(NoteRefused, match="its log has not signed"):
        checkpoints.open_signed(f"{CHECKPOINT.text}\n{_cosigned(CHECKPOINT.text)}", [LOG, WITNESS])
    with pytest.raises(NoteRefused, match="its log has not signed"):
        checkpoints.open_signed(_signed(CHECKPOINT.text, OTHER), [LOG, OTHER])
    with pytest.raises(NoteRefused, match="no known key"):
        checkpoints.open_signed(NOTE, [OTHER])


@pytest.mark.parametrize("kind", list(Kind))
def test_one_wrong_line_of_a_known_key_refuses_the_whole_note(kind: Kind) -> None:
    wrong = _key(WITNESS.name, kind=kind)
    other = Checkpoint(ORIGIN, 43, bytes(32)).text
    line = _cosigned(other, wrong) if kind is Kind.COSIGNATURE else _line(other, wrong)
    assert checkpoints.open_signed(NOTE + line, [LOG]).checkpoint == CHECKPOINT
    with pytest.raises(NoteRefused, match="does not verify"):
        checkpoints.open_signed(NOTE + line, [LOG, wrong])


def test_a_cosignature_is_of_the_time_that_it_names() -> None:
    line = _cosigned(CHECKPOINT.text)
    raw = bytearray(base64.b64decode(line.rsplit(" ", 1)[1]))
    raw[11] ^= 1
    with pytest.raises(NoteRefused, match="does not verify"):
        notes.open_note(NOTE + notes.line(WITNESS.name, bytes(raw)), [LOG, WITNESS])
    raw[4:12] = b"\xff" * 8
    with pytest.raises(NoteRefused, match="time"):
        notes.open_note(NOTE + notes.line(WITNESS.name, bytes(raw)), [LOG, WITNESS])


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_flipped_byte_of_a_note_is_read(place: int, change: int) -> None:
    data = bytearray(NOTE.encode())
    data[place % len(data)] ^= change
    with pytest.raises(NoteRefused):
        notes.open_note(data.decode(errors="surrogateescape"), [LOG])


@pytest.mark.parametrize(
    "note",
    ["", "\n", CHECKPOINT.text, f"{CHECKPOINT.text}\n", NOTE[:-1], NOTE + "\n", NOTE + " ", NOTE.replace("\n", "\r\n"),
     NOTE.replace("\u2014", "-"), NOTE + _line(CHECKPOINT.text, LOG), NOTE + "\u2014 x y\n",
     NOTE + "\u2014 a+b AAAAAAAA\n", NOTE + "x" * 40_000, NOTE + _line(CHECKPOINT.text, OTHER) * 40,
     NOTE.replace("\n42", "\t42"), "\n" + _line("\n\n", LOG), NOTE.replace("\u2014 ", "\u2014  "),
     NOTE + "\u2014 x AAAAAAA=\n" + "\u2014 x AAAAAAB=\n"],
)  # fmt: skip
def test_nothing_else_is_a_note(note: str) -> None:
    with pytest.raises(NoteRefused):
        notes.open_note(note, [LOG])


@pytest.mark.parametrize(
    "text",
    ["\n", "log\n1\n", f"{CHECKPOINT.text}more\n", CHECKPOINT.text.replace("42", "042"),
     CHECKPOINT.text.replace("42", "-1"), CHECKPOINT.text.replace("42", "9" * 16),
     CHECKPOINT.text.replace("42", "\u0664\u0662"),
     CHECKPOINT.text.replace(ORIGIN, "two words"), CHECKPOINT.text.replace(ORIGIN, ""), f"{ORIGIN}\n1\nAAAA\n",
     CHECKPOINT.text.replace("8=", "9=")],
)  # fmt: skip
def test_nothing_else_is_a_checkpoint(text: str) -> None:
    with pytest.raises(NoteRefused):
        checkpoints.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", GO_KEY.replace("c74f20a3", "c74f20a4"), GO_KEY.replace("+ARp", "+Arp"), GO_KEY[:-1],
     GO_KEY.replace("Peter", "Pe er"), GO_KEY.replace("Peter", "Retep")],
)  # fmt: skip
def test_a_key_that_is_not_its_own_is_refused(text: str) -> None:
    with pytest.raises(NoteRefused):
        notes.parse_key(text)
    assert notes.parse_key(WITNESS.text) == WITNESS

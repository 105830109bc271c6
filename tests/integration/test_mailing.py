"""Mail is written where it becomes true and sent afterwards, to a real mail server: once, and never what was undone."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import smtp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from portal import Portal
from world import KAZAKHSTAN, YUNZHOU, World, sample

from signer import settings as configured
from signer.errors import InvalidInput, Misconfigured, Unavailable
from signer.register import mails
from signer.services.mailing import KINDS, LANGUAGES, PATIENCE
from signer.services.post import Gate, SmtpPost, message_of
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

    from signer.register.mails import Mail

WORDS = {
    "maker": YUNZHOU,
    "inviter": "Chen",
    "until": "2026-12-01",
    "title": "KZ 3",
    "by": "Chen",
    "number": "K7Q2M-9XH4T-3PAB",
    "seal": "0123456789abcdef",
    "days": "30",
    "what": "altered",
    "outlet": "Almaty",
    "name": "Yunzhou Automobile",
    "login": "chen@example.com",
    "company": "天山样例国际贸易有限公司",
    "uscc": "91650000MA0TH03XX3",
    "reason": "?",
    "day": "2026-12-01",
    "label": "ERP",
    "url": "https://erp.example.com/events",
}


@pytest.fixture
def database() -> str:
    return "sqlite"


@pytest.fixture
def box(world: World) -> Iterator[smtp.Letterbox]:
    with smtp.letterbox() as box:
        world.overrides |= {"SIGNER_SMTP_URL": box.url, "SIGNER_MAIL_FROM": "signer@maker.example"}
        world.rewire()
        yield box


def queue(
    world: World, recipient: str = "lin@example.com", kind: str = "issued", language: str = "en", **more: str
) -> None:
    with world.services.database.write() as tx:
        world.services.mailing.queue(tx, recipient, kind, language, path="/portal/x", **{**WORDS, **more})


def subjects(box: smtp.Letterbox) -> list[tuple[str, str]]:
    """Return what came in, by recipient: those of one look are in no order that matters."""
    told = [(recipient, str(mail["Subject"])) for (recipient, _), mail in zip(box.mails, box.read(), strict=True)]
    return told[:1] + sorted(told[1:])


def deliver(world: World, after: timedelta = timedelta()) -> str:
    world.at += after
    return world.services.mailing.deliver()


def test_every_kind_has_both_languages_and_only_words_that_rooms_hand_over(world: World) -> None:
    for kind in KINDS:
        for language in LANGUAGES:
            queue(world, kind=kind, language=language)
    rows = world.rows("SELECT subject, body FROM mails")
    assert len(rows) == len(KINDS) * 2
    assert all(subject and "\n" not in subject and "http://127.0.0.1:8000/portal/x" in body for subject, body in rows)
    assert not any("$" in subject + body for subject, body in rows)


def test_a_mail_goes_once_with_text_and_a_link_and_is_then_forgotten(world: World, box: smtp.Letterbox) -> None:
    queue(world, language="zh")
    assert (deliver(world), deliver(world, timedelta(days=1))) == ("1 sent", "0 sent")
    (mail,) = box.read()
    assert (mail["To"], mail["From"]) == ("lin@example.com", "signer@maker.example")
    assert mail["Subject"] == "已签发：K7Q2M-9XH4T-3PAB"
    assert mail.get_content_type() == "text/plain"
    assert "http://127.0.0.1:8000/portal/x" in mail.get_content()
    assert world.rows("SELECT body FROM mails") == [("",)]


def test_mail_of_a_transaction_that_was_rolled_back_is_never_sent(world: World, box: smtp.Letterbox) -> None:
    def issue_and_fail() -> None:
        with world.services.database.write() as tx:
            world.services.mailing.queue(tx, "lin@example.com", "issued", "en", path="/", **WORDS)
            raise InvalidInput("x", "something else is wrong")

    with pytest.raises(InvalidInput):
        issue_and_fail()
    assert deliver(world) == "0 sent"
    assert box.mails == []


@pytest.mark.parametrize(
    "typed", ["A\r\nBcc: all@example.com", "A\nB", "A\u2028B", "A\x00\x0bB", "=?utf-8?b?QQ==?=\r\n X: y"]
)
def test_nothing_typed_begins_another_header_or_line(world: World, box: smtp.Letterbox, typed: str) -> None:
    queue(world, kind="approval-asked", title=typed, by=typed)
    assert deliver(world) == "1 sent"
    (mail,) = box.read()
    assert set(mail.keys()) == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language"),
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    }
    assert [recipient for recipient, _ in box.mails] == ["lin@example.com"]
    assert "\nBcc" not in mail.get_content()


@pytest.mark.parametrize("login", ["lin", "a@b\r\nBcc: c@d", "a@b, c@d", "<a@b>", "a b@c.example", "x" * 119 + "@a"])
def test_a_login_that_is_no_address_gets_no_mail_and_stops_nothing(world: World, login: str) -> None:
    queue(world, login)
    assert world.rows("SELECT id FROM mails") == []


def test_5000_characters_become_a_short_line(world: World) -> None:
    queue(world, kind="approval-asked", title="字" * 5000)
    assert [len(subject) for (subject,) in world.rows("SELECT subject FROM mails")] == [200]


def test_a_server_that_is_down_is_tried_for_three_days_ever_less_often_and_then_named(world: World) -> None:
    with smtp.letterbox() as box:
        url = box.url
    world.overrides["SIGNER_SMTP_URL"] = url
    world.rewire()
    queue(world)
    began, tries = world.at, 0
    while (due := world.rows("SELECT next_at FROM mails WHERE given_up_at IS NULL")) and tries < 100:
        world.at = max(world.at, datetime.strptime(due[0][0], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC))
        assert "cannot be used" in deliver(world)
        tries += 1
    assert PATIENCE <= world.at - began <= PATIENCE + mails.LONGEST_PAUSE * 1.2
    assert 15 <= tries <= 30
    told = [symptom for symptom in world.services.doctor.examine() if symptom.part == "mail"]
    assert [symptom.health for symptom in told] == ["warning"]
    assert "1 given up" in told[0].detail
    assert "127.0.0.1" in told[0].detail


def test_the_mail_of_others_waits_no_longer_because_the_server_was_down_for_one(world: World) -> None:
    with smtp.letterbox() as box:
        world.overrides["SIGNER_SMTP_URL"] = box.url
        world.rewire()
    for one in ("lin@example.com", "chen@example.com"):
        queue(world, one)
    deliver(world)
    assert world.rows("SELECT attempts FROM mails ORDER BY id") == [(1,), (0,)]


def test_a_recipient_whom_the_server_refuses_for_good_is_given_up_at_once(world: World, box: smtp.Letterbox) -> None:
    box.to_recipient = "550 no such user"
    queue(world)
    assert deliver(world) == "0 sent, 1 given up"
    assert world.services.mailing.waiting().given_up == 1


def test_a_recipient_whom_the_server_puts_off_is_tried_again(world: World, box: smtp.Letterbox) -> None:
    box.to_recipient = "451 greylisted"
    queue(world)
    assert deliver(world) == "0 sent, 1 put off"
    box.to_recipient = "250 ok"
    assert deliver(world, timedelta(minutes=2)) == "1 sent"


def test_a_crash_between_sending_and_noting_sends_once_more_and_says_so(
    world: World, box: smtp.Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    queue(world)
    for _ in range(4):
        with monkeypatch.context() as dying:
            dying.setattr(mails, "sent", die)
            try:
                deliver(world)
            except Killed:
                world.at += mails.LEASE
    first, second = box.read()
    assert first["Message-ID"] == second["Message-ID"]
    assert "receive this twice" not in first.get_content()
    assert "receive this twice" in second.get_content()
    assert world.services.mailing.waiting().given_up == 1


def test_a_mail_whose_sending_is_being_tried_is_nobody_elses(world: World) -> None:
    queue(world)
    taken: list[Mail | None] = []
    for _ in range(2):
        with world.services.database.write() as tx:
            taken.append(mails.take(tx, at=world.at))
    assert taken[0] is not None
    assert taken[1] is None


def test_a_clock_that_was_set_back_holds_no_mail(world: World, box: smtp.Letterbox) -> None:
    queue(world)
    assert deliver(world, timedelta(days=-400)) == "1 sent"
    assert len(box.mails) == 1


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_people_get_notices_in_their_language_once(world: World, box: smtp.Letterbox) -> None:
    portal = Portal.of(world)
    portal.give_account("chen.sample", language="zh")
    portal.give_account("lin.sample", language="en")
    issued = world.issue(sample(KAZAKHSTAN))
    deliver(world)
    assert subjects(box) == [("chen.sample@example.com", f"已签发：{issued.number}")]
    world.services.ending.withdraw(
        Withdrawal(number=issued.number, manufacturer=YUNZHOU, by="chen.sample", second="lin.sample", reason="error")
    )
    deliver(world)
    deliver(world, timedelta(days=1))
    assert subjects(box)[1:] == [
        ("chen.sample@example.com", f"已撤回：{issued.number}"),
        ("lin.sample@example.com", f"Withdrawn: {issued.number}"),
    ]


def test_notices_from_before_there_was_mail_are_not_sent_to_anybody(world: World, box: smtp.Letterbox) -> None:
    Portal.of(world).give_account("chen.sample")
    world.issue(sample(KAZAKHSTAN))
    assert deliver(world, timedelta(days=4)) == "0 sent"
    assert world.rows("SELECT count(*) FROM notices WHERE sent_at IS NULL") == [(0,)]
    assert box.mails == []


def test_without_a_mail_server_each_mail_is_a_file_for_its_owner_only(world: World) -> None:
    queue(world)
    assert deliver(world) == "1 sent"
    folder = world.folder / "mail"
    (path,) = folder.iterdir()
    assert b"To: lin@example.com" in path.read_bytes()
    assert folder.stat().st_mode & 0o077 == 0


def test_a_password_file_that_is_not_there_is_named_and_no_mail_is_lost(world: World) -> None:
    world.overrides["SIGNER_SMTP_URL"] = "smtp://signer@127.0.0.1:1"
    world.rewire()
    queue(world)
    with pytest.raises(Misconfigured, match="SIGNER_SMTP_PASSWORD_FILE"):
        deliver(world)
    told = [symptom.detail for symptom in world.services.doctor.examine() if symptom.part == "mail"]
    assert "SIGNER_SMTP_PASSWORD_FILE" in told[0]
    assert world.services.mailing.waiting().waiting == 1


@pytest.mark.parametrize(
    ("url", "must_encrypt"),
    [
        ("smtp://mail.example.com", True),
        ("smtp://mail.example.com:25", True),
        ("smtp://localhost.example.com", True),
        ("smtp://127.0.0.1:2525", False),
        ("smtp://[::1]:2525", False),
        ("smtp://localhost", False),
        ("smtps://mail.example.com", False),
    ],
)
def test_only_this_machine_is_spoken_to_in_the_clear(url: str, must_encrypt: bool) -> None:
    gate = Gate.parse(url)
    assert gate.must_encrypt is must_encrypt
    assert gate.is_tls is url.startswith("smtps")


@pytest.mark.parametrize("url", ["http://x", "smtp://", "smtp://u:secret@x", "smtp://x/path", "mail.example.com"])
def test_an_address_that_is_no_mail_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Misconfigured, match="SIGNER_SMTP_URL") as told:
        configured.load({"SIGNER_SMTP_URL": url})
    assert "secret" not in str(told.value)


def test_a_server_that_offers_no_encryption_gets_neither_password_nor_mail(tmp_path: Path) -> None:
    with smtp.letterbox() as box:
        post = SmtpPost(_gate(box), password_file=_password(tmp_path))
        with pytest.raises(Unavailable), post.open():
            pass
        assert [said for said in box.heard if said[:4].upper() not in ("EHLO", "QUIT")] == []


def test_after_starttls_a_mail_is_signed_in_for_and_sent(tmp_path: Path) -> None:
    with smtp.letterbox() as box:
        box.offers_tls, (box.tls, trusting) = True, _tls(tmp_path)
        with SmtpPost(_gate(box), password_file=_password(tmp_path), tls=trusting).open() as hand_over:
            hand_over(_message(), "lin@example.com")
        assert [recipient for recipient, _ in box.mails] == ["lin@example.com"]
        assert any(said.startswith("AUTH") for said in box.heard)


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    with smtp.letterbox() as box:
        box.offers_tls, (box.tls, _) = True, _tls(tmp_path)
        with pytest.raises(Unavailable), SmtpPost(_gate(box), password_file=_password(tmp_path)).open():
            pass
        assert not any(said.startswith("AUTH") for said in box.heard)


def _gate(box: smtp.Letterbox) -> Gate:
    return Gate(host="127.0.0.1", port=box.port, user="signer", is_tls=False, must_encrypt=True)


def _password(folder: Path) -> Path:
    (folder / "password").write_text("correct horse\n")
    return folder / "password"


def _message() -> EmailMessage:
    told = {"recipient": "lin@example.com", "language": "en", "kind": "issued", "subject": "x", "body": "y"}
    at = datetime(2026, 11, 22, tzinfo=UTC)
    mail = mails.Mail(id=1, queued_at=at, attempts=1, repeats=0, is_orphan=False, **told)
    return message_of(mail, sender="signer@maker.example", at=at)


def _tls(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a server's context and one that trusts it: a certificate for 127.0.0.1, made now."""

    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem + plain)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return server, ssl.create_default_context(cadata=pem.decode())

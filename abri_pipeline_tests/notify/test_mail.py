"""Mail against a server on loopback: what it is told, what it is never told, and what a failure says."""

import socket

import pytest

from abri_pipeline.notify.mail import SUBMISSION, Letter, Mailbox, MailError, send
from abri_pipeline.settings import Settings
from abri_pipeline_tests.notify.smtp_server import mail_server

CANARY = "canary-4f1d-password"
LETTER = Letter("ABRI: a run failed, week of 2026-01-12", "NVDA: gave no answer\n.\nthe last line\n")


def mailbox(port: int, **more: str) -> Mailbox:
    values = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "ALERT_RECIPIENT": "desk@example.org", **more}
    found = Mailbox.of(Settings(values, {}))
    assert found is not None
    return found


def test_a_letter_arrives_as_it_was_written() -> None:
    with mail_server() as post:
        send(mailbox(post.port), LETTER)
    (letter,) = post.letters
    assert letter["To"] == "desk@example.org"
    assert letter["Subject"] == LETTER.subject
    assert letter.get_content().splitlines() == LETTER.body.splitlines()  # a lone dot does not end it
    assert post.logins == []


def test_every_recipient_is_named_and_the_user_is_the_sender() -> None:
    with mail_server(("AUTH PLAIN",)) as post:
        people = "desk@example.org, The Owner <owner@example.org>"
        send(mailbox(post.port, ALERT_RECIPIENT=people, SMTP_USER="abri@example.org", SMTP_PASSWORD=CANARY), LETTER)
    (letter,) = post.letters
    assert letter["To"] == "desk@example.org, owner@example.org"
    assert letter["From"] == "abri@example.org"
    assert post.verbs.count("RCPT") == 2


def test_a_user_logs_in() -> None:
    with mail_server(("AUTH PLAIN",)) as post:
        send(mailbox(post.port, SMTP_USER="abri", SMTP_PASSWORD=CANARY), LETTER)
    assert post.logins == [f"\0abri\0{CANARY}"]


def test_tls_is_turned_on_where_it_is_offered() -> None:
    with mail_server(("STARTTLS", "AUTH PLAIN"), {"STARTTLS": "454 not today"}) as post, pytest.raises(MailError):
        send(mailbox(post.port, SMTP_USER="abri", SMTP_PASSWORD=CANARY), LETTER)
    assert "STARTTLS" in post.verbs
    assert post.logins == [] == post.letters  # nothing is said in the clear after TLS was refused


def test_a_password_is_not_sent_in_the_clear_to_another_machine() -> None:
    with mail_server(("AUTH PLAIN",)) as post:
        # 127.1 leads to this server too, but is not written as a loopback address, so it stands for a distant one.
        elsewhere = mailbox(post.port, SMTP_HOST="127.1", SMTP_USER="abri", SMTP_PASSWORD=CANARY)
        with pytest.raises(MailError, match="offers no STARTTLS"):
            send(elsewhere, LETTER)
    assert post.logins == []


def test_secrets_are_masked_in_the_letter() -> None:
    with mail_server() as post:
        box = mailbox(post.port, SMTP_PASSWORD=CANARY)
        send(box, Letter(f"{CANARY}\nBcc: all@example.org", f"postgresql://abri:pw@host/db?api_key=abc {CANARY}"))
    (letter,) = post.letters
    assert CANARY not in letter.as_string()
    assert "pw@" not in letter.get_content()
    assert "abc" not in letter.get_content()
    assert letter["Bcc"] is None


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        ({"AUTH": "535 no such user"}, "refused the login"),
        ({"RCPT": "550 unknown"}, "refused desk@example.org"),
        ({"MAIL": "451 try later"}, "try later"),
        ({"DATA": "554 no"}, "SMTP_HOST"),
        ({"MAIL": ""}, "closed"),
    ],
)
def test_a_refusal_names_its_cause_and_holds_no_secret(replies: dict[str, str], words: str) -> None:
    with mail_server(("AUTH PLAIN",), replies) as post, pytest.raises(MailError, match=words) as raised:
        send(mailbox(post.port, SMTP_USER="abri", SMTP_PASSWORD=CANARY), LETTER)
    assert CANARY not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert post.letters == []


def test_a_server_that_is_down_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(MailError, match=rf"127\.0\.0\.1:{port}.*check SMTP_HOST"):
        send(mailbox(port), LETTER)


def test_a_server_that_is_silent_does_not_hold_up_the_tick() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MailError, match="timed out"):
        send(mailbox(silent.getsockname()[1]), LETTER, seconds=0.2)


def test_mail_is_off_without_a_host() -> None:
    assert Mailbox.of(Settings({"ALERT_RECIPIENT": "desk@example.org"}, {})) is None


def test_the_submission_port_is_the_default() -> None:
    box = Mailbox.of(Settings({"SMTP_HOST": "mail.example.org", "ALERT_RECIPIENT": "desk@example.org"}, {}))
    assert box is not None
    assert box.port == SUBMISSION


@pytest.mark.parametrize("port", ["", "smtp", "0", "65536", "-1", "2 5", "²"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    settings = Settings({"SMTP_HOST": "h", "SMTP_PORT": port or "x", "ALERT_RECIPIENT": "a@b.c"}, {})
    with pytest.raises(MailError, match="SMTP_PORT"):
        Mailbox.of(settings)


@pytest.mark.parametrize("recipient", [None, "desk", " , "])
def test_a_letter_to_nobody_is_refused(recipient: str | None) -> None:
    values = {"SMTP_HOST": "h"} | ({"ALERT_RECIPIENT": recipient} if recipient else {})
    with pytest.raises(MailError, match="ALERT_RECIPIENT"):
        Mailbox.of(Settings(values, {}))

"""Mail over plain SMTP: STARTTLS where it is offered, a login where a user is set.

Belongs here: the mailbox that the settings name and one conversation with its server.
Does not belong here: what a message says, and when to send it again.
"""

import smtplib
import ssl
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import formatdate, getaddresses
from ipaddress import ip_address

from abri_pipeline.calendars import clock
from abri_pipeline.providers import redact
from abri_pipeline.settings import Settings

SUBMISSION = 587  # RFC 6409, the port where clients hand in mail
IMPLICIT_TLS = 465  # RFC 8314, TLS from the first byte
SECONDS = 10.0  # a tick that waits for mail holds up the other sensors


class MailError(Exception):
    """A message was not sent; one line names the cause and the mend, and holds no secret."""

    def __init__(self, words: str) -> None:
        super().__init__(" ".join(redact.text(words).split()))


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be said, in plain text."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where mail is handed in and whom it is for."""

    host: str
    port: int
    recipients: tuple[str, ...]
    user: str | None = None
    password: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> "Mailbox | None":
        """The mailbox of the settings, or None where `SMTP_HOST` is not set: mail is off.

        Raises:
            MailError: `SMTP_PORT` is no port, or `ALERT_RECIPIENT` names nobody.
        """
        redact.remember(settings.secrets())
        host = settings.get("SMTP_HOST")
        if host is None:
            return None
        text = settings.get("SMTP_PORT") or str(SUBMISSION)
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
            raise MailError(f"SMTP_PORT={text!r} is no port; write a number such as {SUBMISSION}")
        addressed = getaddresses([settings.get("ALERT_RECIPIENT") or ""])
        recipients = tuple(address for _, address in addressed if "@" in address)
        if not recipients:
            raise MailError("ALERT_RECIPIENT names no address; set it to whoever should read failures")
        return cls(host, int(text), recipients, settings.get("SMTP_USER"), settings.get("SMTP_PASSWORD"))


def send(mailbox: Mailbox, letter: Letter, seconds: float = SECONDS) -> None:
    """Hand one message to the mailbox's server.

    Args:
        mailbox: server and recipients.
        letter: subject and text; secrets in them are masked before they leave.
        seconds: how long any one step of the conversation may take.

    Raises:
        MailError: the server was not reached, refused the login, the sender or every recipient, or could only
            have been given the password in the clear.
    """
    try:
        message = _message(mailbox, letter)
        with _connect(mailbox, seconds) as server:
            _introduce(server, mailbox)
            refused = server.send_message(message)
    except smtplib.SMTPAuthenticationError as error:
        # The server's own words may repeat what it was sent.
        words = f"{_at(mailbox)} refused the login ({error.smtp_code}); check SMTP_USER and SMTP_PASSWORD"
        raise MailError(words) from None
    except (smtplib.SMTPException, OSError, MessageError, ValueError) as error:
        raise MailError(f"{_at(mailbox)}: {_cause(error)}; check SMTP_HOST and SMTP_PORT, then the server") from None
    if refused:
        raise MailError(f"{_at(mailbox)} refused {', '.join(refused)}; check ALERT_RECIPIENT")


def _message(mailbox: Mailbox, letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = " ".join(redact.text(letter.subject).split())
    # Servers mostly let a user write only as himself; a relay without users is told the recipient's own address.
    message["From"] = mailbox.user if mailbox.user and "@" in mailbox.user else mailbox.recipients[0]
    message["To"] = ", ".join(mailbox.recipients)
    message["Date"] = formatdate(clock.now().timestamp())
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    message.set_content(redact.text(letter.body))
    return message


def _connect(mailbox: Mailbox, seconds: float) -> smtplib.SMTP:
    if mailbox.port == IMPLICIT_TLS:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(mailbox.host, mailbox.port, timeout=seconds, context=context)
    return smtplib.SMTP(mailbox.host, mailbox.port, timeout=seconds)


def _introduce(server: smtplib.SMTP, mailbox: Mailbox) -> None:
    """Greet, turn to TLS where it is offered, log in where a user is set."""
    server.ehlo_or_helo_if_needed()
    private = isinstance(server, smtplib.SMTP_SSL) or _loopback(mailbox.host)
    if not isinstance(server, smtplib.SMTP_SSL) and server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
        private = True
    if mailbox.user is None:
        return
    if not private:
        raise MailError(
            f"{_at(mailbox)} offers no STARTTLS, and a password is not sent in the clear; "
            f"use SMTP_PORT={IMPLICIT_TLS} or another server"
        )
    server.login(mailbox.user, mailbox.password or "")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _at(mailbox: Mailbox) -> str:
    return f"mail server {mailbox.host}:{mailbox.port}"


def _cause(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"refused {', '.join(error.recipients)}"
    return str(error) or type(error).__name__

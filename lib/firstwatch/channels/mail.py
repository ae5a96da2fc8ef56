"""
E-mail, by SMTP: one letter to one address.

**At least once**: a mail server cannot be asked whether it took a letter, and a customer who is not told is worse off
than one who is told twice. A letter that is sent again has the same Message-ID, by which mail programs show it once.
"""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from firstwatch.channels.channel import Case
from firstwatch.channels.texts import headed
from firstwatch.channels.wire import credential
from firstwatch.errors import BadParameter, Refused, Unavailable
from firstwatch.reach import Mail as Settings
from firstwatch.record.messages import Message
from firstwatch.systems.deadline import bounded
from firstwatch.systems.reason import reason


@dataclass(frozen=True, slots=True)
class Mail:
    settings: Settings
    deadline_s: float
    name: str = "mail"
    by_hand: str = ""

    def arrived(self, message: Message, case: Case) -> str:
        """Return nothing: nobody can tell. The same Message-ID makes a second copy harmless."""
        return ""

    def send(self, message: Message, case: Case) -> str:
        """Hand *message* to the mail server; the receipt is its Message-ID."""
        letter = self.letter(message)
        where = f"{self.settings.host}:{self.settings.port}"
        bounded(self.deadline_s, f"mail to {message.to} by {where}", lambda: self._hand(letter, message.to))
        return str(letter["Message-ID"])

    def letter(self, message: Message) -> EmailMessage:
        """Return *message* as it is sent; BadParameter when its address is none."""
        subject, body = headed(message.text)
        letter = EmailMessage(policy=SMTP)
        domain = parseaddr(self.settings.sender)[1].rpartition("@")[2] or "localhost"
        try:
            letter["From"], letter["To"], letter["Subject"] = self.settings.sender, _address(message.to), subject
        except ValueError as error:
            raise BadParameter(f"mail to {message.to!r}: {error}") from error
        letter["Message-ID"], letter["Date"] = f"<{message.id}@{domain}>", format_datetime(message.at)
        letter["Auto-Submitted"] = "auto-generated"  # so that no holiday notice answers it
        letter.set_content(body + "\n", cte="8bit" if body.isascii() else "quoted-printable")
        return letter

    def _hand(self, letter: EmailMessage, to: str) -> None:
        try:
            with self._connected() as server:
                server.send_message(letter)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise _refusal(f"mail to {to}", code, said) from error
        except smtplib.SMTPAuthenticationError as error:
            raise Refused(f"mail: {self.settings.host} does not accept {self.settings.user}") from error
        except smtplib.SMTPResponseException as error:
            raise _refusal(f"mail to {to}", error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise Unavailable(f"mail by {self.settings.host}:{self.settings.port}: {reason(error)}") from error

    def _connected(self) -> smtplib.SMTP:
        where, context = self.settings, ssl.create_default_context()
        if where.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(where.host, where.port, timeout=self.deadline_s, context=context)
        else:
            server = smtplib.SMTP(where.host, where.port, timeout=self.deadline_s)
        if where.security == "starttls":
            server.starttls(context=context)
        if where.user:
            server.login(where.user, credential(where.credential))
        return server


def _address(text: str) -> str:
    name, address = parseaddr(text)
    if name or address != text or "@" not in text.strip("@") or any(letter.isspace() for letter in text):
        raise ValueError("that is not an address")
    return address


def _refusal(doing: str, code: int, said: bytes | str) -> Exception:
    """Return what *code* means: of 5xx the text or its address is refused for good, of 4xx for now."""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return (BadParameter if 500 <= code < 600 else Unavailable)(f"{doing}: the server says {code} {words[:200]}")

"""A mail server on loopback that says what it is told to, and remembers what it heard."""

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


@dataclass
class Post:
    """What one server offers and has taken in. An empty reply to a verb hangs up instead of answering."""

    port: int = 0
    extensions: tuple[str, ...] = ()
    replies: dict[str, str] = field(default_factory=dict)
    verbs: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        post: Post = self.server.post
        self._say("220 loopback")
        while line := self.rfile.readline().strip().decode():
            verb = line.split()[0].upper()
            post.verbs.append(verb)
            told = post.replies.get(verb)
            if told == "":
                return
            if told is not None:
                self._say(told)
            elif verb == "EHLO":
                names = ["loopback", *post.extensions]
                self._say("\r\n".join(f"250{' ' if n == names[-1] else '-'}{n}" for n in names))
            elif verb == "AUTH":
                post.logins.append(base64.b64decode(line.split()[-1]).decode())
                self._say("235 come in")
            elif verb == "DATA":
                self._say("354 go on")
                post.letters.append(message_from_bytes(self._text(), policy=default))
                self._say("250 taken")
            else:
                self._say("221 bye" if verb == "QUIT" else "250 ok")

    def _text(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, post: Post) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.post = post


@contextmanager
def mail_server(extensions: tuple[str, ...] = (), replies: dict[str, str] | None = None) -> Iterator[Post]:
    """A running server; the port it listens on is in its post."""
    with _Server(Post(extensions=extensions, replies=replies or {})) as server:
        server.post.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server.post
        server.shutdown()
        thread.join()

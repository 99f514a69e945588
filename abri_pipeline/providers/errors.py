"""What can go wrong with an upstream, drawn as a tree.

    UpstreamError
    ├── Transient      worth another try later
    │   ├── RateLimited    asked too often; `retry_after` says for how long to wait
    │   ├── Unreachable    no connection
    │   ├── ServerFailed   5xx
    │   ├── TimedOut       no answer in time
    │   └── Truncated      the answer broke off
    ├── Permanent      the same request will fail again
    │   ├── Absent         no such symbol, series or page
    │   ├── Refused        not entitled, blocked, or a web page instead of data
    │   └── BadRequest     the request makes no sense to the upstream
    └── Malformed      an answer arrived whole, but is not what its wire promises

Every message is one plain line that names the cause and the mend, free of keys.
Belongs here: the tree. Does not belong here: the decision which branch applies (transport, and each parser).
"""

from typing import ClassVar, Literal

from abri_pipeline.providers import redact

Kind = Literal["transient", "permanent", "absent", "malformed", "refused"]


class UpstreamError(Exception):
    """An upstream did not give what was asked.

    Attributes:
        kind: the branch in one word, as the audit and the reports store it.
        provider: the upstream, such as `yahoo`.
        url: the address asked, without keys; empty where no request was made.
        status: the HTTP status, or None.
        detail: the first words of the upstream's own answer, without keys; may be empty.
        retry_after: seconds the upstream asked us to wait, or None.
    """

    kind: ClassVar[Kind] = "permanent"

    def __init__(
        self,
        provider: str,
        message: str,
        *,
        url: str = "",
        status: int | None = None,
        detail: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.provider = provider
        self.message = redact.text(message)
        self.url = redact.url(url)
        self.status = status
        self.detail = redact.text(detail)
        self.retry_after = retry_after
        super().__init__(f"{provider}: {self.message}" + (f" [{self.url}]" if self.url else ""))

    def told_as(self, branch: "type[UpstreamError]", message: str) -> "UpstreamError":
        """The same failure under a branch that fits better, with a plainer message."""
        return branch(
            self.provider,
            message,
            url=self.url,
            status=self.status,
            detail=self.detail,
            retry_after=self.retry_after,
        )


class Transient(UpstreamError):
    """Another try later may succeed."""

    kind = "transient"


class RateLimited(Transient):
    """Asked too often."""


class Unreachable(Transient):
    """No connection: wrong address, no network, or nobody listens."""


class ServerFailed(Transient):
    """The upstream says that it is broken (5xx)."""


class TimedOut(Transient):
    """No complete answer within the time allowed."""


class Truncated(Transient):
    """The answer broke off, or its compression is damaged."""


class Permanent(UpstreamError):
    """The same request will fail again."""

    kind: ClassVar[Kind] = "permanent"


class Absent(Permanent):
    """The upstream does not know the symbol, series or page, or has nothing for the window."""

    kind = "absent"


class Refused(Permanent):
    """Not entitled, blocked, or answered with a web page instead of data."""

    kind = "refused"


class BadRequest(Permanent):
    """The request makes no sense to the upstream, or to us before it is sent."""


class Malformed(UpstreamError):
    """An answer arrived whole but does not have the shape its wire promises."""

    kind = "malformed"

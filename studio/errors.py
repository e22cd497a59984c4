"""Every error the studio raises on purpose.

StudioError                 anything a person can do something about
+-- InputError              what was given cannot be used (exit 2)
|   +-- NotFoundError       the named thing does not exist
|   +-- ConflictError       it exists already, or somebody was faster
+-- WorkspaceError          the file is not ours, or cannot be read or written
|   +-- DamagedError        it was the studio's and cannot be read whole any more
|   +-- DiskFullError       there is no space left for what was to be stored
+-- WeightsError            a model's weights were altered
+-- PortTakenError          another program listens on the wished port
+-- WorkerError             the worker is dead or does not answer
+-- RunFailedError          a run or fine-tune ended without success
+-- ProviderError           the service spoken to did not do what was asked
    +-- ProviderUnavailableError    not reachable, or it failed by itself
    |   +-- NoAnswerError           asked, but no answer came: it may have worked and be paid
    +-- AuthenticationError         the key is missing or refused
    +-- RateLimitedError            asked too fast; carries `retry_after_s`
    +-- QuotaExhaustedError         no money or quota left; asking again is useless
    +-- RefusedRequestError         the service says the request is wrong
    +-- BadReplyError               the reply does not hold to the protocol
    +-- ConsentNeededError          nothing leaves the machine before somebody agreed

A message is one sentence: what happened and to what. `next_step` says what to do about it.
Screens and the command line show any StudioError kindly; everything else is a bug and fails loudly.
"""

from __future__ import annotations


class StudioError(Exception):
    """Something a person can do something about.

    Args:
        message: One sentence: what happened, to what.
        next_step: One sentence: what to do next; may be empty.

    Attributes:
        code: Stable machine-readable name, the same in `--json`.
        exit_code: What the command line exits with.

    >>> str(NotFoundError("There is no task 'x'.", next_step="See `studio task list`."))
    "There is no task 'x'. See `studio task list`."
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


class InputError(StudioError):
    """What was given cannot be used."""

    code = "bad_input"
    exit_code = 2


class NotFoundError(InputError):
    """The named thing does not exist."""

    code = "not_found"


class ConflictError(InputError):
    """It exists already, or somebody else was faster."""

    code = "conflict"


class WorkspaceError(StudioError):
    """The workspace file is not ours, or cannot be read or written."""

    code = "workspace"


class DamagedError(WorkspaceError):
    """The workspace file cannot be read whole any more; it is left as it is."""

    code = "damaged"


class DiskFullError(WorkspaceError):
    """There is no space left; the last step was not stored, all before it was."""

    code = "disk_full"


class WeightsError(StudioError):
    """A model's weights are not the ones we know."""

    code = "weights"


class PortTakenError(StudioError):
    """Another program listens on the wished port."""

    code = "port_taken"


class WorkerError(StudioError):
    """The worker is dead or does not answer."""

    code = "worker"


class RunFailedError(StudioError):
    """A run or fine-tune ended without success."""

    code = "run_failed"


class ProviderError(StudioError):
    """The service spoken to did not do what was asked."""

    code = "provider"


class ProviderUnavailableError(ProviderError):
    """The service cannot be reached, or failed by itself; asking again may help.

    Attributes:
        retry_after_s: Seconds the service asked us to wait; None when it did not say.
    """

    code = "provider_unavailable"

    def __init__(
        self, message: str, *, next_step: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, next_step=next_step)
        self.retry_after_s = retry_after_s


class NoAnswerError(ProviderUnavailableError):
    """The service was asked and no answer came; whether it worked, and charges, is unknown."""

    code = "no_answer"


class AuthenticationError(ProviderError):
    """The key is missing or refused."""

    code = "authentication"


class RateLimitedError(ProviderError):
    """Asked too fast.

    Attributes:
        retry_after_s: Seconds the service asked us to wait; None when it did not say.
    """

    code = "rate_limited"

    def __init__(
        self, message: str, *, next_step: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, next_step=next_step)
        self.retry_after_s = retry_after_s


class QuotaExhaustedError(ProviderError):
    """No money or quota is left; asking again is useless."""

    code = "quota_exhausted"


class RefusedRequestError(ProviderError):
    """The service says that the request itself is wrong."""

    code = "refused_request"


class BadReplyError(ProviderError):
    """The reply does not hold to the protocol."""

    code = "bad_reply"


class ConsentNeededError(ProviderError):
    """Nothing leaves the machine before somebody agreed."""

    code = "consent_needed"
    exit_code = 2

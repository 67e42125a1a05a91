"""The three ways in which a command can fail, each with one line and one exit code."""


class TradewindsError(Exception):
    """A failure reported as one line: a reason, and the command that fixes it if there is one."""

    exit_code = 1

    def __init__(self, reason: str, command: str | None = None):
        super().__init__(reason)
        self.reason = reason
        self.command = command


class StepFailed(TradewindsError):
    """A step failed because of its data or environment (exit 1)."""


class BadRequest(TradewindsError):
    """The request itself is wrong: a bad date, an unknown name, an unreadable setting (exit 2)."""

    exit_code = 2


class Refused(TradewindsError):
    """A prerequisite is missing or has failed; the reason names each (exit 3)."""

    exit_code = 3

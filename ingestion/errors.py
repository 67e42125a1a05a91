"""The three ways a command can end badly; each is one clear line and one exit code."""


class TradewindsError(Exception):
    """A failure that is reported as one line; `exit_code` is the process's exit status."""

    exit_code = 1


class StepFailed(TradewindsError):
    """A step failed on its data or its surroundings (exit 1)."""


class BadRequest(TradewindsError):
    """The request itself is wrong: a bad date, an unknown name, an unreadable setting (exit 2)."""

    exit_code = 2


class Refused(TradewindsError):
    """A prerequisite is missing or has failed; the message names each (exit 3)."""

    exit_code = 3

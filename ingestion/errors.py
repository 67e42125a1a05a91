"""The three ways in which a command can fail, each with its exit code."""

from collections.abc import Sequence
from typing import Self


class TradewindsError(Exception):
    """A failure: a reason, and the command that fixes it if there is one.

    If the reason has several findings, a terminal shows one a line, then the hint and the page. `reason` is all of it
    but the page in one line, `head` is what it says before the findings.
    """

    exit_code = 1

    def __init__(
        self,
        reason: str,
        command: str | None = None,
        *,
        findings: Sequence[str] = (),
        hint: str | None = None,
        page: str | None = None,
    ):
        found = f": {'; '.join(findings)}" if findings else ""
        self.reason = f"{reason}{found}{f'; {hint}' if hint else ''}"
        super().__init__(self.reason)
        self.head, self.findings, self.hint, self.page = reason, tuple(findings), hint, page
        self.command = command

    @classmethod
    def of(
        cls,
        what: str,
        findings: Sequence[str],
        command: str | None = None,
        *,
        hint: str | None = None,
        page: str | None = None,
    ) -> Self:
        """Return a failure whose reason is its one finding, or the number of its findings: `3 tests failed`."""
        if len(findings) == 1:
            return cls(findings[0], command, hint=hint, page=page)
        return cls(f"{len(findings)} {what}", command, findings=findings, hint=hint, page=page)

    def retold(self, head: str, command: str | None = None) -> Self:
        """Return this failure under another head, with another command if there is one, and without its traceback."""
        return type(self)(head, command or self.command, findings=self.findings, hint=self.hint, page=self.page)


class StepFailed(TradewindsError):
    """A step failed because of its data or environment (exit 1)."""


class BadRequest(TradewindsError):
    """The request itself is wrong: a bad date, an unknown name, an unreadable setting (exit 2)."""

    exit_code = 2


class Refused(TradewindsError):
    """A prerequisite is missing or has failed; the reason names each (exit 3)."""

    exit_code = 3

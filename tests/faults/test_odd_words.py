"""Every argument of every command, fuzzed: one line and an exit code, no traceback, nothing outside the home."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from ingestion.settings import PROJECT
from pipeline.cli import main
from tests.faults.trials import IS_WHOLE
from tests.python.pipeline.test_command_line import COMMANDS

# They serve until they are stopped, or write where they are told to.
_LEFT_OUT = {"init", "serve", "mcp", "contracts", "sources api", "sources up", "sources sample", "people serve"}
# Nothing answers there, so that a command that an argument doesn't stop fails at once.
_DEAD = {
    "SOURCES__NORTHWIND__CREDENTIALS": "postgresql://u:p@127.0.0.1:1/x",
    "SOURCES__ORDER_DETAILS__PATH": "/nowhere/lines.csv",
    "SOURCES__EVENT_LOG__PATH": "/nowhere/events.csv",
    "SOURCES__COMMUNITY__BASE_URL": "http://127.0.0.1:1",
    "SOURCES__COMMUNITY__MAX_ATTEMPTS": "1",
    "PEOPLE_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x",
    "PEOPLE_API_URL": "http://127.0.0.1:1",
    "PEOPLE_API_KEY": "tw_1_2",
    "TRADEWINDS_POSTGRES_HOST": "127.0.0.1",
    "TRADEWINDS_POSTGRES_PORT": "1",
}
_HOSTILE = [
    "", " ", ".", "..", "-", "--", "---", "-1", "0", "1e9", "NaN", "%s%n", "{0}", "{{ x }}", "$HOME", "$(touch hit)",
    "`touch hit`", "; touch hit", "../../outside", "/outside/x", "~/x", "~nobody-at-all/x", "a/../../b",
    "file:///etc/passwd", "C:\\x", "\\\\host\\x", "/etc/passwd", "/dev/zero", "/proc/self/environ",
    "'; drop table orders; --", "\"; drop schema sales cascade; --", "x' or '1'='1", "northwind'--", "orders;",
    "NORTHWIND", "north wind", "northwind\n", "nоrthwind", "x" * 5000, "é" * 300, "💥", "\u202eabc", "\x1b[2J",
    "a\tb", "a\nb", "\r", "\udcff", "s3://b/x", "s3://k:s@b/x", "2021-02-30", "2021-13-01", "2021-1-1", "20210101",
    "2021-01-01T00:00", "2021-01-01 ", "٢٠٢١-٠١-٠١", "2021‐01‐01", "0000-00-00", "10000-01-01", "-2021-01-01",
    "2021-W01-1", "today", "2021-01-01/../x", "../2021-01-01",
]  # fmt: skip


@st.composite
def _typed(draw: st.DrawFn) -> list[str]:
    """Return a command with at least one odd argument; the others are odd, or left out if they may be."""
    name = draw(st.sampled_from(sorted(name for name in COMMANDS if name.removeprefix("tradewinds ") not in _LEFT_OUT)))
    taking = [one for one in COMMANDS[name].params if not getattr(one, "is_flag", False) and one.name != "help"]
    words, odd = name.split()[1:], st.sampled_from(_HOSTILE) | st.text(min_size=1, max_size=20).filter(_can_be_typed)
    if not taking:
        return [*words, draw(odd)]
    certain = draw(st.sampled_from(range(len(taking))))
    for place, parameter in enumerate(taking):
        if parameter.required or place == certain or draw(st.integers(0, 3)) == 0:
            value = draw(odd)
            words += [value] if parameter.param_type_name == "argument" else [parameter.opts[0], value]
    return words


def _can_be_typed(text: str) -> bool:
    """Whether a text can be an argument, and is odd: Hypothesis also draws words of the code, such as a target."""
    is_word = re.fullmatch(r"[\w.-]*", text, re.ASCII)
    return not is_word and "\0" not in text and not any(0xD800 <= ord(sign) <= 0xDFFF for sign in text)


def _type(words: list[str], home: Path) -> tuple[int, str, str]:
    output, errors = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with (
        patch.dict(os.environ, _DEAD | {"TRADEWINDS_HOME": str(home)}),
        patch.multiple(sys, argv=["tradewinds", *words], stdin=io.StringIO(), stdout=output, stderr=errors),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    texts = [stream.buffer.getvalue().decode() for stream in (output, errors) if not stream.flush()]
    return ended.value.code, *texts


def test_every_command_takes_odd_words_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, 2 or 3 with one failure; the folders beside the home and the project stay as they are."""
    here, home = tmp_path / "here" / "below", tmp_path / "home"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    changed = ["git", "status", "--porcelain"]
    before = subprocess.run(changed, cwd=PROJECT, capture_output=True, check=True).stdout

    @settings(
        max_examples=1_500 if IS_WHOLE else 80, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @seed(20)
    @given(_typed())
    def type_it(words: list[str]) -> None:
        code, output, errors = _type(words, home)
        assert "Traceback" not in output + errors, (words, errors)
        if "--help" in words or "-h" in words:
            return
        assert code in (1, 2, 3), (words, code, output, errors)
        first, *below = errors.strip().splitlines()
        assert first.startswith("tradewinds: "), (words, errors)
        assert all(line.startswith("  ") for line in below), (words, errors)
        assert all(line.isprintable() for line in (first, *below)), (words, errors)
        assert len(errors) < 8_000, words
        written = [path for path in (*tmp_path.iterdir(), *here.iterdir()) if path not in (home, here.parent)]
        assert not written, (words, written)

    type_it()
    assert subprocess.run(changed, cwd=PROJECT, capture_output=True, check=True).stdout == before

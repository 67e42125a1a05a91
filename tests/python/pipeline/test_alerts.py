"""Alerts, told once each to a real mail server and a real webhook."""

import json
from collections.abc import Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from aiosmtpd.controller import Controller

from tests.python.s3_servers import free_ports
from tests.python.sandbox import BUILT_DAY, Sandbox

pytestmark = pytest.mark.e2e
SECRET = "canary-4711"


class Inbox:
    """What a webhook and a mail server have received."""

    def __init__(self) -> None:
        self.posts: list[dict] = []
        self.mails: list[tuple[str, str]] = []

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802 -- aiosmtpd calls it so
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((mail["subject"], mail.get_body(("plain",)).get_content()))
        return "250 OK"


@pytest.fixture
def inbox(built: Sandbox) -> Iterator[Inbox]:
    """The receivers of the alerts of `built`."""
    received = Inbox()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    (mail_port,) = free_ports(1)
    web = HTTPServer(("127.0.0.1", 0), Hook)
    mail = Controller(received, hostname="127.0.0.1", port=mail_port)
    mail.start()
    Thread(target=web.serve_forever, daemon=True).start()
    addresses = f"mailto://127.0.0.1:{mail_port}/?from=days@tradewinds.example&to=you@tradewinds.example&mode=insecure"
    built.settings["TRADEWINDS_ALERTS"] = f"json://user:{SECRET}@127.0.0.1:{web.server_port}/hook {addresses}"
    yield received
    web.shutdown()
    mail.stop()


def test_a_failed_day_and_its_recovery_are_told_once_each(built: Sandbox, inbox: Inbox) -> None:
    published = built.home / "published" / "tradewinds.duckdb"
    kept = published.read_bytes()
    published.write_bytes(b"no database")
    for _ in range(2):
        assert SECRET not in built.fail(1, "publish", "--run-date", BUILT_DAY)
    (post,) = inbox.posts
    ((subject, text),) = inbox.mails
    assert post["title"] == subject == f"Tradewinds {BUILT_DAY}: publish failed"
    for told in (post["message"], text):
        assert f"publish {BUILT_DAY} failed: the published file " in told
        assert f"next: tradewinds publish --run-date {BUILT_DAY}" in told
        assert "owner: Data platform" in told
    published.write_bytes(kept)
    for _ in range(2):
        built.succeed("publish", "--run-date", BUILT_DAY)
    assert [post["title"] for post in inbox.posts[1:]] == [f"Tradewinds {BUILT_DAY}: recovered"]
    assert len(inbox.mails) == 2


def test_a_late_day_is_told_once_and_a_complete_one_never(built: Sandbox, inbox: Inbox) -> None:
    built.succeed("status", "--run-date", BUILT_DAY, "--alert")
    assert inbox.posts == []
    for _ in range(2):
        done = built.run("status", "--run-date", "2021-01-09", "--alert")
        assert done.returncode == 1, done.stderr
    assert [post["title"] for post in inbox.posts] == ["Tradewinds 2021-01-09: the day is late"]
    assert "next: tradewinds run --run-date 2021-01-09" in inbox.posts[0]["message"]
    # A refusal that leaves the entry of a finished step tells nobody.
    built.fail(3, "build", "--run-date", "2021-01-09")
    assert len(inbox.posts) == 1


def test_an_address_is_checked_and_a_dead_one_fails_no_day(built: Sandbox) -> None:
    built.settings["TRADEWINDS_ALERTS"] = f"nonsense://{SECRET}"
    told = built.fail(2, "publish", "--run-date", BUILT_DAY)
    assert "TRADEWINDS_ALERTS: address 1 is no URL that Apprise knows" in told
    assert SECRET not in told
    (port,) = free_ports(1)
    built.settings["TRADEWINDS_ALERTS"] = f"json://user:{SECRET}@127.0.0.1:{port}"
    done = built.run("status", "--run-date", "2021-01-09", "--alert")
    assert "an alert couldn't be sent to every address in TRADEWINDS_ALERTS" in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr

"""A server of the run history that is away is missed within seconds, and in a sentence."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.tracking.server import check_server


class Answers(BaseHTTPRequestHandler):
    """Answers all with the status that the first part of the path says."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        status = int(self.path.split("/")[1])
        body = b'{"experiments": []}' if status == 200 else b"<h1>no</h1>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After", "120")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Answers.asked = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_one_that_answers(server: str) -> None:
    check_server(f"{server}/200")


@pytest.mark.parametrize("status", [404, 500, 503, 429])
def test_one_that_fails_is_asked_twice_at_most(server: str, status: int) -> None:
    """Whatever it says of waiting."""
    with pytest.raises(AerialError, match="does not answer as MLflow's"):
        check_server(f"{server}/{status}")
    assert Answers.asked <= 2


@pytest.mark.parametrize("status", [401, 403])
def test_one_that_refuses(server: str, status: int) -> None:
    with pytest.raises(AerialError, match=r"refuses this user\. Set MLFLOW_TRACKING_USERNAME"):
        check_server(f"{server}/{status}")


def test_one_that_is_away() -> None:
    """With the remedy, and without the password."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # nothing listens
        with pytest.raises(AerialError, match="unset that to keep the history") as refused:
            check_server(f"http://me:secret@127.0.0.1:{bound.getsockname()[1]}")
    assert "secret" not in str(refused.value)


def test_what_a_run_sends_keeps_its_patience(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "9")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT", raising=False)
    with pytest.raises(AerialError):
        check_server(f"{server}/404")
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "9"
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in os.environ


def test_other_histories_are_not_asked() -> None:
    check_server("sqlite:////nowhere/mlflow.db")

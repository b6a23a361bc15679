"""The server that keeps the run history: asked before a run whether it is there."""

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.redaction import redact

_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "4",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
}
_REFUSALS = re.compile(r"error code 40[13]\b|UNAUTHENTICATED|PERMISSION_DENIED")


def check_server(address: str) -> None:
    """Ask a server for its experiments, with seconds of patience instead of MLflow's minutes.

    What a run later sends, it sends with the patience that MLflow has or is told.

    Parameters
    ----------
    address
        Of the run history; one that is no server's is left alone.

    Raises
    ------
    AerialError
        If it does not answer, or refuses.
    """
    place = urlsplit(address)
    if place.scheme not in ("http", "https"):
        return
    import mlflow
    from mlflow.exceptions import MlflowException

    shown = redact(place._replace(netloc=place.netloc.rpartition("@")[2]).geturl())
    try:
        with _patience():
            mlflow.MlflowClient(tracking_uri=address).search_experiments(max_results=1)
    except MlflowException as error:
        if _REFUSALS.search(str(error)):
            raise AerialError(
                f"The server of the run history, {shown}, refuses this user. Set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
            ) from None
        raise AerialError(
            f"The server of the run history, {shown}, does not answer as MLflow's. Start it, "
            "correct MLFLOW_TRACKING_URI, or unset that to keep the history in the data folder."
        ) from None


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _PATIENCE}
    os.environ.update(_PATIENCE)
    said = logging.getLogger("urllib3.connectionpool")  # each try again, as a warning
    level = said.level
    said.setLevel(logging.ERROR)
    try:
        yield
    finally:
        said.setLevel(level)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

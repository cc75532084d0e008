"""A vLLM server that samples for reinforcement learning: whether it answers, and what its failures mean to a user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deepimagine_tui.errors import DeepImagineError, MissingExtraError, NetworkError
from deepimagine_tui.extras import extra

_PATIENCE = 10.0
_START = "Start it as `deepimagine train plan RECIPE` prints it; then the same command goes on from the last checkpoint."


def check_answers(url: str) -> None:
    """Ask a server whether it is up, before anything is loaded for it.

    Raises:
        NetworkError: it does not answer, or not as a vLLM server that is ready.
    """
    import httpx

    try:
        status = httpx.get(f"{url.rstrip('/')}/health", timeout=_PATIENCE, follow_redirects=True).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NetworkError(f"No vLLM server answers at {url}.", _START) from error
    if status != httpx.codes.OK:
        raise NetworkError(f"The vLLM server at {url} is not ready: it answers with {status}.", _START)


@contextmanager
def asked(url: str) -> Iterator[None]:
    """Tell what TRL's client raises over a server as one sentence; without a `url` nothing is told otherwise.

    Raises:
        NetworkError: the server is gone, or answered with an error.
        MissingExtraError: vLLM's own client is not installed here.
    """
    if not url:
        yield
        return
    requests = extra("requests")
    try:
        yield
    except DeepImagineError:
        raise
    except requests.RequestException as error:
        raise NetworkError(f"The vLLM server at {url} does not answer any more.", _START) from error
    except ImportError as error:
        hint = "pip install 'trl[vllm]'"
        raise MissingExtraError("vLLM, which sends the weights to its server, is not installed here.", hint) from error
    except Exception as error:
        # TRL's client raises bare exceptions over a server's answers; what is not of them is not ours to explain.
        reason = " ".join(str(error).split())
        if url not in reason and not reason.startswith("Request failed"):
            raise
        raise NetworkError(f"The vLLM server at {url} cannot be used: {reason[:300].rstrip('.')}.", _START) from error

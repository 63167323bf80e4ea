"""Optuna's dashboard, where its extra is installed."""

import socket
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from space import Refusal
from studies import OpenStudy

from .budgets import limits_in_words
from .config import StudyConfig

HOST = "127.0.0.1"  # it has no authentication: never any other
INSTALL = "pip install 'attention-search[dashboard]'"
FIGURE = "attention-front"  # its name in the dashboard
NOTE = "**What these points are.**"  # how our note begins; another is the user's own


def is_installed() -> bool:
    """Say whether the extra is there."""
    return find_spec("optuna_dashboard") is not None


def save_figure(study: OpenStudy, figure: Any) -> None:  # noqa: ANN401 - plotly has no types
    """Keep our front where the dashboard shows it: its own shows raw single runs."""
    if not is_installed():
        return
    from optuna_dashboard import save_plotly_graph_object

    save_plotly_graph_object(study.optuna, figure, graph_object_id=FIGURE)


def save_note(study: OpenStudy, config: StudyConfig) -> None:
    """Keep our note on the study where the dashboard shows it; one of the user's own stays."""
    if not is_installed():
        return
    from optuna_dashboard import get_note
    from optuna_dashboard import save_note as save

    found, text = get_note(study.optuna), note_of(config)
    if found != text and (not found or found.startswith(NOTE)):
        save(study.optuna, text)


def note_of(config: StudyConfig) -> str:
    """Return what a reader of the dashboard must know, as Markdown."""
    return (
        f"{NOTE} Each is one training with its noise, replicates included: the luckiest looks "
        "best. Trials marked as pruned were stopped early, or never trained since a rule refused "
        "them.\n\n"
        f"**Where the front is.** The estimates are in this study's figure `{FIGURE}`, in the "
        "database's table `pareto_front`, and in `search front`.\n\n"
        f"**Budgets.** Proposals have {limits_in_words(config.limits)}.\n"
    )


def serve(url: str, port: int, say: Callable[[str], None]) -> None:
    """Serve the dashboard on this machine only, until Ctrl-C.

    Raises:
        Refusal: the extra is missing, or the port is taken.
    """
    if not is_installed():
        raise Refusal(f"the dashboard is an extra that is not installed; {INSTALL}")
    from optuna_dashboard import run_server

    _refuse_taken(port)
    say(f"http://{HOST}:{port}/dashboard  (Ctrl-C ends it)")
    run_server(url, host=HOST, port=port)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Refusal(f"--port {port} cannot be used: {error.strerror}; choose one") from error

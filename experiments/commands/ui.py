"""whyfit ui: open MLflow's pages on this machine."""

import os
import socket
import sys
from dataclasses import dataclass

from ..errors import UserError
from .parsing import parse

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ui:
    """Where MLflow's pages are served."""

    port: int = 5000
    """Port to try first; when it is taken, the next free one is used and said."""


def main(arguments: list[str]) -> int:
    """Serve MLflow's pages until Ctrl-C, on this machine alone."""
    ui = parse(Ui, arguments, "whyfit ui", "Open MLflow's pages on this machine.")

    from ..tracking.delivery import bury_the_dead
    from ..tracking.store import client, database_file, default_uri

    bury_the_dead()
    uri = default_uri()
    if database_file(uri) is None:
        print(f"The runs are on the server {uri}: open that address.")
        return 0
    client(uri)
    port = free_port(ui.port)
    taken = "" if port == ui.port else f"  (port {ui.port} is taken)"
    print(f"MLflow at http://{HOST}:{port}{taken}\nCtrl-C ends it.", flush=True)
    os.environ |= {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    os.environ.setdefault("PYTHONWARNINGS", "ignore")  # the server's own deprecations are not the user's
    server = ["server", "--backend-store-uri", uri, "--host", HOST, "--port", str(port), "--workers", "1"]
    server += ["--uvicorn-opts", "--log-level warning"]
    return os.execv(sys.executable, [sys.executable, "-m", "mlflow", *server])


def free_port(first: int) -> int:
    """The first free port from `first` on.

    Raises:
        UserError: No port from there on is free.
    """
    for port in range(first, min(first + 100, 65_536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise UserError(f"--port must be the first of 100 ports one of which is free, got {first}")

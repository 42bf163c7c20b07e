"""whyfit ui: open MLflow's pages on this machine."""

import os
import socket
import subprocess
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
    compare: str = ""
    """Name of a search whose trials are compared: where they stand is said, and opened on a screen."""


def main(arguments: list[str]) -> int:
    """Serve MLflow's pages until Ctrl-C, on this machine alone."""
    ui = parse(Ui, arguments, "whyfit ui", "Open MLflow's pages on this machine.")

    from ..tracking.delivery import bury_the_dead
    from ..tracking.store import client, database_file, default_uri

    bury_the_dead()
    uri = default_uri()
    if ui.compare and not search_exists(ui.compare):
        raise UserError(f"--compare must be the name of a search, got {ui.compare!r}")
    if database_file(uri) is None:
        print(f"The runs are on the server {uri}: open that address.")
        for line in _pages(uri, ui.compare):
            print(line)
        return 0
    client(uri)
    port = free_port(ui.port)
    taken = "" if port == ui.port else f"  (port {ui.port} is taken)"
    address = f"http://{HOST}:{port}"
    print(f"MLflow at {address}{taken}")
    pages = _pages(address, ui.compare)
    print("\n".join([*pages, "Ctrl-C ends it."]), flush=True)
    if pages:
        _open_when_up(address, pages[0].split()[-1])
    os.environ |= {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    os.environ.setdefault("PYTHONWARNINGS", "ignore")  # the server's own deprecations are not the user's
    server = ["server", "--backend-store-uri", uri, "--host", HOST, "--port", str(port), "--workers", "1"]
    server += ["--uvicorn-opts", "--log-level warning"]
    return os.execv(sys.executable, [sys.executable, "-m", "mlflow", *server])


def search_exists(name: str) -> bool:
    """Whether there is a search of this name, or a part of one, on this disk."""
    from ..run_folder import runs_root
    from ..search.config import JOURNAL

    return (runs_root() / "state" / name / JOURNAL).exists()


def _pages(address: str, search: str) -> list[str]:
    """Where a search's trials stand side by side: all in charts, and the best ones in full."""
    if not search:
        return []
    from ..tracking.comparison import best_trials_page, charts_page

    return [
        f"all trials:  {charts_page(address, search)}",
        f"the best:    {best_trials_page(address, search)}",
    ]


def _open_when_up(address: str, page: str) -> None:
    """Have a browser open the page once the server answers, where there is a screen to show it on."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"):
        return
    program = (
        "import sys, time, urllib.request, webbrowser\n"
        "for _ in range(120):\n"
        "    try:\n"
        "        urllib.request.urlopen(sys.argv[1] + '/health', timeout=1)\n"
        "        break\n"
        "    except OSError:\n"
        "        time.sleep(0.5)\n"
        "webbrowser.open(sys.argv[2])\n"
    )
    subprocess.Popen([sys.executable, "-c", program, address, page], stderr=subprocess.DEVNULL)


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

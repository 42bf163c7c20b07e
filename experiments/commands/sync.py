"""whyfit sync: bring to MLflow what has not got there yet."""

from dataclasses import dataclass

from .. import state
from ..errors import UserError
from ..run_folder import all_runs
from ..tracking.delivery import bury_the_dead, deliver, is_delivered
from .parsing import parse


@dataclass(frozen=True)
class Sync:
    """No arguments."""


def main(arguments: list[str]) -> int:
    """Deliver the journals of all runs that no process is working on."""
    parse(Sync, arguments, "whyfit sync", "Bring to MLflow what has not got there yet.")
    bury_the_dead()
    waiting = [folder for folder in all_runs() if not is_delivered(folder)]
    if not waiting:
        print("MLflow has everything.")
        return 0
    for folder in waiting:
        try:
            with folder.lock:
                deliver(folder)
        except state.InUse as error:
            print(f"{folder.name}: {error}, which delivers by itself")
            continue
        except Exception as error:
            uri = folder.record["tracking_uri"]
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"the tracking server must answer at {uri}, got {reason}") from error
        print(f"{folder.name}: delivered")
    return 0

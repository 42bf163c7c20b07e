"""The command line: `whyfit COMMAND ...`, or `python -m experiments COMMAND ...` from the checkout."""

import os
import sys


def main() -> None:
    """Run a command and leave with its exit code: 0, 2 for a mistake of the user's, 130 after Ctrl-C."""
    from whyfit.experiments.commands import run

    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:  # the reader of our output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()

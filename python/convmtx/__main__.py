"""The command line: ``python -m convmtx`` and the script ``convmtx``."""

import sys

from ._core import run_cli


def main() -> int:
    """Runs the program with the words of the command line; returns its exit code."""
    sys.stdout.flush()  # the program writes to the same descriptors, past Python's buffers
    sys.stderr.flush()
    return run_cli(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

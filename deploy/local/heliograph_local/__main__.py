"""./dev COMMAND, once the packages are there."""

import signal
import sys

from . import commands
from .problem import Problem


def main() -> int:
    # A closed terminal, a kill or a CI job's end stop us as Ctrl-C does. A shell starts what it puts into the background
    # with Ctrl-C ignored.
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)
    try:
        return commands.run(sys.argv[1], sys.argv[2:])
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What was started stays; ./dev down ends it.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1  # the reader of our output has gone, as `head` does


if __name__ == "__main__":
    sys.exit(main())

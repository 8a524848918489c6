"""./dev COMMAND, once the packages are there."""

import sys

from . import commands
from .problem import Problem


def main() -> int:
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

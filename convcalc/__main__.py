"""``python -m convcalc``."""

import sys

from convcalc.cli import main

if __name__ == "__main__":
    sys.exit(main())

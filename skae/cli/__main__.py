"""``python -m skae.cli`` is the command `skae`."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())

"""The command ``skae``, also as ``python -m skae``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())

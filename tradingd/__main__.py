"""`python -m tradingd` is the same as the `tradingd` command."""

import sys

from tradingd.cli.main import tradingd

if __name__ == "__main__":
    sys.exit(tradingd())

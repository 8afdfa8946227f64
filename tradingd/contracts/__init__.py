"""Published layouts as JSON Schemas and rules: find, check, explain.

Belongs here: reading a folder of contracts, ours or a stranger's, and judging documents by it.
Never here: what the documents are about, and who writes them.
"""

from tradingd.contracts.checking import Verdict, check
from tradingd.contracts.folder import Contracts, load

__all__ = ["Contracts", "Verdict", "check", "load"]

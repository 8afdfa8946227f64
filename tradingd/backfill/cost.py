"""What a run would cost, before the first paid byte."""

import threading
from collections.abc import Sequence
from decimal import Decimal

from tradingd.backfill.job import Job
from tradingd.backfill.provider import BookProvider, Retry
from tradingd.config.backfill import BackfillConfig
from tradingd.kits.backoff import jittered
from tradingd.kits.failure import ExitCode, Failure


def estimate(provider: BookProvider, jobs: Sequence[Job], config: BackfillConfig) -> Decimal | None:
    """Return the vendor's price of all jobs in USD; None: free of charge, or nothing to fetch.

    Raises
    ------
    Failure
        SOURCE when the vendor does not answer, or what it refuses with.
    """
    if not jobs:
        return None
    wanted = [(job.task.day, job.vendor_symbol, job.window) for job in jobs]
    first, longest = config.backoff_initial_ms / 1_000, config.backoff_max_ms / 1_000
    for attempt in range(config.tries):
        try:
            return provider.estimate(wanted)
        except Retry as trouble:
            last = trouble
        if attempt + 1 < config.tries:
            wait = max(jittered(attempt, first=first, longest=longest), min(last.wait or 0.0, 60.0))
            threading.Event().wait(wait)
    raise Failure(
        "the vendor does not say what the backfill would cost",
        code=ExitCode.SOURCE,
        where=provider.name,
        found=last.reason,
        next_step="run it again later; nothing was fetched",
    )


def check_limit(price: Decimal | None, limit: Decimal | None, tasks: int) -> None:
    """Refuse a price above the limit.

    Raises
    ------
    Failure
        SPENDING, naming estimate, limit and what to do.
    """
    if price is None or limit is None or price <= limit:
        return
    raise Failure(
        "the backfill would cost more than it may",
        code=ExitCode.SPENDING,
        where="backfill.provider.spending_limit",
        expected=f"at most {limit:f} USD",
        found=f"an estimate of {price:f} USD for {tasks} tasks",
        next_step="raise the limit, or ask for less (--last, --max-tasks, a shorter window); "
        "nothing was fetched",
    )

"""What a run would cost, before the first paid byte."""

from collections.abc import Sequence
from decimal import Decimal

from tradingd.backfill.job import Job
from tradingd.backfill.provider import BookProvider, Retry
from tradingd.backfill.records import usd
from tradingd.kits.failure import ExitCode, Failure


def estimate(provider: BookProvider, jobs: Sequence[Job]) -> Decimal | None:
    """Return the vendor's price of all jobs in USD; None: free of charge, or nothing to fetch.

    Raises
    ------
    Failure
        SOURCE when the vendor does not answer (the provider asked as often as it may), or what it
        refuses with.
    """
    if not jobs:
        return None
    wanted = [(job.task.day, job.vendor_symbol, job.window) for job in jobs]
    try:
        return provider.estimate(wanted)
    except Retry as trouble:
        raise Failure(
            "the vendor does not say what the backfill would cost",
            code=ExitCode.SOURCE,
            where=provider.name,
            found=trouble.reason,
            next_step="run it again later; nothing was fetched",
        ) from trouble


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
        expected=f"at most {usd(limit)}",
        found=f"an estimate of {usd(price)} for {tasks} tasks",
        next_step="raise the limit, or ask for less (--last, --max-tasks, a shorter window); "
        "nothing was fetched",
    )

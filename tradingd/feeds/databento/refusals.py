"""What Databento refuses, in words a person can act on."""

from tradingd.config.secrets import Secret
from tradingd.kits.failure import ExitCode, Failure


def unreachable(address: str, why: str) -> Failure:
    """Return the failure to reach the gateway."""
    return Failure(
        f"no connection to Databento's gateway: {why}",
        code=ExitCode.FEED,
        where=address,
        expected="an open way out to that host and port",
        next_step="check the network and any firewall; depth.dataset names the host",
    )


def unauthorised(address: str, key: Secret, why: str) -> Failure:
    """Return the refusal of the key, the licence or one more session."""
    return Failure(
        f"Databento refuses the session: {why}",
        code=ExitCode.FEED,
        where=f"{address}, key of {key.label}",
        expected="a key whose account has a live licence for the dataset",
        next_step="check depth.key and depth.dataset, the licence at databento.com/portal, and "
        "that no other program uses up the sessions",
    )


def no_key(key: Secret) -> Failure:
    """Return the failure for a key that is empty."""
    return Failure(
        "there is no Databento key",
        code=ExitCode.CONFIG,
        where=key.label,
        expected="an API key of 32 characters",
        found="nothing but spaces",
        next_step="set depth.key to where the key is: env:NAME, credential:NAME or file:PATH",
    )


def unknown_symbol(symbol: str, dataset: str, why: str) -> Failure:
    """Return the failure to resolve a symbol."""
    return Failure(
        f"Databento does not know {symbol}: {why}",
        code=ExitCode.UNKNOWN_SYMBOL,
        where=f"{symbol} in {dataset}",
        expected="a raw symbol of the dataset, traded today",
        next_step="check its spelling as the venue writes it (BRK.B), and depth.dataset",
    )


def no_subscription(symbol: str, dataset: str, why: str) -> Failure:
    """Return the refusal of a subscription."""
    return Failure(
        f"Databento refuses {symbol}: {why}",
        code=ExitCode.FEED,
        where=f"{symbol} in {dataset}",
        next_step="check that the licence has depth.schema of depth.dataset live",
    )


def not_open() -> Failure:
    """Return the failure to use a feed that is not open."""
    return Failure(
        "the depth feed is not open",
        code=ExitCode.FEED,
        next_step="listen, then open, then subscribe",
    )

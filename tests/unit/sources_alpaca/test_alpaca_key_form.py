"""A key that no header can carry is refused before a library quotes it."""

import pytest

from tradingd.kits.failure import ExitCode, Failure
from tradingd.vendors.alpaca.data import DataClient
from tradingd.vendors.alpaca.keys import Keys

SECRET = "s3cr3t-that-nobody-may-read"


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        (Keys("PKTEST", f"{SECRET}\n"), "feed.secret_key"),
        (Keys("PKTEST", f"{SECRET} {SECRET}"), "feed.secret_key"),
        (Keys("PKTEST", f"{SECRET}é"), "feed.secret_key"),
        (Keys("PKTEST", ""), "feed.secret_key"),
        (Keys(f"PK{SECRET}\r\n", SECRET), "feed.key_id"),
    ],
)
def test_market_data_is_not_asked_with_what_is_no_key(keys: Keys, where: str) -> None:
    client = DataClient(keys, endpoint="http://127.0.0.1:1", where="feed")
    with pytest.raises(Failure, match="is no key") as caught:
        client.latest("bars", ["AAPL"], feed="iex")
    assert (caught.value.code, caught.value.where) == (ExitCode.CONFIG, where)
    assert SECRET not in caught.value.line()

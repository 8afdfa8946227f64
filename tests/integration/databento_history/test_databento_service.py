"""The service on loopback answers every free question that the vendor's own client can ask."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from databento import BentoClientError, Historical

from tests.servers.databento_history import KEY, HistoryServer, books, history_server

pytestmark = pytest.mark.real_data

DAY = {"start": "2025-04-03T13:30", "end": "2025-04-03T14:30"}
ASKED = {"dataset": "XNAS.ITCH", "symbols": "FROG", "schema": "mbp-10", **DAY}


@pytest.fixture(scope="module")
def server(real_data: Path) -> Iterator[HistoryServer]:
    with history_server(books(real_data), unit_price=Decimal(2)) as found:
        yield found


def client(server: HistoryServer, key: str = KEY) -> Historical:
    made = Historical(key, gateway=server.url)
    for part in (made.metadata, made.symbology, made.timeseries):
        part._base_url = part._base_url.replace("https://", "http://", 1)
    return made


def test_size_count_and_cost_agree(server: HistoryServer) -> None:
    metadata = client(server).metadata
    count, size = metadata.get_record_count(**ASKED), metadata.get_billable_size(**ASKED)
    assert (count, size) == (4_934, 4_934 * 368)
    assert metadata.get_cost(**ASKED) == float(2 * Decimal(size) / 2**30)


def test_counts_are_high_for_times_that_are_not_whole_ten_minutes(server: HistoryServer) -> None:
    odd = {**ASKED, "start": "2025-04-03T13:31"}
    asked = client(server)
    counted = asked.metadata.get_record_count(**odd)
    held = asked.timeseries.get_range(**odd).to_ndarray()
    assert len(held) < counted == 4_934


def test_datasets_schemas_prices_and_symbols_are_told(server: HistoryServer) -> None:
    asked = client(server)
    assert asked.metadata.list_datasets() == ["XNAS.ITCH"]
    assert asked.metadata.list_schemas("XNAS.ITCH") == ["mbp-10"]
    assert asked.metadata.list_unit_prices("XNAS.ITCH")[0]["unit_prices"] == {"mbp-10": 2.0}
    found = asked.symbology.resolve(
        "XNAS.ITCH", ["FROG", "ZZZZ"], "raw_symbol", "instrument_id", "2025-04-03"
    )
    assert found["result"]["FROG"] == [{"d0": "2025-04-03", "d1": "2025-04-04", "s": "6292"}]
    assert found["not_found"] == ["ZZZZ"]


def test_a_symbol_among_others_that_is_not_known_is_named_in_the_metadata(
    server: HistoryServer,
) -> None:
    store = client(server).timeseries.get_range(**{**ASKED, "symbols": "FROG,ZZZZ"})
    assert store.metadata.not_found == ["ZZZZ"]
    assert len(store.to_ndarray()) == 4_934


def test_another_key_is_refused_and_nothing_is_charged(server: HistoryServer) -> None:
    server.forget()
    with pytest.raises(BentoClientError, match="auth_authentication_failed"):
        client(server, "db-" + KEY[:2:-1]).timeseries.get_range(**ASKED)
    assert (server.billed, server.downloads.total()) == (0, 0)

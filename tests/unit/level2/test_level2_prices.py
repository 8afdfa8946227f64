import pytest

from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.prices import stored_count, stored_price


@pytest.mark.parametrize(
    ("nanos", "stored"),
    [
        (None, None),
        (100_000, 1),
        (31_130_000_000, 311_300),
        (214_748_364_600_000, 2**31 - 2),
    ],
    ids=["no-level", "smallest", "cents", "largest"],
)
def test_a_price_is_stored_in_ten_thousandths_of_a_dollar(
    nanos: int | None, stored: int | None
) -> None:
    assert stored_price(nanos, where="ABC") == stored


@pytest.mark.parametrize(
    "nanos",
    [31_130_000_001, 50_000, 0, -100_000, 214_748_364_700_000],
    ids=["finer", "half-a-unit", "zero", "negative", "too-large"],
)
def test_a_price_that_cannot_be_stored_exactly_is_refused_with_its_place(nanos: int) -> None:
    with pytest.raises(Failure) as refused:
        stored_price(nanos, where="ABC 2025-04-03T13:30:00Z")
    assert refused.value.code == ExitCode.INVALID_ROW
    assert refused.value.where == "ABC 2025-04-03T13:30:00Z"


def test_a_size_beyond_32_bits_is_refused() -> None:
    assert stored_count(2**31 - 1, where="ABC") == 2**31 - 1
    with pytest.raises(Failure, match="too large") as refused:
        stored_count(2**31, where="ABC")
    assert refused.value.code == ExitCode.INVALID_ROW

"""What finds future in features, on invented prices whose truth is known."""

import msgspec
import numpy as np
import pytest

from tradingd.config.training import ForwardReturn, LabelConfig, MetaLabel, TripleBarrier
from tradingd.learning.assemble import assemble
from tradingd.learning.dataset import Dataset
from tradingd.learning.labels import label
from tradingd.learning.leak import examine, prove
from tradingd.learning.leak.canary import NOISE, PEEK
from tradingd.learning.leak.examine import MOST_ROWS, _sample
from tradingd.learning.leak.outcomes import mid_ranks

SYMBOLS, DAYS = 12, 400


def shifted(values, bars):
    """The values of so many bars earlier; of later bars where negative."""
    moved = np.full(len(values), np.nan)
    if bars >= 0:
        moved[bars:] = values[: len(values) - bars]
    else:
        moved[:bars] = values[-bars:]
    return moved


def honest(logs, random):
    past = {bars: logs - shifted(logs, bars) for bars in (1, 5, 20, 60)}
    one = np.nan_to_num(past[1])
    spread = np.sqrt(np.convolve(one**2, np.ones(20) / 20)[: len(one)])
    return {
        "return_1": past[1],
        "return_5": past[5],
        "return_20": past[20],
        "return_60": past[60],
        "volatility": spread,
        "weekday": np.arange(len(logs)) % 5.0,
        "level": logs,
        "noise": random.normal(size=len(logs)),
    }


def leaking(logs):
    tomorrow = shifted(logs, -1) - logs
    return {
        "tomorrow": tomorrow,
        "return_5_a_bar_late": shifted(logs - shifted(logs, 5), -1),
        "return_20_a_bar_late": shifted(logs - shifted(logs, 20), -1),
        "size_of_tomorrow": np.abs(tomorrow),
        "week_ahead": shifted(logs, -5) - logs,
    }


def market(config: LabelConfig, *, seed=1, days=DAYS, symbols=SYMBOLS, sides=None) -> Dataset:
    """Random walks with changing volatility and a common part; honest features and leaks."""
    random = np.random.default_rng(seed)
    common = random.normal(0, 0.008, days)
    names, x, labels = (), [], {}
    ts = np.arange(1, days + 1) * 1_000
    for number in range(symbols):
        size = 0.012 * np.exp(np.sin(np.arange(days) / 30 + number))
        logs = np.cumsum(common + size * random.normal(size=days))
        close = 50 * np.exp(logs)
        reach = np.abs(random.normal(0, 0.004, days))
        columns = honest(logs, random) | leaking(logs)
        names = tuple(columns)
        x.append(np.column_stack(list(columns.values())))
        labels[f"S{number}"] = label(
            config, "classification", ts=ts, close=close, high=close * np.exp(reach),
            low=close * np.exp(-reach), sides=sides,
        )  # fmt: skip
    return assemble(
        names=names, universe=tuple(labels), symbol=np.repeat(np.arange(symbols), days),
        ts=np.tile(ts, symbols), session=np.tile(np.arange(days), symbols),
        x=np.concatenate(x), labels=labels, warmup=60,
    ).dataset  # fmt: skip


LEAKS = set(leaking(np.zeros(30)))


def only(dataset, names):
    kept = [number for number, name in enumerate(dataset.names) if name in names]
    return msgspec.structs.replace(
        dataset, names=tuple(dataset.names[number] for number in kept), x=dataset.x[:, kept]
    )


def with_column(dataset, name, column):
    return msgspec.structs.replace(
        dataset, names=(*dataset.names, name), x=np.column_stack((dataset.x, column))
    )


def honest_only(dataset):
    return only(dataset, set(dataset.names) - LEAKS)


CONFIGS = [ForwardReturn(bars=1), ForwardReturn(bars=5), ForwardReturn(bars=20), TripleBarrier()]
IDS = ["one bar", "a week", "a month", "barriers"]


@pytest.mark.parametrize("config", CONFIGS, ids=IDS)
def test_every_leaking_feature_is_named_and_no_honest_one(config):
    found = examine(market(config), seed=3)
    assert {leak.feature for leak in found.leaks} == LEAKS
    assert found.noticed


@pytest.mark.parametrize("config", CONFIGS, ids=IDS)
def test_honest_features_alone_are_passed_over_in_silence(config):
    for seed in range(5):
        found = examine(honest_only(market(config, seed=seed)), seed)
        assert (found.leaks, found.noticed) == ((), True), found


def test_a_leak_is_told_with_its_numbers():
    found = examine(market(ForwardReturn(bars=5)), seed=3)
    leaks = {leak.feature: leak for leak in found.leaks}
    late = leaks["return_20_a_bar_late"]
    assert late.skill > 0.4
    assert f"{late.skill:.3f}" in late.why
    assert "its news of each bar foretells the return to the next bar" in late.why
    assert "persistence" in late.why
    assert [leak.skill for leak in found.leaks] == sorted(
        (leak.skill for leak in found.leaks), reverse=True
    )


def test_one_leak_among_honest_features_is_found_for_one_symbol_too():
    dataset = market(ForwardReturn(bars=5), symbols=1, days=700)
    part = only(dataset, {*dataset.names} - LEAKS | {"return_5_a_bar_late"})
    assert [leak.feature for leak in examine(part, 1).leaks] == ["return_5_a_bar_late"]


def test_the_same_leaks_shifted_into_the_past_are_honest():
    dataset = market(ForwardReturn(bars=5))
    rows = np.arange(len(dataset))
    late = rows - 2 * SYMBOLS
    kept = rows[late >= 0]
    moved = dataset.x.copy()
    moved[kept] = dataset.x[late[kept]]
    week = list(dataset.names).index("week_ahead")
    moved[:, week] = 0
    assert examine(msgspec.structs.replace(dataset, x=moved).take(kept), 1).leaks == ()


def test_a_feature_that_is_the_answer_of_a_meta_label_is_named():
    sides = np.where(np.arange(DAYS) % 2 == 0, 1, -1)
    dataset = honest_only(market(MetaLabel(), sides=sides))
    found = examine(with_column(dataset, "answer", dataset.y), 1)
    assert [leak.feature for leak in found.leaks] == ["answer"]
    assert "the label" in found.leaks[0].why


def test_a_feature_that_knows_when_its_label_ends_is_named():
    dataset = honest_only(market(TripleBarrier()))
    found = examine(with_column(dataset, "bars_left", dataset.end - dataset.ts), 1)
    assert [leak.feature for leak in found.leaks] == ["bars_left"]
    assert "until its label ends" in found.leaks[0].why


def test_features_that_never_change_are_told_apart_from_leaks():
    dataset = honest_only(market(ForwardReturn()))
    dataset = with_column(dataset, "always", np.ones(len(dataset)))
    dataset = with_column(dataset, "never", np.full(len(dataset), np.nan))
    found = examine(dataset, 1)
    assert found.constant == ("always", "never")
    assert found.leaks == ()


def test_missing_values_that_tell_the_future_are_a_leak():
    dataset = honest_only(market(ForwardReturn(bars=5)))
    told = np.where(dataset.gain > 0, np.nan, 1.0)
    told[::7] = 2.0
    assert [leak.feature for leak in examine(with_column(dataset, "gaps", told), 1).leaks] == [
        "gaps"
    ]


def test_infinite_values_do_not_stop_the_examination():
    dataset = honest_only(market(ForwardReturn(bars=5)))
    random = np.random.default_rng(1)
    wild = random.choice([np.inf, -np.inf, np.nan, 0.0, 1e300], len(dataset))
    assert examine(with_column(dataset, "wild", wild), 1).leaks == ()


def test_too_little_data_is_said_to_prove_nothing():
    dataset = market(ForwardReturn(bars=5), symbols=1, days=90)
    found = examine(dataset, 1)
    assert not found.noticed
    assert "NOT noticed" in found.canary
    few = examine(dataset.take(np.arange(3)), 1)
    assert not few.noticed
    assert "not examined" in few.canary


def test_chance_in_a_short_history_is_no_leak_however_strong_it_looks():
    """Of 60 columns of noise on 40 rows some foretell the label with a correlation above 0.3."""
    found = []
    for seed in range(5):
        dataset = market(ForwardReturn(bars=1), symbols=1, days=101, seed=seed)
        noise = np.random.default_rng(seed).normal(size=(len(dataset), 60))
        names = tuple(f"noise_{number}" for number in range(60))
        found += examine(msgspec.structs.replace(dataset, names=names, x=noise), seed).leaks
    assert found == []


@pytest.mark.parametrize(("days", "bars"), [(700, 60), (400, 60), (400, 20)])
def test_slow_features_and_long_labels_of_one_symbol_are_no_leak(days, bars):
    """Few labels follow each other, so a slow feature goes with them by chance."""
    found = []
    for seed in (2, 5, 7, 9, 12):
        dataset = honest_only(market(ForwardReturn(bars=bars), symbols=1, days=days, seed=seed))
        found += examine(dataset, seed).leaks
    assert found == []


def test_two_leaks_do_not_hide_each_other():
    dataset = market(ForwardReturn(bars=5))
    tomorrow = dataset.x[:, list(dataset.names).index("tomorrow")]
    random = np.random.default_rng(1)
    faint = [mid_ranks(tomorrow) + 0.55 * random.normal(size=len(dataset)) for _ in range(2)]
    both = msgspec.structs.replace(dataset, names=("one", "two"), x=np.column_stack(faint))
    assert {leak.feature for leak in examine(both, 1).leaks} == {"one", "two"}


def test_no_rows_at_all_are_not_examined():
    found = examine(market(ForwardReturn(bars=5)).take(np.zeros(0, dtype=np.int64)), 1)
    assert not found.noticed
    assert found.leaks == ()


def test_the_same_data_and_seed_give_the_same_examination():
    dataset = market(ForwardReturn(bars=5))
    assert examine(dataset, 5) == examine(dataset, 5)


def test_of_many_rows_a_part_with_whole_stretches_of_time_is_examined():
    count, symbols = 400_000, 50
    ts = np.repeat(np.arange(count // symbols), symbols)
    big = Dataset(
        names=("x",), universe=tuple(f"S{n}" for n in range(symbols)),
        symbol=np.tile(np.arange(symbols), count // symbols), ts=ts, end=ts + 1,
        session=ts // 100, x=np.zeros((count, 1)), y=np.zeros(count), gain=np.zeros(count),
        weight=np.ones(count),
    )  # fmt: skip
    part = _sample(big, 1)
    assert MOST_ROWS / 2 < len(part) <= MOST_ROWS
    assert len(np.unique(part.symbol)) >= 18
    sessions = np.unique(part.session)
    assert sessions[0] < 5
    assert sessions[-1] > 70
    whole = part.ts[part.symbol == part.symbol[0]]
    assert (np.diff(whole) == 1).mean() > 0.95


def rank_correlation(dataset):
    """An evaluation: the best column's rank correlation with the gain on the second half."""
    half = len(dataset) // 2
    best = max(
        range(dataset.x.shape[1]),
        key=lambda column: abs(one(dataset.x[:half, column], dataset.gain[:half])),
    )
    return abs(one(dataset.x[half:, best], dataset.gain[half:]))


def one(column, gain):
    known = ~np.isnan(column)
    if not known.any() or np.ptp(column[known]) == 0:
        return 0.0
    return float(np.corrcoef(mid_ranks(column[known]), mid_ranks(gain[known]))[0, 1])


def test_an_evaluation_that_scores_out_of_sample_notices_the_canary():
    dataset = honest_only(market(ForwardReturn(bars=5)))
    found = prove(dataset, rank_correlation, 1)
    assert found.noticed
    assert found.with_peek == pytest.approx(0.7, abs=0.05)
    assert "noticed" in found.words


def test_an_evaluation_that_does_not_look_at_the_features_fails_the_proof():
    found = prove(honest_only(market(ForwardReturn(bars=5))), lambda _: 0.7, 1)
    assert not found.noticed
    assert "did NOT notice" in found.words


def test_the_evaluation_sees_the_features_and_one_planted_column_at_a_time():
    seen = []

    def evaluate(dataset):
        seen.append(dataset.names)
        return 0.0

    dataset = honest_only(market(ForwardReturn(bars=5), symbols=2))
    prove(dataset, evaluate, 1)
    assert seen == [(*dataset.names, PEEK), (*dataset.names, NOISE)]


@pytest.mark.parametrize("bars", [1, 5, 30])
def test_quotes_within_a_day_may_foretell_that_a_trade_at_the_bid_comes_back(bars):
    """Trades lie at the bid or the ask of a middle that walks: what quotes know is honest."""
    random = np.random.default_rng(4)
    sessions, minutes = 10, 300
    count = sessions * minutes
    middle = 50 * np.exp(np.cumsum(random.normal(0, 0.0004, count)))
    close = middle + 0.01 * random.choice([-1, 1], count)
    ts = np.arange(1, count + 1)
    logs = np.log(close)
    answers = label(
        ForwardReturn(bars=bars), "classification", ts=ts, close=close, high=close, low=close
    )
    columns = {
        "from_middle": middle / close - 1,
        "return_1": logs - shifted(logs, 1),
        "return_20": logs - shifted(logs, 20),
        "next_minute": shifted(logs, -1) - logs,
    }
    dataset = assemble(
        names=tuple(columns), universe=("S",), symbol=np.zeros(count, dtype=np.int64), ts=ts,
        session=ts // minutes, x=np.column_stack(list(columns.values())), labels={"S": answers},
    ).dataset  # fmt: skip
    found = examine(dataset, 1)
    assert [leak.feature for leak in found.leaks] == ["next_minute"]
    assert found.noticed, found.canary

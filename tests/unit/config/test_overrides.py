"""Overrides are told apart, and a wrong one is refused before Hydra sees it."""

import pytest

from tradingd.config.overrides import hydra_overrides, is_secret, parse
from tradingd.kits.failure import ExitCode, Failure


@pytest.mark.parametrize(
    ("text", "handed_over"),
    [
        ("strategy=ema_cross", "strategy=ema_cross"),
        ("strategy.fast=5", "++strategy.fast=5"),
        ("+strategy.fast=5", "++strategy.fast=5"),
        ("++strategy.fast=5", "++strategy.fast=5"),
        ("seed=9", "++seed=9"),
        ("strategy.fast=5,10", "++strategy.fast=5,10"),
        ("strategy=ema_cross,swing_trend", "strategy=ema_cross,swing_trend"),
        ("source.path=a=b", "++source.path=a=b"),
        ("store.root=~/x", "++store.root='~/x'"),
        ("store.root='~/x'", "++store.root='~/x'"),
        ("store.root=~/x,b,~/y", "++store.root='~/x',b,'~/y'"),
        ("strategy.params={path: '~/x'}", "++strategy.params={path: '~/x'}"),
        ("hydra/launcher=joblib", "hydra/launcher=joblib"),
        ("hydra.sweep.dir=x", "hydra.sweep.dir=x"),
        ("~site", "~site"),
    ],
)
def test_values_are_forced_and_the_rest_is_left_alone(text: str, handed_over: str) -> None:
    assert hydra_overrides([text]) == [handed_over]


@pytest.mark.parametrize("text", ["strategy", "=5", "", "strategy.fast"])
def test_what_is_not_key_equals_value_is_refused(text: str) -> None:
    with pytest.raises(Failure) as refused:
        parse(text)
    assert refused.value.code is ExitCode.CONFIG
    assert refused.value.where == "command line"


def test_an_unknown_group_names_the_nearest() -> None:
    with pytest.raises(Failure) as refused:
        parse("stratgy/x=1")
    assert refused.value.next_step == "did you mean strategy?"


@pytest.mark.parametrize("text", ["strategy.kind=ema_cross", "++strategy.kind=ema_cross"])
def test_the_kind_of_a_group_is_chosen_with_the_group(text: str) -> None:
    with pytest.raises(Failure) as refused:
        parse(text)
    assert refused.value.next_step == "strategy=ema_cross"


def test_the_kind_of_a_nested_choice_is_a_value() -> None:
    assert parse("execution.slippage.kind=fixed").is_value


@pytest.mark.parametrize(
    ("key", "hidden"),
    [
        ("broker.key_id", True),
        ("broker.secret_key", True),
        ("broker.secret_kye", True),
        ("strategy.params.api_key", True),
        ("strategy.params.password", True),
        ("strategy.fast", False),
        ("risk.short_availability", False),
    ],
)
def test_values_of_secret_keys_are_hidden_in_messages(key: str, hidden: bool) -> None:
    assert is_secret(tuple(key.split("."))) is hidden
    assert ("hunter2" in parse(f"{key}=hunter2").shown()) is not hidden

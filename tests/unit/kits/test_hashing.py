import hashlib
from decimal import Decimal

from tradingd.kits.hashing import file_hash, stable_hash
from tradingd.kits.nearest import nearest


def test_the_hash_does_not_depend_on_key_order():
    assert stable_hash({"a": 1, "b": [1, 2]}) == stable_hash({"b": [1, 2], "a": 1})


def test_the_hash_depends_on_every_value_and_on_list_order():
    assert len({stable_hash(value) for value in ([1, 2], [2, 1], {"a": 1}, {"a": 2})}) == 4


def test_the_hash_keeps_decimals_exact():
    assert stable_hash(Decimal("0.1")) != stable_hash(Decimal("0.10000000000000001"))


def test_a_file_hash_is_sha256_of_the_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"prices")
    assert file_hash(tmp_path / "x") == hashlib.sha256(b"prices").hexdigest()


def test_the_nearest_name_is_suggested_only_when_it_is_near():
    assert nearest("slwo", ["fast", "slow"]) == "slow"
    assert nearest("zzz", ["fast", "slow"]) is None

"""Build cost models from configuration; each call returns a fresh model for one run."""

from tradingd.config.broker import FeeSchedule
from tradingd.config.execution import FixedSlippage, NoSlippage, SlippageConfig
from tradingd.costs import rates, slippage
from tradingd.costs.alpaca import Alpaca
from tradingd.costs.borrow import AnnualBorrow
from tradingd.costs.free import NoCommission
from tradingd.costs.ibkr import IbkrFixed, IbkrTiered
from tradingd.domain.ports import BorrowModel, CommissionModel, SlippageModel


def commission_model(schedule: FeeSchedule) -> CommissionModel:
    """Return the dated commission schedule of that name."""
    match schedule:
        case "none":
            return NoCommission()
        case "alpaca":
            return Alpaca(rates.regulatory())
        case "ibkr_fixed":
            return IbkrFixed(rates.ibkr_fixed(), rates.regulatory())
        case "ibkr_tiered":
            return IbkrTiered(rates.ibkr_tiered(), rates.regulatory())


def slippage_model(config: SlippageConfig) -> SlippageModel:
    """Return the slippage model of `execution.slippage`."""
    if isinstance(config, NoSlippage):
        return slippage.NoSlippage()
    if isinstance(config, FixedSlippage):
        return slippage.FixedSlippage(config.basis_points)
    return slippage.SpreadVolatilitySlippage(
        config.half_spread_bps, config.volatility_share, config.window
    )


def borrow_model(annual_percent: float) -> BorrowModel:
    """Return the borrow fee model; 0 percent charges nothing."""
    return AnnualBorrow(annual_percent)

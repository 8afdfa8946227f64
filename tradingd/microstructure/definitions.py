"""What the measures mean, in words, beside the numbers."""

from typing import Final

DEFINITIONS: Final = {
    "usable": (
        "A state with a bid, an ask and bid < ask. Others (crossed, locked, one-sided, empty) are "
        "left out of spreads, mids, depth and queues, and counted."
    ),
    "every_change": (
        "Where the source is snapshots on a grid, all measures see only the grid: order flow "
        "between two snapshots is that of their difference."
    ),
    "tick": "One cent. Mid changes, spreads and costs are in ticks, or in basis points of the mid.",
    "flow": (
        "Order-flow imbalance of a level: sum over neighbouring states of "
        "1{P>=P0} q - 1{P<=P0} q0 for the bid less the mirror image for the ask "
        "(Cont, Kukanov & Stoikov 2014; level by level: Xu, Gould & Howison 2018). A missing level "
        "is the worst price with size 0. Pairs over gaps are left out."
    ),
    "impact": (
        "Least squares of the mid's change over (t-h, t] on order flow of the same interval "
        "(contemporaneous) or of the interval before (predictive), in 1,000 shares; t multiples of "
        "h in Unix time; regular hours only where the source has enough of them; intervals in "
        "which records were lost are left out; t-values plain and Newey-West. R2 in sample."
    ),
    "integrated": (
        "First principal component of multi-level order flow divided by average depth, weights "
        "scaled to absolute sum 1 (Cont, Cucuringu & Zhang 2023); in sample."
    ),
    "queue": (
        "Imbalance (bid size - ask size)/(bid size + ask size) at the best prices against the next "
        "move of the mid; each period between two moves weighs 1, its states by their time "
        "(Gould & Bonart 2016)."
    ),
    "microprice": (
        "Weighted mid: ask size x bid + bid size x ask over both sizes. Micro-price: expected mid "
        "after many moves by imbalance and spread (Stoikov 2018), in sample."
    ),
    "spread": "Ask less bid, weighted by the time each state stood; quantiles of time.",
    "depth": "Shares by level, weighted by time; slope: shares a tick away from the mid.",
    "resilience": (
        "Mean spread, and size on the side hit, some time after a trade against just before it; "
        "trades of one time are one event."
    ),
    "profile": "Shares by price (cent) and half hour; value area: 70 % around the busiest price.",
    "vpin": (
        "Mean |bought - sold| over 50 buckets of equal volume, divided by their size "
        "(Easley, Lopez de Prado & O'Hara 2012); bulk classification of one-minute bars, and by "
        "signs of trades."
    ),
    "kyle": "Slope of the mid's change on shares bought less sold, over intervals (Kyle 1985).",
    "cost": (
        "Effective 2s(p-m), realised 2s(p-m'), impact 2s(m'-m): m before the trade, m' 5 or 60 s "
        "after; averages weighted by size."
    ),
    "signs": (
        "The aggressor as the venue tells it; else above or below the mid before the trade; else "
        "the last change of the trade price (Lee & Ready 1991)."
    ),
    "half_hour": "Of the New York day, named by its start.",
}

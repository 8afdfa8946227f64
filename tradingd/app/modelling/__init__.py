"""Training, judging and explaining models: features, labels, folds, backtest, gates, registry.

Here the parts that know nothing of each other are put together. Never: a formula.
"""

"""Learning: labels, splits, weights, learners, tuning, calibration - from rows to a judged model.

Here belongs what turns features into predictions without deceiving their owner. Never: features
themselves, the store, orders, the registry.
"""

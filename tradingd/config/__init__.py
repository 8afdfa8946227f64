"""Configuration: Hydra composes `conf/`, the result becomes frozen structs, one module per group.

`compose.py` and `multirun.py` are the only importers of Hydra. Structs hold the defaults; YAML
states deviations. Nothing here opens a market file, a socket or a store.
"""

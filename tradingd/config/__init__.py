"""Configuration: Hydra composes `conf/`, the result becomes frozen structs, one module per group.

Only `compose.py`, `hydra_errors.py`, `layers.py` and `multirun.py` know Hydra and OmegaConf.
Structs hold the defaults; YAML states deviations. Nothing here opens a market file, a socket or
a store.
"""

"""Registry: where models, their manifests and every trial are kept; the only importer of MLflow.

Belongs here: runs, trials, versions, aliases, and what has to hold before an alias moves.
Never here: training, serving, the rules themselves (whoever opens the registry passes a judge).
"""

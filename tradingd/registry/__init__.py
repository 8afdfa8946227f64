"""Registry: where models, their manifests and every trial are kept; the only importer of MLflow."""

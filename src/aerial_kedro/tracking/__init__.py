"""The run history and the registry of models, which MLflow keeps."""

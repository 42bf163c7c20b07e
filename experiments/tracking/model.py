"""Trained models as MLflow keeps them: loadable by MLflow alone, safe to open, with what they expect."""

import logging
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np


def save_model(model: keras.Model, folder: Path, example: np.ndarray, metadata: dict[str, Any]) -> None:
    """Write a model in MLflow's format, without what only its training needed.

    Args:
        model: Any Keras model of stock layers.
        folder: Where; must not exist.
        example: Input of shape (n, ...) from which the signature is read.
        metadata: What a reader of the answers needs, such as class names.
    """
    import mlflow.keras
    from mlflow.models import infer_signature

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    bare = type(model).from_config(model.get_config())
    bare.set_weights(model.get_weights())
    output = keras.ops.convert_to_numpy(bare(example, training=False))
    mlflow.keras.save_model(
        bare,
        str(folder),
        signature=infer_signature(example, output),
        metadata=metadata,
        pip_requirements=[f"{name}=={version(name)}" for name in ("mlflow", "tensorflow", "keras")],
    )


def load_model(folder: str) -> tuple[keras.Model, dict[str, Any]]:
    """A model that `save_model` wrote, with its metadata. No code from the file is run."""
    import mlflow.keras
    from mlflow.models import get_model_info

    metadata = get_model_info(folder).metadata or {}
    return mlflow.keras.load_model(folder, load_model_kwargs={"safe_mode": True, "compile": False}), metadata

"""Which loss a model is compiled with."""

from typing import Any

import keras

_KINDS = {
    "sparse_categorical_crossentropy": "sparse_cross_entropy",
    "sparse_categorical_cross_entropy": "sparse_cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "categorical_cross_entropy": "cross_entropy",
    "categorical_focal_crossentropy": "cross_entropy",
    "categorical_generalized_cross_entropy": "cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "binary_focal_crossentropy": "binary_cross_entropy",
    "mean_squared_error": "squared",
    "mean_absolute_error": "absolute",
    "mean_absolute_percentage_error": "relative",
    "mean_squared_logarithmic_error": "logarithmic",
    "huber": "squared",
    "log_cosh": "squared",
    "hinge": "hinge",
    "squared_hinge": "hinge",
    "categorical_hinge": "categorical_hinge",
    "kl_divergence": "divergence",
    "poisson": "poisson",
    "cosine_similarity": "cosine",
}


def own_step(model: keras.Model) -> bool:
    """Whether a step or a loss of somebody's own decides what is trained, whatever loss is compiled.

    Only classes outside of Keras count, and no population: its loss is the stock model's.
    """
    changed = any(
        getattr(type(model), name, None) is not getattr(keras.Model, name, None)
        for name in ("train_step", "compute_loss")
    )
    return changed and not hasattr(model, "variants")


def compiled_loss(model: keras.Model) -> tuple[Any, str, bool]:
    """The loss as a callable, its kind ("other" where it is somebody's own), and whether it takes logits.

    None and "several" for a model of several losses.
    """
    if own_step(model):
        return None, "other", False
    given = getattr(model, "loss", None)
    while isinstance(given, (list, tuple, dict)) and len(given) == 1:
        given = next(iter(given.values() if isinstance(given, dict) else given))
    if given is None or isinstance(given, (list, tuple, dict)):
        return None, "none" if given is None else "several", False
    try:
        function = keras.losses.get(given)
    except ValueError:
        return None, "other", False
    if isinstance(function, type):
        return None, "other", False
    inner = getattr(function, "fn", function)
    settings = getattr(function, "_fn_kwargs", None) or {}
    name = getattr(inner, "__name__", "")
    ours = str(getattr(inner, "__module__", "")).startswith("keras")
    return function, _KINDS.get(name, "other") if ours else "other", bool(settings.get("from_logits", False))

"""Builders of the Keras models that the experiments train.

    >>> from whyfit.models import MLPConfig, build_mlp
    >>> model = build_mlp(MLPConfig(layers=3), input_shape=(28, 28), task="classification", classes=10)

Names are imported when first used, so that a config costs no import of Keras.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "addition_rnn": ["build_addition_rnn", "exact_match"],
        "config": ["AdditionRNNConfig", "MLPConfig", "Variant"],
        "mlp": ["build_loss", "build_metrics", "build_mlp"],
        "population": ["Population"],
        "population_training": ["PopulationBatches", "StopVariants"],
        "seeds": ["derive_seed"],
    },
)

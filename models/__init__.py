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
        "batches": ["ShuffledBatches", "ordered_batches"],
        "config": ["AdditionRNNConfig", "MLPConfig", "Variant"],
        "mlp": ["build_loss", "build_metrics", "build_mlp"],
        "population.population": ["Population"],
        "population.memory": ["bytes_a_variant", "split_variants"],
        "population.packing": ["StopToPack"],
        "seeds": ["derive_seed"],
    },
)

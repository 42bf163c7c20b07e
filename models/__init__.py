"""Builders of the Keras models that the experiments train.

    >>> from whyfit.models import AdditionRNNConfig, build_addition_rnn
    >>> model = build_addition_rnn(AdditionRNNConfig(units=32), question_length=7, answer_length=4, characters=12)

Names are imported when first used, so that a config costs no import of Keras.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "addition_rnn": ["build_addition_rnn", "exact_match"],
        "config": ["AdditionRNNConfig"],
        "seeds": ["derive_seed"],
    },
)

"""Keras callbacks for any model that `fit` trains.

    >>> from whyfit.callbacks import ShowProgress
    >>> model.fit(x, y, epochs=5, verbose=0, callbacks=[ShowProgress(["val_loss"])])

Names are imported when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "config": ["EarlyStoppingConfig", "GradientMonitorConfig"],
        "diagnosis": ["Finding"],
        "early_stopping": ["EarlyStopping"],
        "gradient_monitor": ["GradientMonitor"],
        "show_answers": ["ShowAnswers"],
        "show_progress": ["ShowProgress"],
    },
)

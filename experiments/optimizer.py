"""Keras optimizers from their config."""

import keras

from .config import OptimizerConfig


def build_optimizer(
    config: OptimizerConfig, steps_per_epoch: int, epochs: int, output_layer: str
) -> keras.Optimizer:
    """The optimizer, with a schedule where the learning rate changes.

    Args:
        config: Class, rates and clipping.
        steps_per_epoch: Steps an epoch, by which warm-up is counted.
        epochs: Epochs in all, at whose end a cosine reaches 0.
        output_layer: Name of the output layer, which Muon leaves to Adam.
    """
    options: dict[str, object] = {"clipnorm": config.clipnorm}
    if config.weight_decay is not None:
        options["weight_decay"] = config.weight_decay
    if config.name == "SGD":
        options |= {"momentum": config.momentum, "nesterov": config.nesterov}
    if config.name == "RMSprop":
        options["momentum"] = config.momentum
    if config.name == "Muon":
        options["exclude_layers"] = [output_layer]
    rate = _learning_rate(config, steps_per_epoch, epochs * steps_per_epoch)
    return getattr(keras.optimizers, config.name)(learning_rate=rate, **options)


def _learning_rate(
    config: OptimizerConfig, steps_per_epoch: int, steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    warmup = round(config.warmup_epochs * steps_per_epoch)
    if config.decay == "cosine":
        start = 0.0 if warmup else config.learning_rate
        target = config.learning_rate if warmup else None
        return keras.optimizers.schedules.CosineDecay(
            start, max(1, steps - warmup), warmup_target=target, warmup_steps=warmup
        )
    if warmup:
        return keras.optimizers.schedules.PolynomialDecay(0.0, warmup, end_learning_rate=config.learning_rate)
    return config.learning_rate

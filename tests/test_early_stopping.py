"""Rules of early stopping on recorded curves, and what the callback leaves in a model."""

import json
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from whyfit.callbacks import EarlyStopping, EarlyStoppingConfig
from whyfit.callbacks.criteria import best_of, decide, first_stop, generalization_loss, progress, smooth

# A validation error that falls, rises a little, falls again and rises; and its training error.
CURVE = np.array([1.0, 0.8, 0.5, 0.51, 0.52, 0.4, 0.42, 0.41, 0.43, 0.45, 0.44, 0.46, 0.47, 0.48, 0.5])
TRAIN = np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.42, 0.4, 0.39, 0.38, 0.375, 0.37, 0.368, 0.366])


def stop(**options: Any) -> int:
    return first_stop(EarlyStoppingConfig(**options), CURVE, TRAIN)


def test_generalization_loss_by_hand() -> None:
    assert generalization_loss(CURVE[:5]) == pytest.approx(100 * (0.52 / 0.5 - 1))  # 4 %
    assert generalization_loss(CURVE[:9]) == pytest.approx(100 * (0.43 / 0.4 - 1))  # 7.5 %
    assert generalization_loss(CURVE[:6]) == 0
    assert generalization_loss(np.array([0.0, 0.1])) == np.inf


def test_progress_by_hand() -> None:
    # (1 + 0.9 + 0.8 + 0.7 + 0.6) / (5 * 0.6) - 1 = 4 / 3 - 1
    assert progress(TRAIN[:5], 5) == pytest.approx(1000 / 3)
    # (0.38 + 0.375 + 0.37 + 0.368 + 0.366) / (5 * 0.366) - 1 = 1.859 / 1.83 - 1
    assert progress(TRAIN, 5) == pytest.approx(1000 * (1.859 / 1.83 - 1))


@pytest.mark.parametrize(
    ("options", "epoch"),
    [
        ({"criterion": "GL", "alpha": 1.9}, 4),  # 0.51 / 0.5: 2 %
        ({"criterion": "GL", "alpha": 2.1}, 5),  # 0.52 / 0.5: 4 %
        ({"criterion": "GL", "alpha": 4.5}, 7),  # 0.42 / 0.4: 5 %
        ({"criterion": "GL", "alpha": 5.5}, 9),  # 0.43 / 0.4: 7.5 %; 0.41 / 0.4 is 2.5 %
        ({"criterion": "GL", "alpha": 26.0}, 0),  # the last is 25 %
        ({"criterion": "GL", "alpha": 1.9, "warm_up": 4}, 5),
        # Strips end at 5, 10, 15. At 5: 4 / 333.3 = 0.012.
        # At 10: 12.5 / 107.7 = 0.116 (2.16 / (5 * 0.39) - 1).
        # At 15: 25 / 15.85 = 1.58.
        ({"criterion": "PQ", "alpha": 0.01}, 5),
        ({"criterion": "PQ", "alpha": 0.1}, 10),
        ({"criterion": "PQ", "alpha": 0.12}, 15),
        ({"criterion": "PQ", "alpha": 1.6}, 0),
        # Strips of 5: 0.52, 0.45, 0.5: one rise, at 15.
        ({"criterion": "UP", "successive": 1}, 15),
        ({"criterion": "UP", "successive": 2}, 0),
        # Strips of 2: 0.8, 0.51, 0.4, 0.41, 0.45, 0.46, 0.48 at 2, 4, ..., 14.
        ({"criterion": "UP", "strip": 2, "successive": 1}, 8),
        ({"criterion": "UP", "strip": 2, "successive": 3}, 12),
        ({"criterion": "UP", "strip": 2, "successive": 4}, 14),
        ({"criterion": "UP", "strip": 2, "successive": 5}, 0),
        ({"criterion": "UP", "strip": 2, "successive": 1, "warm_up": 8}, 10),
        ({"criterion": "patience", "patience": 2}, 5),  # the best of 3 is waited for at 4 and 5
        ({"criterion": "patience", "patience": 3}, 9),
        ({"criterion": "patience", "patience": 9}, 15),
        ({"criterion": "patience", "patience": 2, "min_delta": 0.25}, 5),
        ({"criterion": "patience", "patience": 4, "min_delta": 0.25}, 7),
        ({"criterion": "patience", "patience": 10}, 0),
    ],
)
def test_rules_stop_where_the_formulas_say(options: dict[str, Any], epoch: int) -> None:
    assert stop(**options) == epoch


def test_smoothing_bears_a_spike() -> None:
    spiky = np.array([1.0, 0.9, 0.8, 1.6, 0.7, 0.6])
    config = EarlyStoppingConfig(criterion="GL", alpha=50)
    assert first_stop(config, spiky, spiky) == 4
    # By hand: 1, 0.95, 0.875, 1.2375, 0.96875, 0.784375; 1.2375 is 41 % above 0.875.
    np.testing.assert_allclose(smooth(spiky, 0.5), [1, 0.95, 0.875, 1.2375, 0.96875, 0.784375])
    assert first_stop(EarlyStoppingConfig(criterion="GL", alpha=50, smoothing=0.5), spiky, spiky) == 0
    assert best_of(config, spiky) == 6


def test_what_is_no_number_stops_it_and_is_never_best() -> None:
    curve = np.array([1.0, np.nan, 0.9, np.inf, np.nan, 0.8])
    assert first_stop(EarlyStoppingConfig(), curve, curve) == 2
    assert first_stop(EarlyStoppingConfig(nan_patience=1), curve, curve) == 5
    assert first_stop(EarlyStoppingConfig(nan_patience=2), curve, curve) == 0
    assert best_of(EarlyStoppingConfig(), curve) == 6
    assert "no finite number at epoch 2" in decide(EarlyStoppingConfig(), curve[:2], curve[:2]).reason


def test_a_metric_that_is_to_rise() -> None:
    accuracy = np.array([0.5, 0.7, 0.9, 0.8, 0.85])
    assert best_of(EarlyStoppingConfig(mode="max"), accuracy) == 3
    assert best_of(EarlyStoppingConfig(monitor="val_accuracy"), accuracy) == 3
    assert best_of(EarlyStoppingConfig(monitor="val_accuracy", mode="min"), accuracy) != 3
    assert first_stop(EarlyStoppingConfig(mode="max", patience=2), accuracy, accuracy) == 5
    assert (
        first_stop(EarlyStoppingConfig(mode="max", criterion="UP", strip=2, successive=1), -CURVE, CURVE) == 8
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"criterion": "GLX"}, "criterion must be one of None, patience, GL, PQ, UP, got 'GLX'"),
        ({"criterion": "GL", "mode": "max"}, "monitor must be a metric that falls with GL"),
        ({"criterion": "PQ", "monitor": "val_accuracy"}, "whose formula wants an error, got 'val_accuracy'"),
        ({"alpha": 0}, "alpha must be above 0, got 0"),
        ({"strip": 1}, "strip must be at least 2"),
        ({"smoothing": 1.0}, r"smoothing must be in \[0, 1\), got 1.0"),
    ],
)
def test_options_that_cannot_be_name_field_rule_and_value(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**options)


def test_negative_errors_are_refused_by_the_formulas_that_divide() -> None:
    with pytest.raises(ValueError, match="error of 0 or more"):
        stop_at = EarlyStoppingConfig(criterion="GL")
        first_stop(stop_at, np.array([-1.0, -2.0]), TRAIN[:2])


def network(**compiling: Any) -> keras.Model:
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(16), layers.BatchNormalization(), layers.Dense(1)]
    )
    defaults = {"optimizer": keras.optimizers.SGD(0.05), "loss": "mse"}
    model.compile(**defaults | compiling)
    return model


def examples() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(32, 4)).astype("float32"), rng.normal(size=(32, 1)).astype("float32")


class Scripted(keras.callbacks.Callback):
    """Puts a recorded curve in place of the validation loss, and keeps the weights of each epoch."""

    def __init__(self, values: Any) -> None:
        super().__init__()
        self.values, self.weights = values, []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["val_loss"] = self.values[epoch]
        self.weights.append(self.model.get_weights())


def run(stopping: EarlyStopping, model: keras.Model, script: Scripted, **options: Any) -> Any:
    keras.utils.set_random_seed(1)
    defaults = {"epochs": 15, "batch_size": 8, "shuffle": False, "verbose": 0}
    return model.fit(*examples(), callbacks=[script, stopping], **defaults | options)


def test_it_stops_says_why_and_restores_the_best_weights_exactly() -> None:
    stopping, script, model = EarlyStopping(criterion="GL", alpha=5.5), Scripted(CURVE), network()
    run(stopping, model, script)
    assert (stopping.stopped, stopping.stopped_epoch, stopping.best_epoch) == (True, 9, 6)
    assert stopping.reason == "GL: val_loss is 7.5 % above its lowest, of epoch 6 (limit 5.5 %)"
    assert len(script.weights) == 9
    for mine, best in zip(model.get_weights(), script.weights[5], strict=True):  # batch statistics too
        np.testing.assert_array_equal(mine, best)


def test_without_restoring_the_last_weights_stay() -> None:
    stopping, script, model = EarlyStopping(patience=2, restore_best=False), Scripted(CURVE), network()
    run(stopping, model, script)
    assert stopping.stopped_epoch == 5
    for mine, last in zip(model.get_weights(), script.weights[-1], strict=True):
        np.testing.assert_array_equal(mine, last)


@pytest.mark.slow
def test_averaged_weights_are_those_of_the_best_epoch() -> None:
    optimizer = keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9)
    model, stopping, x = network(optimizer=optimizer), EarlyStopping(patience=3), examples()
    history = model.fit(
        *x, validation_data=x, epochs=12, verbose=0, callbacks=[keras.callbacks.SwapEMAWeights(), stopping]
    )
    losses = history.history["val_loss"]
    assert stopping.best_epoch == int(np.argmin(losses)) + 1
    assert model.evaluate(*x, verbose=0) == pytest.approx(min(losses), rel=1e-5)
    plain = network(optimizer=keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9))
    other = EarlyStopping(patience=3)
    losses = plain.fit(*x, validation_data=x, epochs=12, verbose=0, callbacks=[other]).history["val_loss"]
    assert plain.evaluate(*x, verbose=0) == pytest.approx(min(losses), rel=1e-5)


def test_a_resumed_training_stops_at_the_same_epoch() -> None:
    whole = EarlyStopping(criterion="UP", strip=2, successive=3, smoothing=0.1)
    run(whole, network(), Scripted(CURVE))
    first, model = EarlyStopping(whole.config), network()
    run(first, model, Scripted(CURVE), epochs=7)
    note, arrays = first.get_state()
    second, resumed = EarlyStopping(whole.config), network()
    second.set_state(json.loads(json.dumps(note)), arrays)
    script = Scripted(CURVE)
    run(second, resumed, script, initial_epoch=7)
    assert (second.stopped_epoch, second.best_epoch, second.reason) == (
        whole.stopped_epoch,
        whole.best_epoch,
        whole.reason,
    )
    assert whole.stopped_epoch > 7 > whole.best_epoch
    for mine, best in zip(
        resumed.get_weights(), [arrays[f"weights/{place}"] for place in range(note["weights"])], strict=True
    ):
        np.testing.assert_array_equal(mine, best)


@pytest.mark.slow
def test_another_fit_begins_anew() -> None:
    stopping, model = EarlyStopping(patience=2), network()
    run(stopping, model, Scripted(CURVE))
    run(stopping, model, Scripted(CURVE[::-1]), epochs=4)
    assert not stopping.stopped and stopping.reason == "" and stopping.best_epoch == 4


def test_a_metric_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="monitor must be one of loss, val_loss, got 'nothing'"):
        run(EarlyStopping(monitor="nothing"), network(), Scripted(CURVE))
    with pytest.raises(ValueError, match="monitor must be one of loss, val_loss, got 'val_nothing'"):
        run(EarlyStopping(monitor="val_nothing"), network(), Scripted(CURVE))
    with pytest.warns(UserWarning, match="val_loss was in no epoch's logs"):
        network().fit(*examples(), verbose=0, callbacks=[EarlyStopping()])


def test_epochs_without_validation_are_waited_through_and_decide_nothing() -> None:
    stopping, x = EarlyStopping(patience=3, min_delta=100.0), examples()
    network().fit(*x, validation_data=x, validation_freq=2, epochs=9, verbose=0, callbacks=[stopping])
    assert (stopping.best_epoch, stopping.stopped_epoch) == (2, 6)


@pytest.mark.slow
def test_epochs_that_were_not_seen_have_no_number() -> None:
    stopping = EarlyStopping(patience=3)
    run(stopping, network(), Scripted(CURVE), initial_epoch=5)
    assert (stopping.best_epoch, stopping.stopped_epoch) == (6, 9)


@pytest.mark.slow
def test_nothing_stops_without_a_criterion() -> None:
    stopping, curve = EarlyStopping(criterion=None), np.where(CURVE > 0.5, np.nan, CURVE)
    run(stopping, network(), Scripted(curve))
    assert (stopping.over, stopping.best_epoch, stopping.reason) == (False, 6, "")


class Pair(keras.Model):
    """Two variants of one weight each."""

    variants = 2

    def __init__(self) -> None:
        super().__init__()
        self.scale = self.add_weight(shape=(2, 1, 1), initializer="ones", name="scale")
        self.built = True
        self.ended: list[Any] = []

    def end(self, ended: np.ndarray, epoch: int) -> None:
        self.ended.append((ended.tolist(), epoch))

    def call(self, x: Any) -> Any:
        return ops.matmul(x, ops.reshape(self.scale, (1, 2)) * ops.ones((4, 1)))


def test_variants_are_decided_on_one_by_one() -> None:
    curves = np.stack([CURVE, CURVE[::-1]], axis=1)
    stopping, model = EarlyStopping(patience=3), Pair()
    model.compile("sgd", "mse")
    script = Scripted(curves)
    run(stopping, model, script)
    alone = [first_stop(stopping.config, curve, curve) for curve in curves.T]
    assert stopping.stopped_epoch.tolist() == alone == [9, 13]
    assert stopping.summary == "2 of 2 variants stopped early, after epochs 9 to 13"
    assert model.ended == [([True, False], 9), ([False, True], 13)]
    assert stopping.best_epoch.tolist() == [6, 10]
    expected = [script.weights[5][0][0], script.weights[9][0][1]]
    np.testing.assert_array_equal(model.get_weights()[0], expected)
    assert [len(reason) > 0 for reason in stopping.reason] == [True, True]
    again = EarlyStopping(patience=3)
    note, arrays = stopping.get_state()
    again.set_state(json.loads(json.dumps(note)), arrays)
    assert again.stopped.tolist() == [True, True]

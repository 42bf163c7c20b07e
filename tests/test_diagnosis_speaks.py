"""The monitor says what it finds while a network trains."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from whyfit.callbacks import Finding, GradientMonitor


def fit(
    monitor: GradientMonitor, *, epochs: int = 5, bias: float = -50.0, spoil: bool = False
) -> keras.Model:
    """A small network, of dead units where the bias is far below 0."""
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(160, 4)).astype("float32")
    y = (x.sum(axis=1) > 0).astype("float32")
    if spoil:
        x[3] = np.nan
    hidden = layers.Dense(16, "relu", bias_initializer=keras.initializers.Constant(bias), name="hidden")
    model = keras.Sequential([keras.Input((4,)), hidden, layers.Dense(1, "sigmoid", name="out")])
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", jit_compile=False)
    model.fit(x, y, epochs=epochs, batch_size=20, verbose=0, callbacks=[monitor])
    return model


def test_it_speaks_once_and_reports(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Finding] = []
    monitor = GradientMonitor(on_finding=seen.append)
    fit(monitor)
    assert capsys.readouterr().out.count("dead_units in hidden") == 1
    assert [one.name for one in seen] == ["dead_units"]
    assert monitor.diagnosis == "dead_units"
    assert monitor.findings[0].layers == ("hidden",)
    report = monitor.report()
    for part in (
        "dead_units",
        "hidden",
        "since     epoch 1",
        "100%",
        "1. begin biases at 0",
        "lesson activation-zoo",
    ):
        assert part in report
    note, arrays = monitor.get_state()
    again = GradientMonitor()
    again.set_state(note, arrays)
    assert again.report() == report


def test_a_fit_ends_on_a_finding_that_it_is_to_end_on(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = GradientMonitor(stop_on=("non_finite",), verbose=False)
    fit(quiet, spoil=True)
    assert len(quiet.history["loss"]) == 1
    assert quiet.diagnosis == "non_finite"
    assert "the inputs" in quiet.findings[0].evidence
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match=r"stop_on must be names out of .* got \('nan',\)"):
        GradientMonitor(stop_on=("nan",))


def test_a_network_that_learns_is_healthy_and_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    monitor = GradientMonitor(stop_on=("non_finite",))
    assert monitor.diagnosis == "undetermined"
    fit(monitor, bias=0.0, epochs=8)
    assert monitor.diagnosis == "healthy", monitor.report()
    assert monitor.findings == []
    assert len(monitor.history["loss"]) == 8
    assert capsys.readouterr().out == ""


def test_learning_rate_and_losses_of_the_fit_are_in_the_history() -> None:
    monitor: Any = GradientMonitor()
    fit(monitor, epochs=2, bias=0.0)
    assert monitor.history["train/loss"].shape == (2,)
    np.testing.assert_allclose(monitor.history["learning_rate"], 0.02, rtol=1e-6)

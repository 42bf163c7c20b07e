"""The dense network: shapes, names, initial weights, regularization, heads, randomness, saved files."""

from pathlib import Path
from typing import Any, get_args

import keras
import numpy as np
import pytest
import tensorflow as tf

from whyfit.models import MLPConfig, build_loss, build_metrics, build_mlp
from whyfit.models.config import Activation, Head, Initializer

HEADS = [
    *[("auto", task) for task in ("classification", "binary", "regression")],
    *[
        (head, task)
        for head in ("probabilities", "probabilities_as_logits")
        for task in ("classification", "binary")
    ],
    ("softmax_one_unit", "binary"),
    ("sigmoid", "regression"),
    *[("relu", task) for task in ("classification", "binary", "regression")],
]
ROWS = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
SUMS = ROWS.sum(axis=1)
TARGETS = {"classification": (SUMS > 0) + (SUMS > 2), "binary": SUMS > 0, "regression": SUMS}
TARGETS = {task: y.astype("float32" if task == "regression" else "int32") for task, y in TARGETS.items()}
warned = pytest.mark.filterwarnings("ignore:.*softmax over axis -1:UserWarning")


def build(task: str = "classification", seed: int = 0, **config: Any) -> keras.Model:
    return build_mlp(
        MLPConfig(**{"units": (6,), **config}), input_shape=(4,), task=task, classes=3, seed=seed
    )


def fit(
    model: keras.Model, head: Any = "auto", task: str = "classification", epochs: int = 1, rate: float = 0.01
) -> Any:
    config = MLPConfig(head=head)
    loss, metrics = build_loss(config, task), build_metrics(config, task)
    model.compile(keras.optimizers.SGD(rate), loss=loss, metrics=metrics)
    return model.fit(ROWS, TARGETS[task], batch_size=8, epochs=epochs, shuffle=False, verbose=0).history


def array(tensor: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def names(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers]


def test_logistic_classifier_has_its_parameters_and_no_others() -> None:
    model = build_mlp(
        MLPConfig(layers=0), input_shape=(28, 28), task="classification", classes=10, mean=70, variance=9
    )
    assert model.count_params() == 7_850 == (784 + 1) * 10
    assert names(model) == ["input", "input_scaling", "flatten", "output"]


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        ({"layers": 2, "units": (7,)}, 4 * 7 + 7 + 7 * 7 + 7 + 7 * 3 + 3),
        ({"units": (7, 5)}, 4 * 7 + 7 + 7 * 5 + 5 + 5 * 3 + 3),
        ({"units": (7, 5), "batch_normalization": "before"}, 4 * 7 + 4 * 7 + 7 * 5 + 4 * 5 + 5 * 3 + 3),
        ({"units": (7, 5), "batch_normalization": "after"}, 5 * 7 + 4 * 7 + 8 * 5 + 4 * 5 + 6 * 3),
        ({"units": ()}, 4 * 3 + 3),
    ],
)
def test_width_is_one_number_or_one_a_layer(config: dict[str, Any], parameters: int) -> None:
    assert build(**config).count_params() == parameters


def test_fifty_layers_build_and_answer() -> None:
    model = build(layers=50, activation="tanh", initializer="orthogonal")
    assert f"{names(model)[-3:]}" == "['hidden_50', 'hidden_50_activation', 'output']"
    assert np.isfinite(array(model(ROWS))).all()


@pytest.mark.parametrize("activation", get_args(Activation))
def test_every_activation_is_kerass_own_and_trains(activation: str) -> None:
    model = build(activation=activation)
    assert model.get_layer("hidden_1_activation").activation is getattr(keras.activations, activation)
    before = array(model.get_layer("hidden_1").kernel)
    assert np.isfinite(fit(model)["loss"]).all()
    assert not np.array_equal(before, array(model.get_layer("hidden_1").kernel))


@warned
@pytest.mark.parametrize(("head", "task"), HEADS)
def test_every_head_builds_and_trains(head: Any, task: str) -> None:
    model = build(task, head=head)
    assert model.output_shape == (None, 3 if task == "classification" else 1)
    history = fit(model, head, task)
    assert set(history) == {
        "loss",
        *(("mean_absolute_error", "r2") if task == "regression" else ("accuracy",)),
    }
    assert np.isfinite(list(history.values())).all()


def test_heads_are_all_here() -> None:
    assert {head for head, _ in HEADS} == set(get_args(Head))


@pytest.mark.parametrize("task", ["classification", "binary", "regression"])
def test_right_heads_learn(task: str) -> None:
    history = fit(
        build(task, units=(16,)), "auto", task, epochs=15, rate=0.05 if task == "regression" else 0.3
    )
    assert history["r2" if task == "regression" else "accuracy"][-1] > 0.9


@pytest.mark.parametrize("task", ["classification", "binary"])
def test_logits_and_probabilities_are_one_network(task: str) -> None:
    logits, probabilities, twice = (
        fit(build(task, head=head), head, task, epochs=3, rate=0.5)
        for head in ("auto", "probabilities", "probabilities_as_logits")
    )
    np.testing.assert_allclose(probabilities["loss"], logits["loss"], rtol=1e-5)
    np.testing.assert_array_equal(probabilities["accuracy"], logits["accuracy"])
    assert twice["loss"][-1] > logits["loss"][-1] + 0.05  # a probability is a poor logit


@warned
def test_softmax_on_one_unit_learns_nothing() -> None:
    model = build("binary", head="softmax_one_unit")
    before = model.get_weights()
    fit(model, "softmax_one_unit", "binary", epochs=3)
    np.testing.assert_allclose(array(model(ROWS)), 1, rtol=1e-6)  # some products round it
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_wrong_regression_heads_keep_to_their_range() -> None:
    assert (array(build("regression", head="relu")(ROWS)) >= 0).all()
    assert (np.abs(array(build("regression", head="sigmoid")(ROWS)) - 0.5) <= 0.5).all()


def documented(initializer: str, fan_in: int, fan_out: int) -> tuple[float, float]:
    """Mean and deviation of initial weights, by the papers and the help text."""
    if initializer in ("zeros", "constant"):
        return (0, 0) if initializer == "zeros" else (1, 0)
    family = initializer.partition("_")[0]
    fans = {"glorot": 2 / (fan_in + fan_out), "he": 2 / fan_in, "lecun": 1 / fan_in, "orthogonal": 1 / fan_in}
    return 0, {"normal": 0.05, "uniform": 0.1 / np.sqrt(12)}.get(initializer, np.sqrt(fans.get(family, 0)))


@pytest.mark.parametrize("initializer", get_args(Initializer))
def test_initial_weights_are_as_documented_and_scaled(initializer: Any) -> None:
    kernels, scaled = (
        [array(model.get_layer(name).kernel) for name in ("hidden_1", "hidden_2", "output")]
        for model in (
            build_mlp(
                MLPConfig(units=(300, 200), initializer=initializer, initializer_scale=scale),
                input_shape=(400,),
                task="classification",
                classes=100,
            )
            for scale in (1, 2.5)
        )
    )
    for kernel, larger in zip(kernels, scaled, strict=True):
        mean, deviation = documented(initializer, *kernel.shape)
        assert kernel.mean() == pytest.approx(mean, abs=5 * deviation / np.sqrt(kernel.size))
        assert kernel.std() == pytest.approx(deviation, rel=0.03)
        np.testing.assert_allclose(larger, 2.5 * kernel, rtol=1e-5, atol=1e-6)
    if initializer == "orthogonal":
        np.testing.assert_allclose(kernels[0].T @ kernels[0], np.eye(300), atol=1e-5)
    if "uniform" in initializer:
        limit = np.sqrt(3) * documented(initializer, 400, 300)[1]
        assert 0.99 * limit < np.abs(kernels[0]).max() <= limit * 1.0001


def test_penalty_is_the_lessons_formula_on_every_kernel_and_no_bias() -> None:
    model = build(units=(6, 5), l1=0.02, l2=0.3)
    for weight in model.weights:
        weight.assign(weight + 0.1)  # biases are 0 at first and would not be missed
    kernels = [array(weight) for weight in model.weights if weight.name == "kernel"]
    assert len(kernels) == 3
    expected = sum(0.02 * np.abs(w).sum() + 0.3 / 2 * np.square(w).sum() for w in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


def test_derivative_of_l2_is_the_weight_itself() -> None:
    model = build(units=(6, 5), l2=0.3)
    kernels = [layer.kernel.value for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    with tf.GradientTape() as tape:
        penalty = sum(model.losses)
    for kernel, gradient in zip(kernels, tape.gradient(penalty, kernels), strict=True):
        np.testing.assert_allclose(gradient, 0.3 * kernel, rtol=1e-5)


def test_no_penalty_unless_asked_for() -> None:
    assert build().losses == []


def test_max_norm_holds_for_what_comes_into_hidden_units() -> None:
    model = build(units=(6, 5), max_norm=0.1)
    fit(model)
    norms = {name: np.linalg.norm(array(model.get_layer(name).kernel), axis=0) for name in names(model)[3::2]}
    assert list(norms) == ["hidden_1", "hidden_2", "output"]
    assert norms["hidden_1"].max() <= 0.1001
    assert norms["hidden_2"].max() <= 0.1001
    assert norms["output"].max() > 0.2


@pytest.mark.parametrize(
    ("place", "row"),
    [
        ("none", ["hidden_1", "hidden_1_activation", "hidden_1_dropout"]),
        ("before", ["hidden_1", "hidden_1_batch_normalization", "hidden_1_activation", "hidden_1_dropout"]),
        ("after", ["hidden_1", "hidden_1_activation", "hidden_1_batch_normalization", "hidden_1_dropout"]),
    ],
)
def test_batch_normalization_stands_in_its_place(place: str, row: list[str]) -> None:
    model = build(batch_normalization=place, dropout=(0.5,))
    assert names(model) == ["input", "input_scaling", "flatten", *row, "output"]
    assert model.get_layer("hidden_1").use_bias == (place != "before")
    for name in set(row) & {"hidden_1_batch_normalization"}:
        normalized = keras.Model(model.input, model.get_layer(name).output)(ROWS, training=True)
        np.testing.assert_allclose(array(normalized).mean(axis=0), 0, atol=1e-5)


def test_dropout_has_a_rate_a_layer() -> None:
    model = build(units=(6, 5, 4), dropout=(0.1, 0.0, 0.5), input_dropout=0.2)
    rates = {layer.name: layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)}
    assert rates == {"input_dropout": 0.2, "hidden_1_dropout": 0.1, "hidden_3_dropout": 0.5}
    assert sum("dropout" in name for name in names(build(layers=3, dropout=(0.3,)))) == 3


def test_weights_and_masks_follow_the_seed() -> None:
    def drawn(seed: int, **config: Any) -> tuple[list[np.ndarray], np.ndarray]:
        model = build(seed=seed, units=(4, 4), dropout=(0.5,), **config)
        return model.get_weights(), array(model(ROWS, training=True))

    (weights, outputs), (again, outputs_again), (other, outputs_other) = drawn(1), drawn(1), drawn(2)
    assert all(np.array_equal(a, b) for a, b in zip(weights, again, strict=True))
    np.testing.assert_array_equal(outputs, outputs_again)
    assert not np.array_equal(weights[0], other[0])
    assert not np.array_equal(outputs, outputs_other)
    assert not np.array_equal(weights[0], weights[2])
    # A layer's weights are its own: what else the network is made of does not change them.
    np.testing.assert_array_equal(weights[0], drawn(1, activation="tanh", head="relu", l2=0.1)[0][0])


def test_masks_of_two_layers_differ() -> None:
    model = build(layers=2, dropout=(0.5,))
    first, second = (
        array(model.get_layer(f"hidden_{number}_dropout")(np.ones((9, 6)), training=True))
        for number in (1, 2)
    )
    assert not np.array_equal(first, second)


def test_input_is_scaled_by_mean_and_variance_inside_the_model() -> None:
    rows = np.array([[1, 250, 7], [3, 150, 7]], "float64")
    scale = build_mlp(
        MLPConfig(), input_shape=(3,), task="regression", mean=rows.mean(0), variance=rows.var(0)
    )
    scaled = array(scale.get_layer("input_scaling")(rows))
    np.testing.assert_allclose(scaled, [[-1, 1, 0], [1, -1, 0]], atol=1e-6)


@pytest.mark.parametrize(("mean", "variance"), [(0.1, 1e-34), (1e9, 1e-3), (0.0, 0.0), (-5.0, 1e-300)])
def test_constant_inputs_are_nothing_rather_than_infinite(mean: float, variance: float) -> None:
    model = build_mlp(MLPConfig(), input_shape=(4,), task="regression", mean=mean, variance=variance)
    np.testing.assert_array_equal(array(model.get_layer("input_scaling")(ROWS)), 0)


def test_tiny_units_are_scaled_like_others() -> None:
    model = build_mlp(MLPConfig(), input_shape=(4,), task="regression", mean=1e-12, variance=1e-24)
    np.testing.assert_allclose(
        array(model.get_layer("input_scaling")(ROWS * 1e-12)), ROWS - 1, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(("mean", "variance"), [(70.0, 5000.0), (np.full((9, 9), 70.0), np.eye(9) * 5000)])
def test_saved_model_is_stock_and_takes_raw_pixels(tmp_path: Path, mean: Any, variance: Any) -> None:
    config = MLPConfig(
        units=(7, 6), initializer="he_normal", initializer_scale=2, l1=0.1, l2=0.1, dropout=(0.5,),
        batch_normalization="before", max_norm=1.0, head="probabilities_as_logits", activation="hard_tanh",
    )  # fmt: skip
    model = build_mlp(
        config, input_shape=(9, 9), task="classification", classes=10, mean=mean, variance=variance
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 9, 9)).astype("uint8")
    np.testing.assert_array_equal(array(loaded(pixels)), array(model(pixels)))
    np.testing.assert_array_equal(array(model(pixels)), array(model(pixels.astype("float32"))))
    assert all(type(layer).__module__.startswith("keras.") for layer in loaded.layers)


@pytest.mark.slow
def test_it_trains_with_xla_on_raw_pixels() -> None:
    config = MLPConfig(units=(5,), dropout=(0.5,), batch_normalization="after", max_norm=2.0)
    model = build_mlp(config, input_shape=(3, 3), task="regression", mean=100, variance=900)
    loss, metrics = build_loss(config, "regression"), build_metrics(config, "regression")
    model.compile("adam", loss=loss, metrics=metrics, jit_compile=True, steps_per_execution=2)
    pixels = np.random.default_rng(0).integers(0, 256, (32, 3, 3)).astype("uint8")
    history = model.fit(pixels, pixels.mean(axis=(1, 2)), batch_size=8, verbose=0).history
    assert np.isfinite(history["r2"]).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"layers": 51}, r"layers must be from 0 to 50, got 51"),
        ({"layers": -1}, r"layers must be from 0 to 50, got -1"),
        (
            {"layers": 3, "units": (5, 4)},
            r"units must be one number or one for each of the 3 layers, got \(5, 4\)",
        ),
        ({"layers": 1, "units": ()}, r"units must be one number or one for each of the 1 layers, got \(\)"),
        ({"units": (5, 0)}, r"units must be at least 1, got \(5, 0\)"),
        ({"dropout": (0.5, 0.1)}, r"dropout must be one number or one for each of the 1 layers"),
        ({"dropout": (1.0,)}, r"dropout must be in \[0, 1\), got \(1.0,\)"),
        ({"input_dropout": -0.1}, r"input_dropout must be in \[0, 1\), got -0.1"),
        ({"initializer_scale": 0.0}, r"initializer_scale must be in \[1e-9, 1e9\], got 0.0"),
        ({"l1": -1.0}, r"l1 must be 0 or more, got -1.0"),
        ({"l2": float("nan")}, r"l2 must be 0 or more, got nan"),
        ({"max_norm": 0.0}, r"max_norm must be above 0, got 0.0"),
    ],
)
def test_a_wrong_field_names_rule_and_value(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MLPConfig(**fields)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "sequence"}, "task must be one of classification, binary, regression, got sequence"),
        (
            {"config": MLPConfig(head="sigmoid"), "task": "binary"},
            "head must be one of .* for binary, got sigmoid",
        ),
        ({"classes": 1}, "classes must be at least 2, got 1"),
        ({"input_shape": ()}, r"input_shape must be one size or more, each at least 1, got \(\)"),
        ({"mean": [1.0, 2.0]}, r"mean must be a number or of shape \(4,\), got \(2,\)"),
        ({"mean": float("nan")}, "mean must be finite, got nan"),
        ({"variance": -1.0}, "variance must be 0 or more, got -1.0"),
    ],
)
def test_a_wrong_argument_names_rule_and_value(arguments: dict[str, Any], message: str) -> None:
    given = {"config": MLPConfig(), "input_shape": (4,), "task": "classification", **arguments}
    with pytest.raises(ValueError, match=message):
        build_mlp(given.pop("config"), **given)

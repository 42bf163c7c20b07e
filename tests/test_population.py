"""Populations: each variant equal to training it alone, independent of the others, and ended for itself."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from whyfit.callbacks import EarlyStopping
from whyfit.models import Population, ShuffledBatches, StopToPack, Variant, split_variants
from whyfit.models import _backend as inner
from whyfit.models.population.random import derive_key, random_numbers, threefry

from .population_cases import (
    HELD_OUT,
    TENSORFLOW,
    XLA,
    X,
    assert_equal_alone,
    fit,
    float64,
    population,
    same_masks,
    seeds_of,
    state,
    targets,
    trained,
    variant,
)

__all__ = ["float64", "same_masks"]
SGD, Adam = keras.optimizers.SGD, keras.optimizers.Adam
SMALL_RATE = partial(variant, learning_rate=0.01)
EAGER = {"run_eagerly": TENSORFLOW, "jit_compile": XLA}

MIXED = {
    "Adam": (
        Adam,
        "classification",
        [
            SMALL_RATE(0, l1=1e-2, initializer="he_normal", initializer_scale=2.0),
            SMALL_RATE(1, input_dropout=0.1, dropout=(0.5, 0.2), batch_normalization="before", max_norm=0.5),
            SMALL_RATE(2, l2=0.1, clipnorm=0.05),
        ],
    ),
    "Nesterov": (
        partial(SGD, nesterov=True),
        "binary",
        [
            variant(3, activation="tanh", learning_rate=0.2, dropout=(0.3,)),
            variant(4, activation="tanh", learning_rate=0.1, momentum=0.9, batch_normalization="after"),
            variant(3, activation="tanh", learning_rate=0.3, momentum=0.5, max_norm=1.0, clipnorm=0.1),
        ],
    ),
}


@pytest.mark.parametrize("case", ["Adam", pytest.param("Nesterov", marks=pytest.mark.slow)])
def test_each_variant_is_what_it_is_alone(case: str, float64: None, same_masks: None) -> None:
    make, task, variants = MIXED[case]
    assert_equal_alone(variants, make, task, **EAGER)


def test_initial_weights_are_those_of_the_stock_model() -> None:
    from whyfit.models import build_mlp

    kinds = ("orthogonal", "lecun_normal", "constant", "zeros", "uniform")
    variants = [variant(seed, initializer=kind, initializer_scale=3) for seed, kind in enumerate(kinds)]
    together = population(variants)
    for place, one in enumerate(variants):
        stock = build_mlp(one.config, input_shape=(5,), task="classification", classes=3, seed=one.seed)
        for weight, other in zip(trained(stock), trained(together.variant(place)), strict=True):
            np.testing.assert_array_equal(weight[1], other[1])


def histories(variants: list[Variant], **options: Any) -> tuple[dict, Population]:
    together = population(variants, structure=options.pop("structure", None))
    together.compile(Adam(), jit_compile=options.pop("jit_compile", XLA))
    return fit(together, seeds_of(variants), epochs=2, **options), together


# Widths and a batch that fill no register, exponentials, and everything that adds numbers up.
ODD = [
    variant(
        seed,
        units=(7, 3),
        activation="elu",
        batch_normalization="after",
        dropout=(0.1 * seed,),
        l2=0.01 * seed,
        clipnorm=0.5,
        max_norm=1.0,
        learning_rate=1e30 if seed == 2 else 0.01,
    )
    for seed in range(4)
]


def assert_same_bits(
    some: tuple[dict, Population], places: list[int], all_of_them: tuple[dict, Population]
) -> None:
    for name, values in all_of_them[0].items():
        np.testing.assert_array_equal(some[0][name], values[:, places], err_msg=name)
    for (layer, name, weight), (_, _, whole) in zip(
        some[1].network.learned(), all_of_them[1].network.learned(), strict=True
    ):
        chosen = ops.convert_to_numpy(whole)[places]
        np.testing.assert_array_equal(ops.convert_to_numpy(weight), chosen, err_msg=f"{layer} {name}")


def test_history_does_not_depend_on_neighbours_and_an_exploding_one_harms_nobody() -> None:
    whole = histories(ODD)
    assert np.isnan(whole[0]["loss"][-1, 2])
    assert np.isfinite(np.delete(whole[0]["loss"], 2, axis=1)).all()
    for places in ([3, 0], [1, 2, 3]):
        assert_same_bits(histories([ODD[place] for place in places]), places, whole)


def test_masks_come_from_threefry() -> None:
    """Known answers of the authors' own tests (Random123, kat_vectors)."""

    def words(*numbers: int) -> tuple[Any, Any]:
        left, right = (ops.convert_to_tensor(np.array(number, "uint32")) for number in numbers)
        return left, right

    ones = 0xFFFFFFFF
    answers = {
        ((0, 0), (0, 0)): (0x6B200159, 0x99BA4EFE),
        ((ones, ones), (ones, ones)): (0x1CB996FC, 0xBB002BE7),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3)): (0xC4923A9C, 0x483DF7A0),
    }
    for (key, counter), expected in answers.items():
        found = threefry(words(*key), words(*counter))
        assert tuple(int(ops.convert_to_numpy(word)) for word in found) == expected


def test_streams_of_variants_layers_and_steps_are_independent() -> None:
    keys = [derive_key(seed, "dropout", layer) for seed in range(8) for layer in ("input", "hidden_1")]
    streams = [ops.convert_to_numpy(random_numbers(np.array(keys), step, 20_000)) for step in (0, 1)]
    uniform = np.concatenate(streams) / 2**31
    dropped = (uniform < 0.3).astype("float64")
    by_chance = uniform.size**2 / 2**32
    assert uniform.size - len(np.unique(uniform)) == pytest.approx(by_chance, abs=5 * np.sqrt(by_chance))
    # Five standard errors: of a share, of a mean, and of a correlation of 20,000 pairs.
    assert np.abs(dropped.mean(axis=1) - 0.3).max() < 5 * np.sqrt(0.3 * 0.7 / 20_000)
    assert np.abs(uniform.mean(axis=1) - 0.5).max() < 5 * np.sqrt(1 / 12 / 20_000)
    for numbers in (uniform, dropped):
        for shift in (0, 1):
            correlation = np.corrcoef(numbers, np.roll(numbers, shift, axis=1))[
                : len(numbers), len(numbers) :
            ]
            if shift == 0:
                np.fill_diagonal(correlation, 0)
            assert np.abs(correlation).max() < 5 / np.sqrt(20_000)


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    from whyfit.models.population.layers import StackedDropout

    layer, rates = StackedDropout("hidden_1_dropout", 3), np.array([0.0, 0.25, 0.9])
    layer.set_rates(rates, np.array([derive_key(seed, "dropout", "hidden_1") for seed in range(3)]))
    outputs = ops.convert_to_numpy(layer(ops.ones((3, 200, 200)), step=7))
    shares = (outputs == 0).mean(axis=(1, 2))
    assert np.abs(shares - rates).max() < 5 * 0.5 / 200
    np.testing.assert_allclose(outputs.mean(axis=(1, 2)), 1, atol=0.1)
    np.testing.assert_array_equal(outputs[0], 1)


def test_an_ended_variant_keeps_its_weights_and_the_others_do_not_notice() -> None:
    class End(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            self.model.end(np.array([True, False, True]), epoch + 1)
            self.kept = trained(self.model.variant(0))

    variants = [ODD[0], ODD[1], ODD[2]]
    free, end = histories(variants)[0], End()
    history, together = histories(variants, callbacks=[end])
    np.testing.assert_array_equal(history["val_loss"][:, 1], free["val_loss"][:, 1])
    assert history["val_loss"][0, 0] == free["val_loss"][0, 0] != free["val_loss"][1, 0]
    assert history["val_loss"][1, 0] == history["val_loss"][0, 0]
    for weight, other in zip(end.kept, trained(together.variant(0)), strict=True):
        np.testing.assert_array_equal(weight[1], other[1])
    np.testing.assert_array_equal(together.is_active(), [False, True, False])
    np.testing.assert_array_equal(ops.convert_to_numpy(together.ended_epoch), [1, 0, 1])


def test_stopping_keeps_the_best_and_the_rest_is_packed_without_a_change() -> None:
    # 1 explodes; 3 has a rate of 0 and never gets better than in its first epoch.
    rates = (0.01, 1e30, 0.02, 0.0)
    variants = [variant(seed, learning_rate=rate, dropout=(0.2,)) for seed, rate in enumerate(rates)]
    free = population(variants)
    free.compile(Adam(), jit_compile=XLA)
    expected = fit(free, seeds_of(variants), epochs=4)
    stopping, stop = EarlyStopping(patience=1), StopToPack(0.5)
    together = population(variants)
    together.compile(Adam(), jit_compile=XLA)
    fit(together, seeds_of(variants), epochs=4, callbacks=[stopping, stop])
    assert stop.wants_packing
    assert stop.epochs == 2
    np.testing.assert_array_equal(ops.convert_to_numpy(together.ended_epoch), [0, 1, 0, 2])
    np.testing.assert_array_equal(ops.convert_to_numpy(together.best_epoch)[[0, 2, 3]], [2, 2, 1])
    packed = together.pack()
    assert packed.places == (0, 2)
    callbacks = [stopping, stop]
    rest = fit(packed, seeds_of(packed.variants), epochs=4, initial_epoch=stop.epochs, callbacks=callbacks)
    assert stopping.stopped_epoch[[1, 3]].tolist() == [1, 2]
    for name in expected:
        np.testing.assert_array_equal(rest[name], expected[name][2:][:, [0, 2]], err_msg=name)
    best = packed.variant(0, best=True)
    best.compile(loss=together._loss_of)
    found = best.evaluate(HELD_OUT.astype("float32"), targets("classification", HELD_OUT), verbose=0)
    np.testing.assert_allclose(found, expected["val_loss"][:, 0].min(), rtol=1e-5)
    last = packed.variant(0)
    packed.swap_best()
    for swapped, kept in zip(packed.variant(0).get_weights(), best.get_weights(), strict=True):
        np.testing.assert_array_equal(swapped, kept)
    packed.swap_best()
    for swapped, kept in zip(packed.variant(0).get_weights(), last.get_weights(), strict=True):
        np.testing.assert_array_equal(swapped, kept)


def test_one_that_still_trains_is_packed_with_one_that_has_ended() -> None:
    together = population([variant(seed) for seed in range(3)])
    together.end(np.array([True, False, True]))
    assert together.pack().places == (0, 1)


def test_other_numbers_compile_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    traced: list[bool] = []
    loss = Population.compute_loss

    def counting(self: Population, *args: Any, training: bool = True, **kwargs: Any) -> Any:
        traced.append(training)
        return loss(self, *args, training=training, **kwargs)

    monkeypatch.setattr(Population, "compute_loss", counting)
    together = population([variant(seed, l2=0.1, dropout=(0.1,), learning_rate=0.01) for seed in range(2)])
    together.compile(Adam(), jit_compile=XLA)
    fit(together, [0, 1])
    first = len(traced)
    assert traced.count(True) <= 2  # TensorFlow looks once more where the first call makes variables
    others = [
        variant(seed + 5, l2=0.3, dropout=(0.4, 0.0), learning_rate=0.1, clipnorm=None) for seed in range(2)
    ]
    together.reset(others)
    history = fit(together, seeds_of(others))
    assert len(traced) == first
    fresh = population(others)
    fresh.compile(Adam(), jit_compile=XLA)
    for name, values in fit(fresh, seeds_of(others)).items():
        np.testing.assert_array_equal(values, history[name], err_msg=name)
    together.reset([variant(seed, l1=0.1, momentum=0.0) for seed in range(2)])  # a part that was not there
    fit(together, [0, 1])
    assert len(traced) > first


def test_each_variant_sees_the_order_of_a_run_of_its_own() -> None:
    numbers = np.arange(20.0), np.arange(20)
    own, common = (ShuffledBatches(*numbers, 6, seeds) for seeds in ([3, 8], 8))
    for epoch in (0, 1):
        own.on_epoch_begin(epoch)
        common.on_epoch_begin(epoch)
        x, y = (np.stack([np.asarray(part) for part in column]) for column in zip(*own.dataset, strict=True))
        assert x.shape == y.shape == (3, 2, 6)
        for place, seed in enumerate((3, 8)):
            single = ShuffledBatches(*numbers, 6, seed)
            single.on_epoch_begin(epoch)
            np.testing.assert_array_equal(y[:, place], numbers[1][single.order()])
        np.testing.assert_array_equal(common.order(), own.order()[:, 1])


def test_training_goes_on_from_its_variables_alone() -> None:
    variants = [variant(seed, units=(6,), dropout=(0.5,)) for seed in range(2)]
    whole = histories(variants)[0]

    def begun() -> Population:
        together = population(variants)
        together.compile(Adam(), jit_compile=XLA)
        return together

    first = begun()
    fit(first, [0, 1], epochs=1)
    second, saved = begun(), state(first)
    for variable, value in zip([*second.variables, *second.optimizer.variables], saved, strict=True):
        variable.assign(value)
    rest = fit(second, [0, 1], epochs=2, initial_epoch=1)
    for name, values in rest.items():
        np.testing.assert_array_equal(values, whole[name][1:], err_msg=name)


def test_gradients_pass_one_place() -> None:
    together = population([variant(seed) for seed in range(3)])
    together.compile(SGD(0.1), jit_compile=False, run_eagerly=True)
    optimizer, before = together.optimizer, [ops.convert_to_numpy(w) for w in together.trainable_variables]
    seen: list[Any] = []
    apply: Callable[..., None] = optimizer.apply
    optimizer.apply = lambda grads, *rest: (seen.append(grads), apply(grads, *rest))
    rows = np.stack([X[:4], X[4:8], X[8:12]]).astype("float32")
    if TENSORFLOW:
        together.train_on_batch(rows, np.zeros((3, 4), "int32"))
        for weight, old, gradient in zip(together.trainable_variables, before, seen[0], strict=True):
            np.testing.assert_allclose(
                ops.convert_to_numpy(weight), old - 0.1 * np.asarray(gradient), rtol=1e-5
            )
            assert gradient.shape == weight.shape
            assert weight.shape[0] == 3


def test_predicts_for_all_at_once() -> None:
    together = population([variant(seed, head="probabilities") for seed in range(3)])
    together.compile()
    rows = HELD_OUT.astype("float32")
    answers = together.predict(rows, verbose=0)
    assert answers.shape == (13, 3, 3)
    for place in range(3):
        alone = ops.convert_to_numpy(together.variant(place)(rows))
        np.testing.assert_allclose(answers[:, place], alone, rtol=1e-5)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"units": (6, 8)}, r"units must be the same .*, got \(6, 7\), \(6, 8\)"),
        ({"activation": "tanh"}, "activation must be the same .*, got relu, tanh"),
        ({"head": "probabilities"}, "head must be the same .*, got auto, probabilities"),
    ],
)
def test_what_must_be_equal_is_named(others: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        population([variant(), variant(**others)])


def test_what_cannot_be_is_named() -> None:
    with pytest.raises(ValueError, match="variants must be at least 2"):
        population([variant()])
    with pytest.raises(ValueError, match=r"batch_normalization must be .*, got after, before"):
        population([variant(batch_normalization=place) for place in ("before", "after")])
    with pytest.raises(ValueError, match="learning_rate must be 0 or more"):
        Variant(learning_rate=-1)
    together = population([variant(momentum=0.9), variant(1)])
    with pytest.raises(ValueError, match="momentum must be left out with Adam"):
        together.compile(Adam())
    for optimizer in (
        keras.optimizers.Lion(),
        SGD(global_clipnorm=1.0),
        keras.optimizers.RMSprop(centered=True),
    ):
        with pytest.raises(ValueError, match="must be"):
            together.compile(optimizer)


def test_what_does_not_fit_into_memory_is_split_and_says_so() -> None:
    variants = [variant(seed, units=(256,)) for seed in range(11)]
    asked = {"input_shape": (28, 28), "classes": 10, "batch_size": 128}
    with pytest.warns(UserWarning, match="11 variants take .* trained as 3 populations of 4, 4, 3"):
        parts = split_variants(variants, **asked, budget=40_000_000)
    assert [one for part in parts for one in part] == variants
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert split_variants(variants, **asked, budget=10**12) == [variants]
    with pytest.raises(ValueError, match="budget must be at least"):
        split_variants(variants, **asked, budget=1000)


@pytest.mark.skipif(not TENSORFLOW, reason="TensorFlow's own")
def test_keras_still_has_inside_what_is_used_of_it() -> None:
    from keras.src.backend.tensorflow import nn

    optimizer = SGD()
    for name in (
        "_clip_gradients",
        "_apply_weight_decay",
        "_get_variable_index",
        "_check_variables_are_known",
    ):
        assert callable(getattr(optimizer, name))
    assert hasattr(keras.activations.softmax(ops.ones((1, 2))), "_keras_logits")
    assert "_keras_logits" in nn._get_logits.__code__.co_consts
    for name in inner._ROUNDED_BY_PLACE:
        assert callable(getattr(keras.activations, name))

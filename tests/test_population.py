"""K networks as one: each equal to a stock network trained alone, and independent of its neighbours."""

import keras
import numpy as np
import pytest

from whyfit.models import (
    MLPConfig,
    Population,
    PopulationBatches,
    StopVariants,
    Variant,
    build_loss,
    build_mlp,
    derive_seed,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(160, 3))
Y = (X[:, 0] * X[:, 1] > 0).astype("int32")
OPTIMIZERS = {
    "SGD": lambda: keras.optimizers.SGD(0.1),
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "Nesterov": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "Adam": lambda: keras.optimizers.Adam(1e-2),
    "AdamW": lambda: keras.optimizers.AdamW(1e-2, weight_decay=0.05),
    "RMSprop": lambda: keras.optimizers.RMSprop(1e-2),
    "clipped": lambda: keras.optimizers.SGD(0.5, clipnorm=0.05),
}
CONFIGS = {
    "relu": MLPConfig(units=(5, 4)),
    "tanh": MLPConfig(units=(5, 4), activation="tanh"),
    "sigmoid": MLPConfig(units=(5,), activation="sigmoid", initializer="normal", initializer_scale=4.0),
    "L1 and L2": MLPConfig(units=(5,), l1=1e-2, l2=2e-2),
    "normalized before": MLPConfig(units=(5, 4), batch_normalization="before"),
    "normalized after": MLPConfig(units=(5,), batch_normalization="after"),
    "max-norm": MLPConfig(units=(6,), max_norm=0.5),
}


@pytest.fixture
def float64() -> object:
    """Everything in double precision, so that what differs is not rounding."""
    for dtype in ("float64", "float32"):
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)  # once asked for, it does not follow floatx
        if dtype == "float64":
            yield


def stock(variant: Variant, optimizer: keras.Optimizer) -> keras.Model:
    """The variant alone, after 20 steps in its own order."""
    model = build_mlp(variant.config, input_shape=(3,), task="classification", classes=2, seed=variant.seed)
    if variant.learning_rate is not None:
        optimizer.learning_rate = variant.learning_rate
    model.compile(optimizer, loss=build_loss(variant.config, "classification"), jit_compile=False)
    for epoch in range(4):
        order = np.random.default_rng(derive_seed(variant.seed, "shuffle", epoch)).permutation(160)
        for places in order.reshape(5, 32):
            model.train_on_batch(X[places], Y[places])
    return model


def population(variants: list[Variant], optimizer: keras.Optimizer, epochs: int = 4) -> Population:
    """The variants as one, after as many steps."""
    model = Population(variants, input_shape=(3,), task="classification", classes=2)
    model.compile(optimizer, jit_compile=False)
    batches = PopulationBatches(X, Y, 32, [variant.seed for variant in variants])
    model.fit(batches.dataset, epochs=epochs, shuffle=False, verbose=0, callbacks=[batches])
    return model


def assert_equal(ours: keras.Model, theirs: keras.Model) -> None:
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_variant_is_what_it_is_alone(float64: None, name: str) -> None:
    config = CONFIGS[name]
    variants = [Variant(config, seed=0), Variant(config, seed=7, learning_rate=3e-2)]
    together = population(variants, keras.optimizers.Adam(1e-2))
    for place, variant in enumerate(variants):
        assert_equal(together.variant(place), stock(variant, keras.optimizers.Adam(1e-2)))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_steps_as_it_does_alone(float64: None, name: str) -> None:
    config = MLPConfig(units=(5,), l2=1e-3)
    variants = [Variant(config, seed=1), Variant(config, seed=2, learning_rate=2e-2)]
    together = population(variants, OPTIMIZERS[name]())
    for place, variant in enumerate(variants):
        assert_equal(together.variant(place), stock(variant, OPTIMIZERS[name]()))


def test_a_variant_depends_neither_on_its_neighbours_nor_on_its_place() -> None:
    config = MLPConfig(units=(8, 8), dropout=(0.3,), batch_normalization="before")
    mine = Variant(config, seed=5)
    others = [Variant(config, seed=seed, learning_rate=1e-3 * (seed + 1)) for seed in range(6)]
    few = population([mine, others[0]], keras.optimizers.Adam(1e-2)).variant(0)
    many = population([*others[:4], mine, *others[4:]], keras.optimizers.Adam(1e-2)).variant(4)
    for one, other in zip(few.get_weights(), many.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_a_variant_that_explodes_touches_no_other() -> None:
    config = MLPConfig(units=(8,))
    calm = [Variant(config, seed=1), Variant(config, seed=2)]
    wild = Variant(config, seed=3, learning_rate=1e30)
    among = population([calm[0], wild, calm[1]], keras.optimizers.SGD(0.1))
    alone = population(calm, keras.optimizers.SGD(0.1))
    assert not np.isfinite(among.variant(1).get_weights()[0]).all()
    for here, there in ((0, 0), (2, 1)):
        for one, other in zip(
            among.variant(here).get_weights(), alone.variant(there).get_weights(), strict=True
        ):
            assert np.array_equal(one, other)


def test_dropout_drops_its_share_and_streams_are_independent() -> None:
    variants = [Variant(MLPConfig(units=(400,), dropout=(0.3,)), seed=seed) for seed in range(4)]
    model = Population(variants, input_shape=(3,), task="classification", classes=2)
    model.network.dense[1].kernel.assign(np.ones(model.network.dense[1].kernel.shape))
    x = np.abs(RNG.normal(size=(64, 3))).astype("float32")
    outputs = np.asarray(model(x, training=True))[..., 0].T
    again = np.asarray(model(x, training=False))[..., 0].T
    ratio = (outputs / again).mean(axis=1)
    np.testing.assert_allclose(ratio, 1, atol=0.1)
    deviations = outputs / again - 1
    correlation = np.corrcoef(deviations)
    assert np.abs(correlation[~np.eye(4, dtype=bool)]).max() < 0.5


def test_each_stops_for_itself_and_the_rest_go_on_packed_as_before() -> None:
    config = MLPConfig(units=(8,))
    variants = [Variant(config, seed=seed) for seed in range(4)]
    whole = population(variants, keras.optimizers.Adam(1e-2), epochs=6)
    half = population(variants, keras.optimizers.Adam(1e-2), epochs=3)
    half.end(np.array([True, False, True, False]), 3)
    frozen = [weight.copy() for weight in half.variant(0).get_weights()]
    packed = half.pack()
    assert packed.places == (1, 3)
    batches = PopulationBatches(X, Y, 32, [variant.seed for variant in packed.variants])
    packed.fit(batches.dataset, initial_epoch=3, epochs=6, shuffle=False, verbose=0, callbacks=[batches])
    for place, origin in enumerate(packed.places):
        for one, other in zip(
            packed.variant(place).get_weights(), whole.variant(origin).get_weights(), strict=True
        ):
            assert np.array_equal(one, other)
    assert all(np.array_equal(a, b) for a, b in zip(frozen, half.variant(0).get_weights(), strict=True))


def test_early_stopping_a_variant_keeps_its_best_weights() -> None:
    variants = [Variant(MLPConfig(units=(8,)), seed=0, learning_rate=rate) for rate in (1e-3, 5.0)]
    model = Population(variants, input_shape=(3,), task="classification", classes=2)
    model.compile(keras.optimizers.SGD(), jit_compile=False)
    batches = PopulationBatches(X[:128], Y[:128], 32, 0)
    history = model.fit(
        batches.dataset,
        validation_data=(X[128:], Y[128:]),
        epochs=12,
        shuffle=False,
        verbose=0,
        callbacks=[batches, StopVariants(patience=3)],
    ).history
    losses = np.array(history["val_loss"])
    best = np.asarray(model.best_epoch)
    for place in range(2):
        assert losses[best[place] - 1, place] == losses[: best[place] + 3, place].min()
        kept = model.variant(place, best=True)
        loss = build_loss(variants[place].config, "classification")(Y[128:], kept(X[128:]))
        assert float(loss) == pytest.approx(losses[best[place] - 1, place], rel=1e-4)
    assert model.is_active()[0]


def test_other_numbers_are_not_compiled_again() -> None:
    def variants(scale: float) -> list[Variant]:
        config = MLPConfig(units=(8,), l2=1e-3 * scale, dropout=(0.1 * scale,))
        return [Variant(config, seed=seed, learning_rate=1e-3 * scale) for seed in range(3)]

    model = Population(variants(1), input_shape=(3,), task="classification", classes=2)
    model.compile(keras.optimizers.Adam(), jit_compile=False)
    traced = []
    step = model.train_step
    model.train_step = lambda data: (traced.append(1), step(data))[1]
    batches = PopulationBatches(X, Y, 32, 0)
    model.fit(batches.dataset, epochs=1, shuffle=False, verbose=0, callbacks=[batches])
    once = len(traced)
    model.reset(variants(3))
    model.fit(batches.dataset, epochs=2, shuffle=False, verbose=0, callbacks=[batches])
    assert len(traced) == once


def test_what_must_be_the_same_is_named() -> None:
    with pytest.raises(ValueError, match="units must be the same for all variants"):
        Population(
            [Variant(MLPConfig(units=(3,))), Variant(MLPConfig(units=(4,)))],
            input_shape=(3,),
            task="binary",
        )
    with pytest.raises(ValueError, match="at least 2"):
        Population([Variant()], input_shape=(3,), task="binary")

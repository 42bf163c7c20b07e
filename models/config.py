"""What a model is made of, as frozen dataclasses. Imports neither Keras nor NumPy."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal


def require(field: str, rule: str, value: object, holds: bool) -> None:
    """Raise a ValueError that names the field, the rule and the value, unless the rule holds."""
    if not holds:
        raise ValueError(f"{field} must be {rule}, got {value}")


@dataclass(frozen=True)
class AdditionRNNConfig:
    """A recurrent network that reads a question character by character and writes the answer."""

    builder: ClassVar[str] = "addition_rnn"

    cell: Literal["SimpleRNN", "GRU", "LSTM"] = "LSTM"
    """Recurrent layer of the encoder and the decoder."""
    units: int = 128
    """Units of every recurrent layer."""
    layers: int = 1
    """Recurrent layers of the decoder; the encoder has one."""
    l1: float = 0.0
    """L1 strength: adds l1 * sum|w| over all kernels, recurrent ones too, to the loss."""
    l2: float = 0.0
    """L2 strength lambda: adds (lambda / 2) * sum w^2 over all kernels, recurrent ones too."""
    dropout: float = 0.0
    """Share of a recurrent layer's inputs dropped in training, in [0, 1)."""
    recurrent_dropout: float = 0.0
    """Share of a recurrent layer's state dropped in training, in [0, 1)."""
    unroll: bool = True
    """Write the steps of the sequence out one after another: faster, a little longer to compile."""

    def __post_init__(self) -> None:
        require("units", "at least 1", self.units, self.units >= 1)
        require("layers", "at least 1", self.layers, self.layers >= 1)
        require("l1", "0 or more", self.l1, 0 <= self.l1 < float("inf"))
        require("l2", "0 or more", self.l2, 0 <= self.l2 < float("inf"))
        require("dropout", "in [0, 1)", self.dropout, 0 <= self.dropout < 1)
        require("recurrent_dropout", "in [0, 1)", self.recurrent_dropout, 0 <= self.recurrent_dropout < 1)


Activation = Literal[
    "sigmoid", "tanh", "hard_tanh", "softsign", "relu", "leaky_relu", "softplus", "elu", "linear"
]
Initializer = Literal[
    "zeros",
    "constant",
    "normal",
    "uniform",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
]
Head = Literal["auto", "probabilities", "probabilities_as_logits", "softmax_one_unit", "sigmoid", "relu"]


@dataclass(frozen=True)
class MLPConfig:
    """A dense network: hidden layers, each `Dense -> activation`, and a head that fits the task."""

    builder: ClassVar[str] = "mlp"

    layers: int | None = None
    """Hidden layers, 0 to 50. None: one for each number in units."""
    units: tuple[int, ...] = (256,)
    """Units of the hidden layers: one number for all, or one for each layer, from input to output."""
    activation: Activation = "relu"
    """Of every hidden layer. leaky_relu has slope 0.2 below 0, which is Keras's own default."""
    initializer: Initializer = "glorot_uniform"
    """Of every kernel, the output's too; biases are 0. constant is 1, normal has deviation 0.05, uniform
    lies within 0.05 of 0: initializer_scale changes them."""
    initializer_scale: float = 1.0
    """What initial kernels are multiplied by, in [1e-9, 1e9]. With constant it is the constant itself."""
    l1: float = 0.0
    """L1 strength: adds l1 * sum|w| over all kernels, the output's too, to the loss. Biases are free."""
    l2: float = 0.0
    """L2 strength lambda: adds (lambda / 2) * sum w^2 over all kernels, the output's too. Biases are free."""
    input_dropout: float = 0.0
    """Share of the scaled inputs dropped in training, in [0, 1)."""
    dropout: tuple[float, ...] = (0.0,)
    """Share of a hidden layer's outputs dropped in training, in [0, 1): one for all, or one a layer."""
    batch_normalization: Literal["none", "before", "after"] = "none"
    """Batch normalization before the activation (the layer then has no bias, beta is one), or after it."""
    max_norm: float | None = None
    """Largest L2 norm of the weights that come into a hidden unit, kept after every step. None: no limit."""
    head: Head = "auto"
    """auto is right for the task: a logit for each class, one logit for binary, one linear unit for
    regression. probabilities is right too: the network ends in softmax, or in sigmoid for binary. The others
    are wrong on purpose: probabilities_as_logits (the loss applies softmax or sigmoid once more),
    softmax_one_unit (binary: it always says 1), sigmoid (regression: nothing outside 0 to 1) and
    relu (any task: nothing below 0)."""

    def __post_init__(self) -> None:
        depth, norm = self.depth, self.max_norm
        require("layers", "from 0 to 50", depth, 0 <= depth <= 50)
        each = f"one number or one for each of the {depth} layers"
        require("units", each, self.units, len(self.units) in (1, depth))
        require("units", "at least 1", self.units, all(units >= 1 for units in self.units))
        scale = self.initializer_scale
        require("initializer_scale", "in [1e-9, 1e9]", scale, 1e-9 <= scale <= 1e9)
        require("l1", "0 or more", self.l1, 0 <= self.l1 < float("inf"))
        require("l2", "0 or more", self.l2, 0 <= self.l2 < float("inf"))
        require("input_dropout", "in [0, 1)", self.input_dropout, 0 <= self.input_dropout < 1)
        require("dropout", each, self.dropout, len(self.dropout) in (1, depth))
        require("dropout", "in [0, 1)", self.dropout, all(0 <= rate < 1 for rate in self.dropout))
        require("max_norm", "above 0", norm, norm is None or 0 < norm < float("inf"))

    @property
    def depth(self) -> int:
        """Hidden layers."""
        return len(self.units) if self.layers is None else self.layers

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        return self.units * self.depth if len(self.units) == 1 else self.units

    @property
    def dropout_rates(self) -> tuple[float, ...]:
        """Dropout rate of each hidden layer."""
        return self.dropout * self.depth if len(self.dropout) == 1 else self.dropout


@dataclass(frozen=True)
class Variant:
    """One network of a population: its config, its seed, and its own settings of the shared optimizer.

    Within a population layers, units, activation and head are the same; all else may differ.
    """

    config: MLPConfig = field(default_factory=MLPConfig)
    """The network. Initial weights, regularization and batch normalization are the variant's own."""
    seed: int = 0
    """Initial weights, dropout masks and the order of examples derive from it."""
    learning_rate: float | None = None
    """Learning rate, or what a schedule is multiplied by. None: the optimizer's own."""
    momentum: float | None = None
    """Momentum of SGD and RMSprop, in [0, 1). None: the optimizer's own."""
    weight_decay: float | None = None
    """Decoupled weight decay. None: the optimizer's own."""
    clipnorm: float | None = None
    """Largest norm of a variable's gradient. None: the optimizer's own, or no clipping."""

    def __post_init__(self) -> None:
        rate, momentum, decay, clip = self.learning_rate, self.momentum, self.weight_decay, self.clipnorm
        require("seed", "0 or more", self.seed, self.seed >= 0)
        require("learning_rate", "0 or more", rate, rate is None or 0 <= rate < float("inf"))
        require("momentum", "in [0, 1)", momentum, momentum is None or 0 <= momentum < 1)
        require("weight_decay", "0 or more", decay, decay is None or 0 <= decay < float("inf"))
        require("clipnorm", "above 0", clip, clip is None or 0 < clip < float("inf"))

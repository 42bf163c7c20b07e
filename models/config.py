"""What a model is made of, as frozen dataclasses. Imports neither Keras nor NumPy."""

from dataclasses import dataclass
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

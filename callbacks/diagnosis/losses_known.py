"""Kinds of losses, for rules that need no Keras."""

CLASSIFIES = ("sparse_cross_entropy", "cross_entropy", "binary_cross_entropy", "hinge", "categorical_hinge")
PROBABILITIES = ("sparse_cross_entropy", "cross_entropy", "binary_cross_entropy")
REGRESSES = ("squared", "absolute", "relative", "logarithmic", "poisson")

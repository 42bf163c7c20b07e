"""Variants of one network as one model: population.py is what is used, the rest what it is made of."""

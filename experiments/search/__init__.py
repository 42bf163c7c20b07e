"""Searches over settings: search.py is the file to read first; tuner.py decides, trainer.py trains."""

"""Programs written without knowledge of the rules, in `forum.py` and `guides.py`; see `program.py`."""

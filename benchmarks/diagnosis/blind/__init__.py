"""Programs written without knowledge of the rules, in `forum.py` and `guides.py`; `program.py` says what one is."""

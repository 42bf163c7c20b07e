"""Programs written without knowledge of the rules: `forum.py`, `guides.py`, `teams.py`; see `program.py`."""

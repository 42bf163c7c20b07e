"""Data sources: one file each, every one of them with `load(config, seed) -> Data`."""

"""Programs with known faults, and healthy ones: how often the monitor names what is wrong."""

"""Tracking with MLflow. Nothing outside this folder imports it.

tracker.py    what a training calls: it writes to the run's journal and returns at once
delivery.py   brings journals to MLflow, in order, as often as it takes
store.py      where MLflow's data are, and the client to reach them
system.py     processor, memory and GPU figures while a run goes on
runs.py       asks MLflow about runs: by name, the best, side by side
"""

"""Benchmarks beside peers in the same run: `script/bench [NAME] [--json FILE]`.

A file `bench_NAME.py` is a benchmark: `run(rig, scale)` yields lines of the table. Each side (ours, stock
Flask-AppBuilder, Django admin, Flask-Admin) lives in a process of its own, `side.py`, and they take turns, so that a
busy machine slows all of them. Nothing here judges by time in a test: bars are for reading.
"""

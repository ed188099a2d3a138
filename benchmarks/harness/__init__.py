"""The code shared by all benchmarks.

A command (`command.py`) selects the subjects and cases. `turns.py` starts each subject
(`process.py`) and requests turns, alternately with its base; in the subject's process
(`process.py`) a `Run` (`run.py`) makes the steps on a device (`devices.py`). Results are stored
(`records.py`) and printed (`table.py`).
"""

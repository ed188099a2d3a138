"""What all benchmarks share.

A command (`command.py`) says which subjects run which cases. `turns.py` starts each subject
(`process.py`) and asks it for turns, alternately with its base; in the subject's process
(`process.py`) a `Run` (`run.py`) makes the steps on a device (`devices.py`). What came out is kept
(`records.py`) and shown (`table.py`).
"""

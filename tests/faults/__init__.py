"""
The fault programme: what is promised, tried many times against faults that are really injected.

`python -m faults` (with `tests/` on the path; `make faults`, `make soak`) runs the rows and prints one table of figures
with their seeds. The same rows, at a twentieth of their counts, are what CI runs.
"""

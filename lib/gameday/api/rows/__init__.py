"""
What a table shows of each kind: the columns that responders know from `kubectl get`, and how each cell is read.

`column` has the words that all share, the other modules have a part of the world each, and `layouts` finds the one of a
kind.
"""

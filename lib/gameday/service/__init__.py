"""
The example service of a game day: claude-deployment-api, as its releases really behave.

It answers HTTP, counts what it answers for Prometheus, writes a log, and follows the flags of its ConfigMap while it
runs. What is wrong with a bad release is an ordinary mistake in its code (`releases`), not a switch: whoever rolls it
back has mended it, and whoever scales it out has more of it.
"""

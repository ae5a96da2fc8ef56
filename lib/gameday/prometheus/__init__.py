"""
A Prometheus of the subset that a game day needs, for machines that have none on PATH.

It speaks Prometheus' HTTP API, reads Prometheus' configuration and rule files, and answers as Prometheus 2 does; where
it does not know something it says so by name, since an empty answer at night reads as "all is well". `exposition`
reads what a target says, `series` keeps it in memory, `language` reads a query into the tree of `syntax`, `evaluate`
answers it with `functions`, `aggregate` and `matching`. `scrape` asks the targets of `discovery`, `rules` records and
alerts, `server` answers. A world lives as long as its processes: nothing is kept on disk.

Known to differ: what a target's `le`, `quantile` or text says is taken as it is (no native histograms, no exemplars), a
target that is removed ends its series at once and not two scrapes later, and regular expressions are Python's, less
what Prometheus' do not have.
"""

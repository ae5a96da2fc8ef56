"""
The world in a box: all of its parts, in one folder, started and ended together.

`folder` says where everything is, `parts` what runs, `manifests` what the cluster is filled with, `metrics` what
Prometheus is told. `supervisor` is the one process that owns the parts; when it goes, however it goes, they go too.
`control` is how a command brings a world up, looks at it and takes it down.
"""

"""
A kubelet whose containers are local processes: the node of a game day, and of our tests on a real control plane.

It is a client of the API like any other. `node` keeps the Node object alive, `pods` follows what is bound to it, `pod`
is one pod's life and the only writer of its status, `container` one container's. `environment`, `volumes` and `sources`
give a process what its pod says, `process` starts it, `probe` asks it, `logs` keeps what it wrote, `status` says what
became of it. `server`, with `streams` and `usage`, answers the API server: logs, exec, attach, metrics.

What is not as on a real node: processes share this machine's network, files and user, so a pod may run only what the
map of images allows, and listens on a local port of its own (`PORT`), which its annotation tells.
"""

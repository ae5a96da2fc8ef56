"""
Our controllers: each watches objects through the API and moves the world towards what they say.

A module each: `deployment` (with `rollout` and `revision`, its arithmetic and its memory), `replicaset`,
`endpointslice`, `endpoints`, `disruption` and `nodelifecycle`. `controller` is what they have in common.
`python -m gameday.controllers` runs them all, and the scheduler. A real control plane brings its own.
"""

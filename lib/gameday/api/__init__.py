"""
A Kubernetes API server of our own: enough of it for kubectl, the Python client, our controllers and our kubelet.

Everything is in memory, and a world's objects live as long as this process does. One request is decided without a
pause in between, so two never see half of each other's work. What it cannot do (quota, admission, RBAC, CRDs) it says
by not offering it: a real control plane takes its place where that is wanted.
"""

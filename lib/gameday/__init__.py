"""A world on this machine to practise in: a Kubernetes API, a service with traffic, Prometheus, and a real fault."""

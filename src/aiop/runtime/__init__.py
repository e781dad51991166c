"""A controller runtime on the raw Kubernetes API; it knows nothing of what is built on it."""

"""A controller runtime for Kubernetes. It knows nothing of AI: another operator could stand on it."""

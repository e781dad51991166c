"""aiop, the AI Workload Operator: queue, train, tune, register, serve and scale models on Kubernetes."""

__version__ = "0.2.0"

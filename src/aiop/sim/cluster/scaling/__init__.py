"""The horizontal autoscaler's arithmetic: replicas from metrics, and how fast they may follow. Pure."""

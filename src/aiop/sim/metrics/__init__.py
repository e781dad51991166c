"""Resource metrics of pods that run as processes: what metrics-server is to a real cluster."""

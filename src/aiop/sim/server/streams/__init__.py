"""What an API server passes on to kubelets: logs, commands, ports; here to the pods that run as processes."""

"""Nodes, a scheduler, controllers and kubelets, over any API server; the kubelets alone also serve a real one."""

"""What stands between clients and the pods of the embedded cluster: Service proxies and a router for Ingresses."""

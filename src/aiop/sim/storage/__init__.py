"""The embedded server's etcd: objects, one version counter, and the history that watches resume from."""

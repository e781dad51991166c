"""`aiop demo`: a cluster, the operator as a process of its own, the samples, and a live table until all are Ready."""

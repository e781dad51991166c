"""`aiop explain`: the one cause that holds an object back, with its numbers, its source and what comes next."""

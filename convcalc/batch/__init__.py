"""Many designs, a row each: found, counted by all cores, given back in the order in which they were named.

``patterns`` turns folders and globs into files, ``counting`` counts one of them, ``workers`` are the processes that do
so, ``running`` joins these to a stream of rows, and ``choosing`` sorts it or keeps its Pareto front.
"""

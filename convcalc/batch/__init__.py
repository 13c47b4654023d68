"""Many designs, a row each, counted on all cores, in the order in which they are named.

``count`` counts one file, ``worker_pool`` has the processes that do so, ``run`` makes a stream of rows of these, and
``selection`` sorts it or keeps its Pareto front.
"""

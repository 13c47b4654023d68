"""Budgets: limits on the metrics of designs, read from a file, judged against reports and baselines.

``model`` is what a budget file says, ``document`` reads it, ``rules`` judges a design, ``baseline`` and ``git`` know what
designs counted before. What comes out are findings (``convcalc.findings``).
"""

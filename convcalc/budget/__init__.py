"""Budgets: limits on the metrics of designs, read from a file, judged against reports and baselines.

``model`` is what a budget file says, ``document`` reads it, ``check`` judges all of it and ``rules`` one budget on one
design, ``baseline`` and ``git`` know what designs counted before. What comes out are findings (``convcalc.findings``).
"""

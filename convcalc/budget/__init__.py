"""Budgets: limits on the metrics of designs, read from a file, judged against reports and baselines.

``file`` reads what a budget file says, ``select`` finds the designs and layers that it means, ``baseline`` knows what
designs counted before, ``diff`` what changed since, and ``check`` judges. What comes out are findings
(``convcalc.findings``).
"""

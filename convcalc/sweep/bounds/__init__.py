"""Numbers that stand for many: intervals, arrays with bounds, polynomials; the rules that they share."""

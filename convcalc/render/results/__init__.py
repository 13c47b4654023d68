"""Pages that show lists, sweeps, solutions, formulas and explanations."""

"""Pages that `convcalc explain` shows."""

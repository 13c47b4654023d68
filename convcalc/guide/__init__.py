"""Pages that `convcalc explain` and `convcalc guide` show."""

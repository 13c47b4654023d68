"""What `plot` draws of designs and of tables of results."""

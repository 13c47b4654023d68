"""The layer graph and the builder that infers its shapes."""

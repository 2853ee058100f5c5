"""Mutants: the client with one cleanup taken away, for the self-test to notice."""

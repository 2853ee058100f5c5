"""Camera of the tests."""

"""From findings to themes."""

"""The `perinatal` command."""

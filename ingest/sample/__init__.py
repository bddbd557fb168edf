"""The sample publishers: a loopback server that behaves as the real sites do, with generated files."""

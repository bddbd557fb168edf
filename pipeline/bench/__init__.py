"""Measuring: one command on one machine, every figure beside something else that was measured in the same run."""

"""The two data-quality gates, and the alerts that tell people of a breach."""

"""The inbox: files that people drop."""

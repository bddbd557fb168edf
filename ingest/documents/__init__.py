"""Reports (web pages, PDF) as findings."""

"""From an arrived file to a landed release: sniffed, read, typed, recognised, judged."""

"""From a gated candidate to a published edition, its packs, portal and change report."""

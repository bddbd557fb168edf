"""What is kept: bytes as published, manifests of landed releases, quarantine, the audit log."""

"""Which hosts may be asked for a source: nothing that a page links to or redirects to leads anywhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

from ingest.fetch.http.addresses import Origin
from ingest.registry import Source


def hosts_of(source: Source) -> frozenset[str]:
    """Return the hosts of a source's page and of its probe's addresses, and those that its probe names (`hosts`)."""
    probe = source.probe
    addresses = [source.page]
    if probe:
        addresses += [probe.url, *probe.files]
        addresses += [probe.api.base_url] if probe.api else []
    named = probe.hosts if probe else ()
    return frozenset(named) | {Origin.of(url).name for url in addresses if urlsplit(url).hostname}

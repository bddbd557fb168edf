"""The trigger that wakes the inbox DAG. It only looks: the landing step moves the files."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Hashable
from pathlib import Path
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from ingest.inbox.quiet_files import QuietFiles, look

log = logging.getLogger(__name__)


class InboxTrigger(BaseEventTrigger):
    """Fires once for each file in the inbox that has stopped growing, and again for one that is still there later.

    All triggers on one inbox share one scan. Unlike the file triggers that come with Airflow it deletes nothing.
    Which files were reported is kept in memory only: after a restart each file still there is reported again, which is
    harmless, because the DAG looks at the folder and not at the event.
    """

    def __init__(self, *, inbox: str, interval: float = 1.0, quiet: float = 2.0, remind: float = 1800.0) -> None:
        super().__init__()
        self.inbox = inbox
        self.interval = interval
        self.quiet = quiet
        self.remind = remind

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what the triggerer makes this trigger from."""
        return (
            "dags.triggers.InboxTrigger",
            {"inbox": self.inbox, "interval": self.interval, "quiet": self.quiet, "remind": self.remind},
        )

    def shared_stream_key(self) -> Hashable:
        """One scan for all triggers on this inbox."""
        return ("perinatal-inbox", os.path.realpath(self.inbox), self.interval, self.quiet, self.remind)

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Yield source, file and bytes of each file to report; scans in a thread, so that nothing blocks."""
        inbox = Path(kwargs["inbox"])
        files = QuietFiles(quiet=kwargs["quiet"], remind=kwargs["remind"])
        while True:
            try:
                seen = await asyncio.to_thread(look, inbox)
            except OSError as error:  # a person can correct it; an exception would end the watch for good
                log.warning("the inbox cannot be read: %s", error)
                seen = {}
            for path in files.ready(seen, time.monotonic()):
                yield {"file": path, "bytes": seen[path].bytes}
                await asyncio.sleep(0)  # let the subscribers take it: their queues are bounded
            await asyncio.sleep(kwargs["interval"])

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Any]) -> AsyncIterator[TriggerEvent]:
        """Every file wakes the DAG."""
        async for event in shared_stream:
            yield TriggerEvent(event)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Scan alone, where there is no shared stream."""
        async for event in self.filter_shared_stream(type(self).open_shared_stream(self.serialize()[1])):
            yield event

#!/bin/sh
exec python -m pipeline.commands.app "$@"

#!/bin/sh
exec python -m perinatal.cli "$@"

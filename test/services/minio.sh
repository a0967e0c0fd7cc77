#!/bin/sh
# Builds the MinIO that test/services/minio.test.ts runs, unless that is done already, and prints where it is. It is in
# no package: Go builds it as a module, of one version, into a cache outside of the repository.
# Usage: test/services/minio.sh [path]; `path` only prints. With TRAILGAUGE_MINIO=FILE that file is it.
set -eu
version=v0.0.0-20260212201848-7aac2a2c5b7c
folder=${XDG_CACHE_HOME:-$HOME/.cache}/trailgauge/minio-$version
binary=${TRAILGAUGE_MINIO:-$folder/minio}

if [ "${1:-}" != path ] && [ -z "${TRAILGAUGE_MINIO:-}" ] && [ ! -x "$binary" ]; then
  mkdir -p "$folder"
  made=$(mktemp -d "$folder/build.XXXXXX")
  trap 'rm -rf "$made"' EXIT
  # Not from within the repository, whose settings are none of Go's.
  (cd "$made" && GOBIN=$made GOFLAGS=-mod=mod CGO_ENABLED=0 exec go install "github.com/minio/minio@$version") >&2 &
  trap 'kill $! 2>/dev/null; exit 1' HUP INT TERM
  wait $!
  # Whole or not at all, also where two build at once.
  mv "$made/minio" "$folder/minio"
fi
echo "$binary"

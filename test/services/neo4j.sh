#!/bin/sh
# Fetches the Neo4j Community that the tests of the writer `neo4j` run, unless that is done already, and prints what
# starts it: `neo4j FOLDER` serves FOLDER, by FOLDER/conf/neo4j.conf. Maven fetches it from Maven Central, one version,
# into a cache outside of the repository; Java 17 runs it. It is GPLv3: for tests, never shipped.
# Usage: test/services/neo4j.sh [path]; `path` only prints.
set -eu
version=5.26.30
folder=${XDG_CACHE_HOME:-$HOME/.cache}/trailgauge/neo4j-$version
launcher=$folder/neo4j

if [ "${1:-}" != path ] && [ ! -x "$launcher" ]; then
  mkdir -p "$folder"
  made=$(mktemp -d "$folder/fetch.XXXXXX")
  child=
  trap '[ -z "$child" ] || kill "$child" 2>/dev/null; rm -rf "$made"' EXIT
  trap 'exit 1' HUP INT TERM
  cat >"$made/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>trailgauge</groupId><artifactId>neo4j-for-tests</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>$version</version>
  </dependency></dependencies>
</project>
POM
  # Not from within the repository, nor into the user's own store of packages.
  (cd "$made" && exec mvn -q -B -Dmaven.repo.local="$made/store" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DincludeTypes=jar -DoutputDirectory="$made/lib") >&2 &
  child=$!
  wait "$child"
  # Two may fetch at once: the first one stays.
  [ -d "$folder/lib" ] || mv "$made/lib" "$folder/lib"
  cat >"$made/neo4j" <<'LAUNCHER'
#!/bin/sh
# Usage: neo4j FOLDER [JAVA OPTION]...
set -eu
here=$(dirname "$0")
place=$1
shift
[ ! -f "$here/classes.jsa" ] || set -- "-XX:SharedArchiveFile=$here/classes.jsa" "$@"
open=--add-opens=java.base
exec java -Xms128m -Xmx512m -XX:+UseSerialGC -Xshare:auto "$@" \
  $open/java.nio=ALL-UNNAMED $open/java.io=ALL-UNNAMED $open/sun.nio.ch=ALL-UNNAMED \
  -cp "$(printf '%s:' "$here"/lib/*.jar)" \
  org.neo4j.server.CommunityEntryPoint "--home-dir=$place" "--config-dir=$place/conf"
LAUNCHER
  chmod +x "$made/neo4j"
  cp -p "$made/neo4j" "$folder/neo4j.new"
  # One run leaves the classes as they are in memory, with which a start takes half the time. It may fail.
  mkdir -p "$made/run/conf"
  printf '%s\n' server.bolt.listen_address=127.0.0.1:0 server.http.enabled=false server.https.enabled=false \
    dbms.usage_report.enabled=false db.tx_log.preallocate=false server.memory.pagecache.size=16m \
    >"$made/run/conf/neo4j.conf"
  "$folder/neo4j.new" "$made/run" "-XX:ArchiveClassesAtExit=$made/classes.jsa" >"$made/run.log" 2>&1 &
  child=$!
  tries=0
  while [ $tries -lt 120 ] && kill -0 "$child" 2>/dev/null && ! grep -qs 'Started\.' "$made/run/logs/neo4j.log"; do
    sleep 0.5
    tries=$((tries + 1))
  done
  kill "$child" 2>/dev/null || :
  wait "$child" || :
  child=
  [ ! -f "$made/classes.jsa" ] || mv "$made/classes.jsa" "$folder/classes.jsa"
  # Whole or not at all.
  mv "$folder/neo4j.new" "$launcher"
fi
echo "$launcher"

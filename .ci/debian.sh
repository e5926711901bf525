#!/usr/bin/env bash
# debian.sh RELEASE PACKAGE FOLDER: unpacks a package of a Debian release there. apt works in a folder of
# its own; nothing is installed.
set -euo pipefail
release=$1
package=$2
folder=$(realpath -m "$3")
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$folder" "$apt"/sources "$apt"/lists/partial "$apt"/cache/archives/partial
chmod -R a+rx "$apt"
sed "s/bookworm/$release/g" /etc/apt/sources.list.d/debian.sources > "$apt/sources/one.sources"
options=(-qq -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$apt/sources"
  -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o "APT::Sandbox::User=root")
apt-get "${options[@]}" update
cd "$apt"
apt-get "${options[@]}" download "$package"
dpkg -x "$package"_*.deb "$folder"

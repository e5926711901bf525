#!/usr/bin/env bash
# debian.sh RELEASE PACKAGES FOLDER: unpacks packages of a Debian release there; PACKAGES is one name or, quoted,
# several; NAME:arm64 is for that processor. apt works in a folder of its own; nothing is installed.
set -euo pipefail
release=$1
read -ra packages <<< "$2"
folder=$(realpath -m "$3")
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$folder" "$apt"/sources "$apt"/lists/partial "$apt"/cache/archives/partial
chmod -R a+rx "$apt"
sed "s/bookworm/$release/g" /etc/apt/sources.list.d/debian.sources > "$apt/sources/one.sources"
options=(-qq -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$apt/sources"
  -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o "APT::Sandbox::User=root")
for package in "${packages[@]}"; do
  if [[ $package == *:* ]]; then
    options+=(-o "APT::Architectures::=$(dpkg --print-architecture)" -o "APT::Architectures::=${package#*:}")
    break
  fi
done
apt-get "${options[@]}" update
cd "$apt"
apt-get "${options[@]}" download "${packages[@]}"
for file in *.deb; do
  dpkg -x "$file" "$folder"
done

#!/usr/bin/env bash
# ort_header.sh FOLDER: puts ONNX Runtime's official C headers there, from Debian's package, which
# bookworm does not have yet. apt works in a folder of its own; nothing is installed.
set -euo pipefail
folder=$(realpath -m "$1")
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$folder" "$apt"/sources "$apt"/lists/partial "$apt"/cache/archives/partial
chmod -R a+rx "$apt"
sed 's/bookworm/trixie/g' /etc/apt/sources.list.d/debian.sources > "$apt/sources/next.sources"
options=(-qq -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$apt/sources"
  -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o "APT::Sandbox::User=root")
apt-get "${options[@]}" update
cd "$apt"
apt-get "${options[@]}" download libonnxruntime-dev
dpkg -x libonnxruntime-dev_*.deb tree
cp tree/usr/include/onnxruntime/*.h "$folder"

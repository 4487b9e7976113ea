#!/bin/sh
# Print a Python 3.11 or newer that can make virtual environments, or say what to type.
for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
  command -v "$name" >/dev/null 2>&1 || continue
  "$name" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null || continue
  if "$name" -c 'import venv, ensurepip' 2>/dev/null; then
    command -v "$name"
    exit 0
  fi
  missing="$name"
done
if [ -n "${missing:-}" ]; then
  version=$("$missing" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "$missing cannot make virtual environments. Type: sudo apt install python$version-venv" >&2
else
  echo "Python 3.11 or newer was not found. Type: sudo apt install python3.11 python3.11-venv" >&2
fi
exit 1

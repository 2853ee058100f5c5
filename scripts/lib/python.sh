# Python interpreter: one on PATH, uv's, or Debian's.

python_versions='>=3.14.2,<3.15'

python_fits() {
    "$1" -c 'if True:
        import bz2, ctypes, lzma, sqlite3, ssl, sys, zlib
        sys.exit(not (3, 14, 2) <= sys.version_info[:3] < (3, 15))' 2>/dev/null
}

# uv_finds_python OPTION…: set $python to one that uv finds.
uv_finds_python() {
    python=$("$uv" python find --no-project --no-python-downloads \
        --system "$@" "$python_versions" 2>/dev/null) && python_fits "$python"
}

download_python() {
    say "downloading Python"
    UV_HTTP_RETRIES=0 "$uv" python install --quiet --no-bin "$python_versions" \
        2>/dev/null && uv_finds_python --managed-python
}

# Set $python.
find_python() {
    uv_finds_python --no-managed-python && return
    uv_finds_python --managed-python && return
    python=$debian_prefix/bin/python3.14
    python_fits "$python" && return
    download_python && return
    attempt "unpacking Debian's Python, since there is none to download" \
        "Install Python 3.14.2 or newer, so that python3.14 is on PATH." \
        make_debian_python
    python=$debian_prefix/bin/python3.14
}

# Installer (uv) and its environments.

# stamp NAME FOLDER: print a checksum of an environment's sources.
stamp() {
    cat "requirements/$1.txt" requirements/build.txt scripts/lib/uv.sh | cksum
    "$2/bin/python" --version
}

# is_made NAME FOLDER: is the environment complete and up to date?
is_made() {
    [ "$(stamp "$1" "$2" 2>/dev/null)" = "$(cat "$2/stamp" 2>/dev/null)" ]
}

# make_environment NAME FOLDER PYTHON: install only requirements/NAME.txt.
make_environment() {
    "$uv" venv --quiet --clear --no-project --python "$3" "$2" &&
        "$uv" pip sync --quiet --require-hashes --python "$2" \
            --build-constraints requirements/build.txt "requirements/$1.txt" &&
        stamp "$1" "$2" >"$2/stamp"
}

make_uv() {
    python3 -m venv --clear .cache/uv &&
        .cache/uv/bin/python -m pip install -qq --require-hashes \
            --requirement requirements/uv.txt &&
        stamp uv .cache/uv >.cache/uv/stamp
}

uv_is_new_enough() {
    "$1" --version 2>/dev/null |
        awk -F '[ .]' '{ new = $2 > 0 || $3 >= 9 } END { exit !new }'
}

# Set $uv to a recent one on PATH, else to the pinned one.
find_uv() {
    uv=$(command -v uv) && uv_is_new_enough "$uv" && return
    uv=.cache/uv/bin/uv
    is_made uv .cache/uv || attempt "installing uv" \
        "It takes Python's venv and pip (Debian: apt-get install python3-venv), or a uv of 0.9 or newer on PATH." \
        make_uv
}

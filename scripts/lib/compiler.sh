# A C++ compiler for what has no wheel: the machine's own, or zig's.

# has_compiler PYTHON: is the one on PATH that this Python builds with?
has_compiler() {
    command -v "${CXX:-$("$1" -c 'if True:
        import sysconfig
        print(sysconfig.get_config_var("CXX").split()[0])')}" >/dev/null
}

# Set the environment by which packages are built for $python.
find_compiler() {
    export CPATH="$debian_prefix/include${CPATH:+:$CPATH}"
    has_compiler "$python" && return
    zig=$PWD/.cache/ziglang/bin/python-zig
    is_made ziglang .cache/ziglang || attempt "installing a compiler" \
        "Install one (Debian: apt-get install g++), and run it again." \
        make_environment ziglang .cache/ziglang "$python"
    export ZIG_GLOBAL_CACHE_DIR="$PWD/.cache/zig"
    export CC="$zig cc" CXX="$zig c++"
    export LDSHARED="$zig cc -shared" LDCXXSHARED="$zig c++ -shared"
}

# C++ compiler for packages without a wheel: the system's, or zig's.

# has_compiler PYTHON: is this Python's compiler on PATH?
has_compiler() {
    command -v "${CXX:-$("$1" -c 'if True:
        import sysconfig
        print(sysconfig.get_config_var("CXX").split()[0])')}" >/dev/null
}

# Export the build environment for $python.
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

# Progress and failure, on stderr.

say() {
    echo "${0##*/}: $*" >&2
}

die() {
    say "$*"
    exit 1
}

# attempt STEP REMEDY COMMAND…: run the command; if it fails, say what to do.
attempt() {
    step=$1 remedy=$2
    shift 2
    say "$step"
    "$@" || die "failed: $step. $remedy"
}

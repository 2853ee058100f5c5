# Messages on stderr.

say() {
    echo "${0##*/}: $*" >&2
}

die() {
    say "$*"
    exit 1
}

# attempt STEP REMEDY COMMAND…: run the command; print the remedy if it fails.
attempt() {
    step=$1 remedy=$2
    shift 2
    say "$step"
    "$@" || die "failed: $step. $remedy"
}

#!/bin/sh
# How long `mains scan` takes beside `rg -c openai` on the same tree, interleaved, best of N of each.
#
#   bench/scan.sh TREE [N]      TREE of at least 50 MB; N is 5 unless given
#
# MAINS names the binary (default: target/release/mains). Both read dot files, both leave out what git
# ignores. The aim is a ratio of at most 2.
set -eu

tree=${1:?usage: bench/scan.sh TREE [N]}
runs=${2:-5}
mains=${MAINS:-target/release/mains}

command -v rg >/dev/null || { echo "rg is not installed; hint: apt-get install ripgrep" >&2; exit 2; }
[ -x "$mains" ] || { echo "$mains is not built; hint: cargo build --release" >&2; exit 2; }

bytes=$(du -sb "$tree" | cut -f1)
echo "tree: $bytes bytes, $(find "$tree" -type f | wc -l) files, $(nproc) cores"
[ "$bytes" -ge 50000000 ] || echo "warning: less than 50 MB; start-up weighs too much" >&2

# Milliseconds of one command, whatever it exits with: a finding is exit 1.
clock() {
    begin=$(date +%s%N)
    "$@" >/dev/null 2>&1 || true
    end=$(date +%s%N)
    echo $(((end - begin) / 1000000))
}

clock rg --hidden -c openai "$tree" >/dev/null
clock "$mains" scan --format json "$tree" >/dev/null
best_rg=999999999
best_mains=999999999
run=0
while [ "$run" -lt "$runs" ]; do
    a=$(clock rg --hidden -c openai "$tree")
    b=$(clock "$mains" scan --format json "$tree")
    echo "run $run: rg $a ms, mains $b ms"
    [ "$a" -lt "$best_rg" ] && best_rg=$a
    [ "$b" -lt "$best_mains" ] && best_mains=$b
    run=$((run + 1))
done

# Equal input, equal bytes.
one=$("$mains" scan --format json "$tree" 2>/dev/null | cksum || true)
two=$("$mains" scan --format json "$tree" 2>/dev/null | cksum || true)
[ "$one" = "$two" ] || { echo "two runs differ" >&2; exit 1; }

ratio=$((best_mains * 100 / (best_rg > 0 ? best_rg : 1)))
printf 'best: rg %d ms, mains %d ms, ratio %d.%02d\n' "$best_rg" "$best_mains" $((ratio / 100)) $((ratio % 100))
[ "$ratio" -le 200 ]

#!/bin/sh
# Tests and times the CUDA kernels on the GPU of this machine. It needs CUDA, CMake and a C++
# compiler, neither Python nor TensorFlow nor a network, and takes at most nine minutes.
#
#   tests/op/cuda/check.sh op [part ...] [atoms ...]
#
# Parts: build tests memcheck racecheck synccheck bench; all of them if none is named. Those behind
# `build` use what it built before. Atoms are the sizes of the benchmark. The whole output goes to
# $OUT/log.txt (default: out in the current folder), a line for each check and the benchmark to the
# screen. Settings: DEEPTF_CUDA=emulated does the same on the CPU, and its times mean nothing;
# DEEPTF_ARCH is the architecture, by default that of the first GPU.
set -u
if [ ! -f "${1:-}/core/cuda/cuda.cmake" ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit 2
fi
op=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
kind=${DEEPTF_CUDA:-device}
build=${TMPDIR:-/tmp}/deeptf_cuda_$kind
end=$(($(date +%s) + 530))

parts=''
atoms=''
for argument; do
    case $argument in
    build | tests | memcheck | racecheck | synccheck | bench) parts="$parts $argument" ;;
    *[!0-9]*) echo "a part must be build, tests, memcheck, racecheck, synccheck or bench," \
        "got $argument" && exit 2 ;;
    *) atoms="$atoms $argument" ;;
    esac
done
if [ -z "$parts" ]; then parts="build tests memcheck racecheck synccheck bench"; fi
if [ -z "$atoms" ]; then
    if [ "$kind" = device ]; then atoms="192 1536 12288 98304 1000000"; else atoms=24; fi
fi
mkdir -p "${OUT:=out}"
log=$(cd "$OUT" && pwd)/log.txt
: >"$log"
if command -v ninja >/dev/null; then export CMAKE_GENERATOR=Ninja; fi
arch=${DEEPTF_ARCH:-$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null |
    head -1 | tr -d .)}

passed=0
failed=0
check() { # name, command ...: one line; of the output the end, and only where it fails
    name=$1
    shift
    start=$(date +%s)
    left=$((end - start))
    if [ $left -lt 1 ]; then
        code=124 && : >"$build.output"
    else
        timeout $left "$@" >"$build.output" 2>&1
        code=$?
    fi
    { echo "== $name" && cat "$build.output"; } >>"$log"
    took="$(($(date +%s) - start)) s"
    if [ $code = 0 ]; then
        passed=$((passed + 1)) && echo "ok     $name, $took"
    else
        failed=$((failed + 1))
        if [ $code = 124 ]; then took="$took: no time left"; fi
        echo "FAILED $name, $took"
        grep -E "error|FAILED|failed|what\(\)|=====|must" "$build.output" | tail -20
    fi
}

compile() {
    rm -rf "$build"
    # shellcheck disable=SC2086
    check configure cmake -S "$op" -B "$build" -DDEEPTF_TESTS=ON -DDEEPTF_CUDA="$kind" \
        -DDEEPTF_MARCH=plain ${arch:+-DCMAKE_CUDA_ARCHITECTURES=$arch}
    check build cmake --build "$build" --parallel "$(nproc)" --target cuda_tests bench_cuda
    if [ "$kind" = device ]; then check registers "$here/registers.sh" <"$build.output"; fi
}

run_tests() { # name, command ...: every program of the tests with it in front
    tool=$1
    shift
    for program in "$build"/tests/cuda/*_cuda_*; do
        if [ -x "$program" ]; then check "$tool $(basename "$program")" "$@" "$program"; fi
    done
}

for part in $parts; do
    case $part in
    build) compile ;;
    tests) run_tests run env ;;
    bench)
        # shellcheck disable=SC2086
        check bench "$build/tests/cuda/bench_cuda" $atoms
        grep atom "$build.output"
        ;;
    *)
        if [ "$kind" = emulated ]; then continue; fi
        run_tests "$part" compute-sanitizer --tool "$part" --error-exitcode 1
        ;;
    esac
    if [ "$part" = build ] && [ $failed -gt 0 ]; then break; fi
done
if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=name,driver_version,clocks.max.sm --format=csv,noheader
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]

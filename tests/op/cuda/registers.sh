#!/bin/sh
# Prints registers, stack, spills and shared memory of each CUDA kernel from the output of a build
# with DEEPTF_CUDA=device (ptxas -v), and fails where one for sm_90 spills registers to memory or has
# an array there; not for other architectures, the kernels of CUB and one that runs once a frame.
# Bytes; a spill counts stores and loads.
#
#   cmake --build build/cuda --target deeptf_cuda_core | tests/op/cuda/registers.sh
tab=$(printf '\t')
awk -v OFS="$tab" '
    /Compiling entry function/ {
        split($0, quoted, "\047")
        kernel = quoted[2]
        arch = quoted[4]
    }
    /bytes stack frame/ {
        stack = $1
        spill = $5 + $9
    }
    /: Used [0-9]+ registers/ {
        match($0, /Used [0-9]+/)
        registers = substr($0, RSTART + 5, RLENGTH - 5)
        shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH - 11) : 0
        print arch, registers, stack, spill, shared, kernel
    }' |
    c++filt | sed -E 's/deeptf:://g; s/\(anonymous namespace\):://g; s/\(.*//; s/void //' |
    sort -u -t "$tab" -k6 -k1,1 | awk -F "$tab" '
    function show(arch, registers, stack, spill, shared, name) {
        printf "%-6s %9s %6s %6s %7s  %s\n", arch, registers, stack, spill, shared, name
    }
    NR == 1 { show("arch", "registers", "stack", "spill", "shared", "kernel") }
    {
        show($1, $2, $3, $4, $5, substr($6, 1, 90))
        if ($1 == "sm_90" && $3 + $4 > 0 && $6 !~ /^(cub::|grid_kernel)/) spilling = spilling "\n  " $6
    }
    END {
        if (NR == 0) {
            print "no kernel found: give the output of a new build with DEEPTF_CUDA=device"
            exit 1
        }
        if (spilling != "") {
            print "registers of these kernels for sm_90 must hold all, got memory in use:" spilling
            exit 1
        }
    }'

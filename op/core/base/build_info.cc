// One line about this core that deeptf/ops/library.py reads in the file before it loads it:
// deeptf's version, the CPU level, and of each CPU feature, by its name in /proc/cpuinfo, whether
// the compiler could use it: "=1", or "=MACRO" where the MACRO is not defined.
#define DEEPTF_AS_TEXT(value) #value
#define TEXT(macro) DEEPTF_AS_TEXT(macro)

// Visible in namespace deeptf, for a linker that drops what nobody uses (--gc-sections).
namespace deeptf {
extern const char core_build[] =
    "deeptf-core|" DEEPTF_VERSION "|" DEEPTF_MARCH "|"
    // x86-64-v2
    " ssse3=" TEXT(__SSSE3__)
    " sse4_1=" TEXT(__SSE4_1__)
    " sse4_2=" TEXT(__SSE4_2__)
    " popcnt=" TEXT(__POPCNT__)
    // x86-64-v3
    " avx=" TEXT(__AVX__)
    " avx2=" TEXT(__AVX2__)
    " fma=" TEXT(__FMA__)
    " f16c=" TEXT(__F16C__)
    " bmi1=" TEXT(__BMI__)
    " bmi2=" TEXT(__BMI2__)
    " abm=" TEXT(__LZCNT__)
    " movbe=" TEXT(__MOVBE__)
    // x86-64-v4
    " avx512f=" TEXT(__AVX512F__)
    " avx512bw=" TEXT(__AVX512BW__)
    " avx512cd=" TEXT(__AVX512CD__)
    " avx512dq=" TEXT(__AVX512DQ__)
    " avx512vl=" TEXT(__AVX512VL__)
    // what -march=native may add
    " avx512vbmi=" TEXT(__AVX512VBMI__)
    " avx512_vbmi2=" TEXT(__AVX512VBMI2__)
    " avx512ifma=" TEXT(__AVX512IFMA__)
    " avx512_vnni=" TEXT(__AVX512VNNI__)
    " avx512_bitalg=" TEXT(__AVX512BITALG__)
    " avx512_vpopcntdq=" TEXT(__AVX512VPOPCNTDQ__)
    " avx512_bf16=" TEXT(__AVX512BF16__)
    " avx512_fp16=" TEXT(__AVX512FP16__)
    " avx_vnni=" TEXT(__AVXVNNI__)
    " gfni=" TEXT(__GFNI__) "|";
}  // namespace deeptf

// One line about this build that deeptf/ops.py reads in the file before it loads the library, so
// that a library made for another TensorFlow, deeptf or CPU is refused with a sentence instead of a
// crash.
#ifdef __AVX512F__
#define DEEPTF_AVX512F " avx512f"
#else
#define DEEPTF_AVX512F ""
#endif
#ifdef __AVX512VL__
#define DEEPTF_AVX512VL " avx512vl"
#else
#define DEEPTF_AVX512VL ""
#endif
#ifdef __AVX2__
#define DEEPTF_AVX2 " avx2"
#else
#define DEEPTF_AVX2 ""
#endif
#ifdef __AVX__
#define DEEPTF_AVX " avx"
#else
#define DEEPTF_AVX ""
#endif
#ifdef __FMA__
#define DEEPTF_FMA " fma"
#else
#define DEEPTF_FMA ""
#endif

__attribute__((used)) static const char deeptf_build[] =
    "deeptf-build|" DEEPTF_VERSION "|" TENSORFLOW_VERSION "|" DEEPTF_MARCH
    "|" DEEPTF_AVX DEEPTF_AVX2 DEEPTF_FMA DEEPTF_AVX512F DEEPTF_AVX512VL "|";

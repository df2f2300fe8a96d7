// One line about this library that deeptf/ops/library.py reads in the file before it loads it, as
// in tf/build_info.cc; then the GPU architectures of the kernels.
namespace deeptf {
extern const char cuda_build[] =
    "deeptf-cuda|" DEEPTF_VERSION "|" TENSORFLOW_VERSION "|" DEEPTF_ARCHITECTURES "|";
}  // namespace deeptf

// One line about these bindings that deeptf/ops/library.py reads in the file before it loads the
// library, so that one made for another TensorFlow or deeptf is refused with a sentence instead of
// a crash.
// Visible in namespace deeptf, for a linker that drops what nobody uses (--gc-sections).
namespace deeptf {
extern const char bindings_build[] = "deeptf-bindings|" DEEPTF_VERSION "|" TENSORFLOW_VERSION "|";
}  // namespace deeptf

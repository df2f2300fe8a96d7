// One line about these bindings that deeptf/op_library.py reads in the file before it loads the
// library, so that one made for another TensorFlow or deeptf is refused with a sentence instead of
// a crash.
__attribute__((used)) static const char deeptf_build[] =
    "deeptf-bindings|" DEEPTF_VERSION "|" TENSORFLOW_VERSION "|";

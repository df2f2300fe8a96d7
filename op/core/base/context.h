// What a kernel may use beside its arguments.
//
// Threads are given as a callable, so that the core knows neither TensorFlow nor a thread library;
// where the arrays are on another device, its stream will stand beside them. Rule for every kernel:
// the bits of a result do not depend on `threads`.
//
// Memory comes from the thread at hand, not through the context: a Scratch (scratch.h) in the body
// of a kernel, or of what it runs in parallel, takes a piece of that thread's arena and gives it
// back at the end of its scope. Arenas grow to what was needed at once and keep it, so kernels
// called again take nothing from the system.
#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>

namespace deeptf {

// A piece of a loop: refers to a callable with (begin, end), which must outlive the loop.
class Range {
 public:
  template <class Body, class = std::enable_if_t<!std::is_same_v<Body, Range>>>
  Range(const Body& body)  // a lambda becomes one where a loop is called
      : body_(&body), call_([](const void* given, int64_t begin, int64_t end) {
          (*static_cast<const Body*>(given))(begin, end);
        }) {}

  void operator()(int64_t begin, int64_t end) const { call_(body_, begin, end); }

 private:
  const void* body_;
  void (*call_)(const void* body, int64_t begin, int64_t end);
};

struct Context {
  int threads = 1;
  // Calls range on pieces that cover [0, count); `cycles` is the rough cost of one unit.
  std::function<void(int64_t count, int64_t cycles, const Range& range)> split;

  void parallel(int64_t count, int64_t cycles, const Range& range) const {
    if (count <= 0) return;
    if (split && threads > 1) {
      split(count, cycles, range);
    } else {
      range(0, count);
    }
  }
};

}  // namespace deeptf
